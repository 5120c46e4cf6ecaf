"""`pilotage schema`: the JSON Schemas of files that people write, for their editors."""

import sys

import typer

app = typer.Typer(
    name="schema",
    help="Print the JSON Schema of a file, so that an editor completes and checks it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.callback()
def schema() -> None:
    """Print the JSON Schema of a file, so that an editor completes and checks it."""


@app.command()
def gates() -> None:
    """Print the JSON Schema of a file of gates.

    Examples:

        pilotage schema gates > gates.schema.json

        pilotage schema gates | jq .properties.gates
    """
    from pilotage.spec.gate_schema import as_text

    sys.stdout.write(as_text())
