"""`pilotage ledger`: read the log of decisions, and see whether it is as it was written."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from pilotage.cli.ledger_words import print_table, say, sentence, when
from pilotage.control.ledger import file as ledgers
from pilotage.control.ledger.file import Ledger
from pilotage.control.ledger.lines import text_of
from pilotage.spec.folders import data_folder

EXIT_BROKEN: Final = 1
FILE: Final = "ledger.jsonl"
LAST: Final = 20
"""Lines that are shown where nothing else is asked for."""

app = typer.Typer(
    name="ledger",
    help="Read the log of decisions, in which no line can be changed unseen.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="The home folder, as for `pilotage serve`."),
]


def ledger_of(given: Path | None) -> Path:
    """The ledger of the folder that was named, else of `serve` with the same environment."""
    if given is not None:
        return given / FILE
    return Path(os.environ.get("PILOTAGE_DATA", "") or data_folder(os.environ, sys.platform)) / FILE


@app.command()
def show(
    data: Data = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="How many of the last lines.")
    ] = LAST,
    as_json: Annotated[
        bool, typer.Option("--json", help="The lines as they stand in the file.")
    ] = False,
) -> None:
    """Show what was decided, started, steered and ended, the latest last.

    Examples:

        pilotage ledger show --last 5

        pilotage ledger show --json --last 1000 | jq -c .entry
    """
    path = ledger_of(data)
    every = list(Ledger(path).read())
    lines = every[-last:]
    unread = sum(1 for _ in ledgers.texts(path)) - len(every)
    if unread:
        say(f"{unread} lines cannot be read: see `pilotage ledger verify`.")
    if as_json:
        for line in lines:
            sys.stdout.write(text_of(line).decode())
        return
    if not lines and not unread:
        say(f"There is nothing in {path} yet.")
        return
    print_table(
        ("", "when (UTC)", "endpoint", "rollout", "kind", "what", "id"),
        [
            (
                str(line.number),
                when(line.entry.at),
                line.entry.endpoint,
                line.entry.rollout,
                line.entry.kind,
                sentence(line),
                line.id,
            )
            for line in lines
        ],
        folds=("what",),
    )


@app.command()
def verify(
    data: Data = None,
    expect: Annotated[
        str,
        typer.Option(
            "--expect", metavar="DIGEST", help="A digest that was kept: its line must be there."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
) -> None:
    """Find every line that was changed, removed, added or moved.

    Exit code 1 when there is one. A chain cannot tell that its end was cut off, or that all of it
    was made anew: keep the digest that is printed in another place, and expect it later.

    Examples:

        pilotage ledger verify

        pilotage ledger verify --expect 5e0c64c1a5a2dd21
    """
    path = ledger_of(data)
    found = ledgers.verify(path, expect=expect)
    if as_json:
        told = {"whole": not found.faults, **msgspec.to_builtins(found)}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    elif found.faults:
        for fault in found.faults:
            sys.stdout.write(f"line {fault.line}: {fault.what}\n")
        say(f"{path} is not as it was written.")
    else:
        sys.stdout.write(f"{found.lines} lines, each as it was written\n")
        if found.last:
            sys.stdout.write(f"last digest {found.last}\n")
    if found.faults:
        raise typer.Exit(EXIT_BROKEN)
