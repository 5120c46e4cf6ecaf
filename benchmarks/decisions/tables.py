"""What a part found, as data, and as text for a terminal and for Markdown. Pure."""

from collections.abc import Sequence

import msgspec

from pilotage.statistics.fixed.proportions import clopper_pearson

CONFIDENCE = 0.95


class Table(msgspec.Struct):
    """One table; cells are text, the first column says what the row is about."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


class Aim(msgspec.Struct):
    """A number beside what it should be; `found` is None where nothing was measured."""

    measure: str
    found: float | None
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """None where nothing was measured."""
        if self.found is None:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound


class Part(msgspec.Struct):
    """All that one part found; `curves` are the points of pictures, by picture."""

    name: str
    tables: list[Table]
    aims: list[Aim] = msgspec.field(default_factory=list[Aim])
    curves: dict[str, list[dict[str, float | str]]] = msgspec.field(
        default_factory=dict[str, list[dict[str, float | str]]]
    )
    seconds: float = 0.0


def percent(value: float) -> str:
    """A share as a percentage with up to three digits."""
    return f"{100 * value:.3g} %"


def share(happened: int, runs: int) -> str:
    """A share of runs, with its exact 95 % interval."""
    interval = clopper_pearson(happened, runs, confidence=CONFIDENCE)
    return f"{percent(happened / runs)} ({100 * interval.low:.1f}–{100 * interval.high:.1f})"


def middle_and_late(values: Sequence[float], digits: int = 0) -> str:
    """Median / 95th percentile; `never` where half or a twentieth of the values is infinite."""
    if not len(values):
        return "–"
    ordered = sorted(values)
    # The 95th percentile is a value that occurred: at least 95 % are not above it.
    places = (len(ordered) - 1) // 2, min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)
    shown = [
        "never" if ordered[place] == float("inf") else f"{ordered[place]:,.{digits}f}"
        for place in places
    ]
    return " / ".join(shown)


def aims_table(aims: Sequence[Aim]) -> Table:
    """Every aim with its verdict."""
    rows = [
        [
            aim.measure,
            "–" if aim.found is None else f"{aim.found:,.4g} {aim.unit}".strip(),
            f"{'≥' if aim.at_least else '≤'} {aim.bound:,.4g} {aim.unit}".strip(),
            {True: "met", False: "missed", None: "not measured"}[aim.met],
        ]
        for aim in aims
    ]
    return Table("Aims", ["measure", "found", "aim", "verdict"], rows)


def markdown(table: Table) -> str:
    """A section with its table and its note."""
    lines = [f"## {table.title}", "", _row(table.columns), _row(["---"] * len(table.columns))]
    lines += [_row(row) for row in table.rows]
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def terminal(table: Table) -> str:
    """The same for a screen of any width: columns in line, numbers to the right."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    lines = [table.title, "-" * len(table.title)]
    for row in rows:
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    if table.note:
        lines.append(table.note)
    return "\n".join(lines) + "\n"
