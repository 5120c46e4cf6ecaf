"""What a reader of the repository must never meet: addresses of one machine, unfinished work."""

import re
import tomllib

from tidy.tree import ROOT, kept, name_of, python_files

# Written in pieces, so that this file does not find itself.
ADDRESSES = re.compile(
    "|".join(
        (
            "python" + "hosted",
            r"pypi\.org/" + "simple",
            r"registry\." + "npmjs",
            r"deb\." + "debian",
            "/work/" + "(main|shared|steering)",
            "bash_" + "jobs",
            "/ro" + "ot/",
            "/ho" + "me/[a-z]",
        )
    )
)
UNFINISHED = re.compile(
    "|".join(
        ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error", r"\bfor " + r"now\b")
    )
)


def _lines(path):
    try:
        return enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    except UnicodeDecodeError:
        return []


def test_no_kept_file_names_a_registry_or_a_path_of_one_machine():
    found = [
        f"{name_of(path)}:{number}"
        for path in kept()
        for number, line in _lines(path)
        if ADDRESSES.search(line)
    ]
    assert not found


def test_no_source_says_that_it_is_unfinished():
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in python_files()
        for number, line in _lines(path)
        if UNFINISHED.search(line)
    ]
    assert not found


def test_every_dependency_is_pinned_to_one_version():
    for file in ("constraints.txt", "constraints-kserve.txt"):
        loose = [
            line
            for line in (ROOT / file).read_text().splitlines()
            if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)
        ]
        assert not loose, file


def test_every_declared_dependency_has_its_pin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    lists = [project["project"]["dependencies"], groups["dev"], *extras.values()]
    declared = [line for lines in lists for line in lines]
    names = {re.split(r"[<>=;\[ ]", line)[0].replace(".", "-") for line in declared} - {"pilotage"}
    pinned = {
        line.split("==")[0].replace(".", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert names <= pinned
