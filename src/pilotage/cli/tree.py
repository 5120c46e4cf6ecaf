"""The tree of commands, as Typer holds it."""

from typing import Annotated

import typer

from pilotage import __version__
from pilotage.cli import learn, ledger, record, rollout, schema, verdict
from pilotage.cli.evaluate import add_evaluate
from pilotage.cli.plan import plan
from pilotage.cli.serve_command import add_serve

app = typer.Typer(
    name="pilotage",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pilotage {__version__}")
        raise typer.Exit


@app.callback()
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


add_serve(app)
add_evaluate(app)
app.command("plan")(plan)
app.add_typer(record.app)
app.add_typer(rollout.app)
app.add_typer(verdict.app)
app.add_typer(ledger.app)
app.add_typer(schema.app)
app.add_typer(learn.app)
