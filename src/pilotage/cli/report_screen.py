"""The report of an evaluation in a terminal: gates, metrics, slices, and what to type next.

It fits 80 columns. Colour never carries meaning alone, and there is none where it is not wanted:
the console knows a file from a terminal and heeds NO_COLOR. Names out of data and models are made
harmless before they are shown.
"""

import shlex
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pilotage.evaluation.page.figures import overall
from pilotage.evaluation.page.intervals import differs, estimated
from pilotage.evaluation.page.numbers import between, count, exact, p_shown, shown, width
from pilotage.evaluation.page.ordering import highest_first, worst_first
from pilotage.evaluation.report import GateShown, Report
from pilotage.evaluation.verdict_words import COMPARED, mark_shown, word_shown
from pilotage.spec.words import printable

LISTED_GATES: Final = 60
"""Gates with their sentences."""
LISTED_METRICS: Final = 20
"""Metrics beside the gates."""
LISTED_SLICES: Final = 10
"""Slices, those with the strongest evidence."""
LISTED_MEMBERS: Final = 6
"""Groups by themselves under a gate, the largest ones."""
LISTED_NOTES: Final = 10
"""Notes on the whole evaluation."""

STYLES: Final = {"passed": "green", "failed": "bold red", "undecided": "yellow"}
PLAIN_SIGNS: Final = str.maketrans(
    {"–": "-", "−": "-", "×": "x", "²": "2", "’": "'", "✓": "+", "✗": "x"}
)
"""For a terminal whose encoding has no others."""


def render(report: Report, console: Console, *, page: bool = False) -> None:
    """Prints the whole report to the console. `page` tells that it is written as a page too."""
    outcome = "no gate asked" if report.outcome == "none" else report.outcome
    style = STYLES.get(report.outcome, "bold")
    mark = mark_shown(report.outcome, report.outcome)
    console.print()
    console.print(_text(f"{mark} {outcome.upper()}".strip(), console, f"bold {style}"))
    console.print(_text(report.headline, console))
    console.print(_text(_judged(report), console, "dim"))
    for title, table, rest in (
        ("Is it better?" if report.outcome == COMPARED else "Gates", _gates(report, console),
         len(report.gates) - LISTED_GATES),
        ("Metrics", _metrics(report, console), len(report.metrics) - LISTED_METRICS),
        ("Slices, strongest evidence first", _slices(report, console),
         len(report.slices) - LISTED_SLICES),
    ):  # fmt: skip
        if table is not None:
            console.print()
            console.print(Text(title, style="bold"))
            console.print(table)
        if rest > 0:
            console.print(_text(f"  and {count(rest)} more in the JSON", console, "dim"))
    for note in report.notes[:LISTED_NOTES]:
        console.print()
        console.print(_text(f"Note: {note}", console))
    console.print()
    for hint in hints(report, page=page):
        console.print(_text(hint, console, "dim"))


def hints(report: Report, *, page: bool = False) -> list[str]:
    """What to type next, one line each, by what was found."""
    judged = () if report.outcome == COMPARED else report.gates
    failed = [gate for gate in judged if gate.verdict.word == "failed"]
    undecided = [gate for gate in judged if gate.verdict.word == "undecided"]
    lines: list[str] = []
    if not report.gates:
        lines.append("Say what it has to meet:  pilotage schema gates, then add --gates gates.yaml")
    if not page:
        lines.append("The same with pictures:  add --html report.html")
    if undecided:
        needed = max((gate.rows_needed or 0 for gate in undecided), default=0)
        rows = f" (about {count(needed)} for the last of them)" if needed else ""
        lines.append(f"How many rows would decide{rows}:  add --plan")
    if report.baseline and any("baseline" in str(gate.condition.get("kind")) for gate in failed):
        files = shlex.join((report.baseline.file, report.model.file))
        lines.append(f"Where it is worse:  pilotage compare {files} --data FILE")
    lines.append("For programs:  add --json")
    return lines


