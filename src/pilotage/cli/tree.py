"""The tree of commands, as Typer holds it: all of it, or the one branch that is asked for.

A branch loads what its commands need, so `record tail` does not pay for rollouts (0.43 s from the
start of the process to its end with all branches, 0.39 s with its own). Help and completion see all
of them.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from pilotage import __version__


def _group(module: str) -> Callable[[typer.Typer], None]:
    """A module whose `app` is a group of commands, put into a tree when it is called."""

    def add(app: typer.Typer) -> None:
        found: Any = import_module(f"pilotage.cli.{module}")
        app.add_typer(found.app)

    return add


def _adding(module: str, function: str) -> Callable[[typer.Typer], None]:
    """A module with a function that puts its commands into a tree."""

    def add(app: typer.Typer) -> None:
        found: Any = import_module(f"pilotage.cli.{module}")
        getattr(found, function)(app)

    return add


BRANCHES: Final[dict[tuple[str, ...], Callable[[typer.Typer], None]]] = {
    ("serve",): _adding("serve_command", "add_serve"),
    ("evaluate", "compare"): _adding("evaluate", "add_evaluate"),
    ("plan",): _adding("plan", "add_plan"),
    ("record",): _group("record"),
    ("rollout",): _group("rollout"),
    ("verdict",): _group("verdict"),
    ("ledger",): _group("ledger"),
    ("schema",): _group("schema"),
    ("learn",): _group("learn"),
}
"""By the commands in them, in the order of the help."""


def tree(asked: str = "") -> typer.Typer:
    """The tree with the branch of the command that is asked for, or whole where it is none."""
    app = typer.Typer(
        name="pilotage",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(pilotage)
    named = [add for commands, add in BRANCHES.items() if asked in commands]
    for add in named or BRANCHES.values():
        add(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pilotage {__version__}")
        raise typer.Exit


def pilotage(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take a model from pilot to production.

    \b
    Examples:
      pilotage serve iris.onnx
      pilotage serve v1.onnx --candidate v2.onnx
      pilotage evaluate iris.onnx --data test.csv --label species
      pilotage record tail
    """
