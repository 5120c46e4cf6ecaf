"""Lays a project's files down in a folder, and again; a learner's work is never lost."""

from pathlib import Path

from pilotage.errors import PilotageError
from pilotage.learn.projects import Project


def lay_down(project: Project, folder: Path) -> None:
    """The files of a project in a folder that is new or empty.

    Raises:
        PilotageError: something is there already, or the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PilotageError(
            "there is something here already",
            where=str(folder),
            expected="a folder that is empty or not there yet",
            fix=f"Name another one: pilotage learn start {project.name} FOLDER. To get the files "
            f"of a project that was started again: pilotage learn reset {project.name}",
        )
    _write(project, folder)


def lay_down_again(project: Project, folder: Path) -> list[str]:
    """The files as they were at the start; what was changed is kept as NAME.old, NAME.old2 …

    Returns:
        the names under which changed files are kept.
    """
    kept: list[str] = []
    for name, made in project.files.items():
        file = folder / name
        if file.is_file() and file.read_bytes() != made():
            aside = _free(file)
            file.rename(aside)
            kept.append(aside.name)
    _write(project, folder)
    return kept


def _free(file: Path) -> Path:
    number = 1
    while True:
        aside = file.with_name(f"{file.name}.old{number if number > 1 else ''}")
        if not aside.exists():
            return aside
        number += 1


def _write(project: Project, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, made in project.files.items():
            (folder / name).write_bytes(made())
    except OSError as error:
        raise PilotageError(
            f"the files cannot be written: {error.strerror}", where=str(folder)
        ) from error
