"""A room is a folder with one sentence at its door; the import contracts know every room."""

import ast
import tomllib

from tidy.tree import ROOT, SOURCE, TESTS, module_of, name_of, python_files, tree_of

SENTENCE_LINES = 5
DESIGNED_AS_PURE = (
    "requests",
    "authentication",
    "admission",
    "routing",
    "validation",
    "batching",
    "cost",
    "tracing",
    "restarts",
    "refusals",
    "http.connection",
    "http.responses",
    "protocols.*",
)
"""The files of `serving` that decide and never act."""


def _contracts() -> list[dict]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings["tool"]["importlinter"]["contracts"]


def _purity() -> dict:
    (contract,) = (each for each in _contracts() if each["name"].startswith("Pure files"))
    return contract


def _forbidden() -> set[tuple[str, str]]:
    return {
        (source, target)
        for contract in _contracts()
        if contract["type"] == "forbidden"
        for source in contract["source_modules"]
        for target in contract["forbidden_modules"]
    }


def test_every_room_says_in_a_few_lines_what_it_is():
    for path in python_files(SOURCE):
        if path.name == "__init__.py":
            sentence = ast.get_docstring(tree_of(path)) or ""
            lines = len(sentence.splitlines())
            assert 0 < lines <= SENTENCE_LINES, f"{name_of(path)}: {lines} lines of docstring"


def test_every_folder_of_source_is_a_room():
    missing = [
        name_of(path.parent)
        for path in python_files(SOURCE)
        if not (path.parent / "__init__.py").exists()
    ]
    assert not missing


def test_a_room_loads_nothing_at_its_door():
    for path in python_files(SOURCE):
        if path.name == "__init__.py":
            _, *rest = tree_of(path).body
            assert all(isinstance(node, ast.Assign) for node in rest), name_of(path)


def test_every_file_says_what_it_is_for():
    silent = [name_of(p) for p in python_files(SOURCE) if not ast.get_docstring(tree_of(p))]
    assert not silent


def test_what_decides_is_never_let_off_the_import_contract():
    let_off = {line.split(" -> ")[0] for line in _purity()["ignore_imports"]}
    rooms = {"contracts", "errors", "serving", "spec", "statistics"}
    standing = {room for room in rooms if list(SOURCE.glob(f"{room}*"))}
    assert {f"pilotage.{room}" for room in standing} <= set(_purity()["source_modules"])
    assert let_off.isdisjoint(f"pilotage.serving.{name}" for name in DESIGNED_AS_PURE)
    assert not [module for module in let_off if not module.startswith("pilotage.serving.")]


def test_every_file_that_is_let_off_stands_in_the_tree():
    modules = {module_of(path) for path in python_files(SOURCE)}
    let_off = {line.split(" -> ")[0] for line in _purity()["ignore_imports"]}
    assert {name for name in let_off if not name.endswith(".*")} <= modules


def test_statistics_stay_out_of_the_data_plane_and_fixed_ones_out_of_what_looks_again():
    wanted = set()
    if (SOURCE / "statistics").is_dir():
        wanted.add(("pilotage.serving", "pilotage.statistics"))
    for module in ("checks.live", "control.rollouts", "control.monitoring"):
        path = SOURCE / module.replace(".", "/")
        if path.is_dir() or path.with_suffix(".py").exists():
            wanted.add((f"pilotage.{module}", "pilotage.statistics.fixed"))
    assert wanted <= _forbidden()


def test_every_test_of_a_room_stands_where_its_source_stands():
    rooms = TESTS / "rooms"
    astray = []
    for path in python_files(rooms):
        if not path.name.startswith("test_"):
            continue
        folder = SOURCE / path.parent.relative_to(rooms)
        subjects = {entry.stem for entry in folder.glob("*")} if folder.is_dir() else set()
        name = path.stem.removeprefix("test_")
        if not any(name == subject or name.startswith(f"{subject}_") for subject in subjects):
            astray.append(name_of(path))
    assert not astray