def _gates(report: Report, console: Console) -> Table | None:
    if not report.gates:
        return None
    outcome, compared = report.outcome, report.outcome == COMPARED
    head = ("Answer",) if compared else ("Verdict",)
    table = _table(*head, "What was found", *(() if compared else ("Margin",)))
    table.columns[0].no_wrap = True
    for gate in worst_first(report.gates)[:LISTED_GATES]:
        word = gate.verdict.word
        marked = f"{mark_shown(word, outcome)} {word_shown(word, outcome)}".strip()
        cells = [
            _text(marked, console, STYLES.get(word, "")),
            _text(_sentence(gate, outcome), console),
        ]
        cells += [] if compared else [_text(exact(gate.margin, gate.unit), console)]
        table.add_row(*cells)
    return table


def _sentence(gate: GateShown, outcome: str) -> str:
    """The sentence, and under it what a person needs to act on it."""
    compared = outcome == COMPARED
    culprits = [group.group for group in gate.groups if group.culprit]
    lines = [gate.sentence, *_members(gate), *gate.notes]
    if culprits:
        rest = f" and {len(culprits) - 3} more" if len(culprits) > 3 else ""
        lines.append(f"{'Worse in' if compared else 'Cause:'} {', '.join(culprits[:3])}{rest}.")
    if gate.rows_needed:
        does = "tell" if compared else "decide it"
        lines.append(f"About {count(gate.rows_needed)} rows would {does}.")
    return "\n".join(_printable(line) for line in lines)


def _members(gate: GateShown) -> list[str]:
    """Where a gate compares groups: what the metric is in each, in one line."""
    if not gate.members:
        return []
    listed = highest_first(gate, LISTED_MEMBERS)
    each = ", ".join(f"{one.group} {estimated(one, gate.member_unit)}" for one in listed)
    left = len(gate.members) - len(listed)
    return [f"Each group: {each}{f' and {left} more' if left else ''}"]


def _metrics(report: Report, console: Console) -> Table | None:
    if not report.metrics:
        return None
    baseline = any(metric.baseline_estimate is not None for metric in report.metrics)
    table = _table("Metric", "Estimate", "Interval", *(["Baseline"] if baseline else []))
    for metric in report.metrics[:LISTED_METRICS]:
        interval = metric.interval
        low, high = (interval.low, interval.high) if interval else (None, None)
        apart = width(low, high)
        cells = [
            metric.title,
            shown(metric.estimate, metric.unit, width=apart),
            between(low, high, metric.unit, side=interval.side if interval else "two"),
        ]
        cells += [shown(metric.baseline_estimate, metric.unit, width=apart)] if baseline else []
        table.add_row(*(_text(cell, console) for cell in cells))
    return table


def _slices(report: Report, console: Console) -> Table | None:
    if not report.slices:
        return None
    main = overall(report)
    unit = main.unit if main else ""
    points = "pp" if unit == "%" else unit
    table = _table("Slice", "Rows", "Interval", "To the rest", "p (Holm)")
    for each in report.slices[:LISTED_SLICES]:
        style = "bold" if differs(each, 1 - report.confidence) else ""
        cells = (
            each.slice,
            count(each.rows),
            between(each.low, each.high, unit),
            shown(each.difference, points, width=width(each.low, each.high)),
            p_shown(each.p_value),
        )
        table.add_row(*(_text(cell, console, style) for cell in cells))
    return table


def _judged(report: Report) -> str:
    against = f" against {report.baseline.name}" if report.baseline else ""
    return (
        f"{report.model.name}{against}, {count(report.data.rows)} rows of {report.data.source}, "
        f"{report.confidence * 100:.4g} % confidence, {report.seconds:.3g} s"
    )


def _table(*names: str) -> Table:
    """Columns with room between them and no lines: it can be read, copied and searched."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _text(content: str, console: Console, style: str = "") -> Text:
    """Content as it is, with nothing in it taken for markup or for a terminal's commands."""
    lines = "\n".join(_printable(line) for line in content.split("\n"))
    if not _shows(console, lines):
        plain = lines.translate(PLAIN_SIGNS)
        lines = plain.encode(console.encoding, "backslashreplace").decode(console.encoding)
    return Text(lines, style=style)


def _printable(line: str) -> str:
    """`printable`, with the spaces between numbers and units made plain ones."""
    return printable(line.replace("\u202f", " ").replace("\u00a0", " "))


def _shows(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
