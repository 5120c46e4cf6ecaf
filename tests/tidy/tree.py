"""The repository as the tidy tests see it: the files that git keeps or would keep."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pilotage"
TESTS = ROOT / "tests"
DOCS = ROOT / "docs"


@cache
def kept() -> tuple[Path, ...]:
    """Every file that git tracks, or would on `git add`, and that is here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*folders: Path) -> list[Path]:
    """The kept Python files under any of the folders; all of them when none is named."""
    return [
        path
        for path in kept()
        if path.suffix == ".py"
        and (not folders or any(path.is_relative_to(folder) for folder in folders))
    ]


def name_of(path: Path) -> str:
    """A path as people read it, from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def module_of(path: Path) -> str:
    """The dotted name of a file under `src`: "pilotage.serving.routing"."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
