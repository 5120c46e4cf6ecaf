"""A plan as a table: each gate, what might be true, and how many rows would show it."""

import sys
from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pilotage.checks.once.planning import POWER, Planned


def render(planned: Sequence[Planned], *, as_json: bool) -> None:
    """The plan on stdout."""
    if as_json:
        body = msgspec.json.encode({"power": POWER, "gates": planned})
        sys.stdout.buffer.write(msgspec.json.format(body, indent=2) + b"\n")
        return
    console = Console()
    if not planned:
        console.print("No gate was asked, so no rows are needed. Add --gates FILE.")
        return
    for one in planned:
        console.print()
        console.print(Text(one.title, style="bold"))
        if one.assumed:
            console.print(Text(f"  {one.assumed}", style="dim"))
        if one.effects:
            console.print(_table(one))
    console.print(f"\nRows with which the answer is given with {POWER:.0%} probability.")


def _table(one: Planned) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("If the truth is")
    table.add_column("the gate")
    table.add_column("with rows", justify="right")
    for effect in one.effects:
        rows = "never" if effect.rows is None else f"{effect.rows:,}"
        table.add_row(effect.truth, effect.answer, rows)
    return table
