"""How the command line's tree sees `serve`: its options come from the table of settings.

Completion and the reference walk this tree. The words themselves are read by `spec`, which tells
every error at once; Typer would stop at the first.
"""

import inspect
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from pilotage.cli.serve_help import SUMMARY, help_text
from pilotage.spec.setting import Setting
from pilotage.spec.table import SETTINGS

_WORDS: Final = "pilotage.words"


class ServeCommand(TyperCommand):
    """Hands the words over as they were typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keeps the words for `serve`; while a shell completes, they are parsed as usual."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        ctx.meta[_WORDS] = list(args)
        ctx.args = []
        return []

    def invoke(self, ctx: Any) -> None:
        """Serves."""
        from pilotage.cli import serve  # the engine behind it is loaded only to serve

        raise typer.Exit(serve.run(ctx.meta[_WORDS]))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help made from the table."""
        del ctx
        formatter.write(help_text())


def add_serve(app: typer.Typer) -> None:
    """Puts `serve` into the tree, with one option a setting."""

    def serve() -> None: ...

    parameters = [_parameter(setting) for setting in SETTINGS]
    serve.__doc__ = SUMMARY
    serve.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(serve)["__signature__"] = inspect.Signature(parameters)
    app.command("serve", cls=ServeCommand)(serve)


def _parameter(setting: Setting) -> inspect.Parameter:
    """The setting as Typer reads it from a function's signature."""
    takes_value = bool(setting.kind.metavar)
    shape: Any = list[str] if setting.many else str if takes_value else bool
    marker: Any
    if not setting.flag:
        marker = typer.Argument(metavar="MODEL", help=setting.help)
    elif takes_value:
        marker = typer.Option(setting.flag, metavar=setting.kind.metavar, help=setting.help)
    else:
        plain = setting.flag.startswith("--no-")
        forms = setting.flag if plain else f"{setting.flag}/--no-{setting.flag[2:]}"
        marker = typer.Option(forms, help=setting.help)
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[shape | None, marker],
    )
