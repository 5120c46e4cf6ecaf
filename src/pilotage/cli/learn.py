"""`pilotage learn`: a map of skills, and projects that the product itself judges."""

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from pilotage.errors import PilotageError
from pilotage.spec.folders import data_folder
from pilotage.spec.words import did_you_mean, shown

if TYPE_CHECKING:
    from pilotage.learn.progress import Begun
    from pilotage.learn.projects import Looked, Project

EXIT_NOT_YET: Final = 1
HINTS_MOST: Final = 2
"""A hint, and the stronger one."""

app = typer.Typer(
    name="learn",
    rich_markup_mode="rich",
)


def project_names(incomplete: str) -> list[str]:
    """Names of projects, for the shell's completion."""
    from pilotage.learn.practice.shelf import PROJECTS

    return [name for name in PROJECTS if name.startswith(incomplete)]


def role_names(incomplete: str) -> list[str]:
    """Roles, for the shell's completion."""
    from pilotage.learn.roles import ROLES

    return [role.key for role in ROLES if role.key.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The project, as the map names it.", autocompletion=project_names
    ),
]
Json = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


@app.callback(invoke_without_command=True)
def learn(
    context: typer.Context,
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="Only the skills of this line of work, such as mlops-engineer.",
            autocompletion=role_names,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn the trade by doing: a map of skills, and projects on the real product, offline.

    Without a command it shows the map: what is done, what is open, what is next. No account, no
    network; what you have solved is remembered in the home folder.

    Examples:

        pilotage learn --role mlops-engineer

        pilotage learn start stop-the-unfair-model
    """
    if context.invoked_subcommand is not None:
        if role is not None or as_json:
            raise PilotageError(
                "these options are for the map",
                where="pilotage learn",
                fix=f"Type them behind it: pilotage learn {context.invoked_subcommand} --help",
            )
        return
    from pilotage.cli.learn_screen import console_of, show_map
    from pilotage.learn.practice.shelf import PROJECTS
    from pilotage.learn.progress import read_progress

    _check_role(role)
    progress = read_progress(home())
    if as_json:
        from pilotage.learn.telling import map_told

        begun = frozenset(progress.projects)
        _write(map_told(role, progress.solved, begun, PROJECTS))
        return
    show_map(console_of(sys.stdout), role, progress.solved, PROJECTS)


@app.command()
def start(
    name: Name,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Where; a new folder of that name unless given."),
    ] = None,
) -> None:
    """Make a folder with a task, data, models and something that runs already.

    Examples:

        pilotage learn start stop-the-unfair-model

        pilotage learn start stop-the-unfair-model ~/practice/unfair
    """
    from pilotage.cli.learn_screen import console_of, show_start
    from pilotage.learn.laying import lay_down
    from pilotage.learn.progress import Begun, read_progress, write_progress

    project = _project(name)
    progress = read_progress(home())
    place = folder or Path(project.name)
    lay_down(project, place)
    before = progress.projects.get(project.name)
    solved_at = before.solved_at if before else None
    begun = Begun(str(place.absolute()), time.time(), solved_at)
    write_progress(home(), progress.having(project.name, begun))
    show_start(console_of(sys.stdout), project, str(place), _missing(project))


@app.command()
def check(
    name: Name,
    hint: Annotated[
        bool, typer.Option("--hint", help="A hint; asked again, a stronger one.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="FOLDER", help="Where it is, if it moved.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at what your work does, and tell what holds and what does not, with the numbers.

    Exit code 0 when everything holds, 1 when something does not yet, 2 for wrong input.

    Examples:

        pilotage learn check stop-the-unfair-model

        pilotage learn check stop-the-unfair-model --hint
    """
    from msgspec.structs import replace

    from pilotage.learn.progress import read_progress, write_progress
    from pilotage.learn.projects import first_open, is_solved, look_at
    from pilotage.learn.workbench import workbench

    project = _project(name)
    progress = read_progress(home())
    begun = _moved(_begun(project, progress.projects.get(project.name), folder), folder)
    if missing := _missing(project):
        raise PilotageError(
            f"{project.name} needs a part of Pilotage that is not installed", fix=missing
        )
    with workbench(Path(begun.folder)) as bench:
        found = look_at(project, bench)
    solved, text = is_solved(found), ""
    if solved:
        begun = replace(begun, solved_at=begun.solved_at or time.time())
    elif hint and (open_ := first_open(found)) is not None:
        asked = min(begun.hints.get(open_.name, 0) + 1, HINTS_MOST)
        begun = replace(begun, hints={**begun.hints, open_.name: asked})
        text = f"Hint: {open_.hint}" if asked < HINTS_MOST else f"Stronger hint: {open_.stronger}"
    write_progress(home(), progress.having(project.name, begun))
    _show(project, found, solved=solved, hint=text, as_json=as_json)
    if not solved:
        raise typer.Exit(EXIT_NOT_YET)


@app.command()
def reset(name: Name) -> None:
    """Bring back the files of the start; what you changed is kept beside them as NAME.old.

    Examples:

        pilotage learn reset stop-the-unfair-model

        pilotage learn reset stop-the-unfair-model && pilotage learn
    """
    from msgspec.structs import replace

    from pilotage.cli.learn_screen import console_of, print_text
    from pilotage.learn.laying import lay_down_again
    from pilotage.learn.progress import read_progress, write_progress

    project = _project(name)
    progress = read_progress(home())
    begun = _begun(project, progress.projects.get(project.name), None)
    kept = lay_down_again(project, Path(begun.folder))
    begun = replace(begun, started_at=time.time(), solved_at=None, hints={})
    write_progress(home(), progress.having(project.name, begun))
    console = console_of(sys.stdout)
    print_text(console, f"{project.title} is as it was at the start, in {begun.folder}.")
    if kept:
        print_text(console, f"What you had changed is kept: {', '.join(kept)}.")


# --- what the commands share -------------------------------------------------------------------


def home() -> Path:
    """The data folder of `serve` with the same environment."""
    named = os.environ.get("PILOTAGE_DATA", "")
    return Path(named or data_folder(os.environ, sys.platform))


def _check_role(role: str | None) -> None:
    from pilotage.learn.roles import ROLES

    keys = [each.key for each in ROLES]
    if role is not None and role not in keys:
        raise PilotageError(
            f"{shown(role)} is no role of the map",
            where="--role",
            expected=f"one of {', '.join(keys)}",
            fix=did_you_mean(role, keys),
        )


def _project(name: str) -> "Project":
    from pilotage.learn.practice.shelf import PROJECTS

    if name in PROJECTS:
        return PROJECTS[name]
    raise PilotageError(
        f"there is no project {shown(name)}",
        where="pilotage learn",
        expected=f"one of {', '.join(PROJECTS)}",
        fix=did_you_mean(name, PROJECTS) or "See them all: pilotage learn",
    )


def _begun(project: "Project", begun: "Begun | None", folder: Path | None) -> "Begun":
    """What is remembered of a project; one with a folder named needs no memory."""
    from pilotage.learn.progress import Begun

    if begun is None and folder is None:
        raise PilotageError(
            f"{project.name} has not been started",
            where="pilotage learn",
            fix=f"Start it: pilotage learn start {project.name}",
        )
    return begun or Begun(str(folder), time.time())


def _moved(begun: "Begun", folder: Path | None) -> "Begun":
    from msgspec.structs import replace

    return begun if folder is None else replace(begun, folder=str(folder.absolute()))


def _missing(project: "Project") -> str:
    """What to install before the project can be checked; "" when all is there."""
    if project.extra is None or find_spec(project.extra[1]) is not None:
        return ""
    return (
        f"This project needs Pilotage with `{project.extra[0]}`: "
        f"pip install 'pilotage[{project.extra[0]}]'"
    )


def _show(
    project: "Project", found: tuple["Looked", ...], *, solved: bool, hint: str, as_json: bool
) -> None:
    if as_json:
        from pilotage.learn.telling import check_told

        _write(check_told(project, found, solved=solved, hint=hint))
        return
    from pilotage.cli.learn_screen import console_of, show_found

    show_found(console_of(sys.stdout), project, found, solved=solved, hint=hint)


def _write(told: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
