"""A rollout as a report: how it stands, and what to type next. Pure.

It fits 80 columns, and what it says never depends on its colour.
"""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Final

from pilotage.cli import rollout_words as words
from pilotage.cli.rollout_rows import (
    STAGE_MARKS,
    VERDICT,
    amounts,
    head,
    news,
    style_of,
    title,
    traffic,
    verdict,
)
from pilotage.cli.spans import (
    Line,
    Span,
    Style,
    between,
    cells,
    cut,
    fitted,
    left,
    line_of,
    right,
    wrapped,
)
from pilotage.control.rollouts.table import UNDER_WAY
from pilotage.control.rollouts.view import GuardView, Happened, RolloutView, StageView
from pilotage.control.rollouts.viewing import duration

HAPPENINGS: Final = 8
"""Things that happened, the newest."""
NAME: Final = 24
"""Columns of a version's name in a sentence."""
VERDICT_DIGITS: Final = 12
"""Of a verdict's id, as many as tell it apart."""
_NEXT: Final = {
    "running": ("pause", "promote", "rollback"),
    "paused": ("resume", "promote", "rollback"),
    "held": ("promote", "abort", "rollback"),
    "live": ("rollback",),
}
_WIDTHS: Final = (10, 10, 21, 9)
"""Columns of the numbers of a guard: candidate, baseline, worse by, margin."""


def status_lines(view: RolloutView, *, width: int, zone: tzinfo | None = None) -> list[Line]:
    """The whole rollout as a report; `zone` is that of the moments shown, UTC unless given."""
    lines = [title(view, width), *wrapped(view.sentence, width, style=style_of(view.phase)), ()]
    lines += [head("Stages"), *map(_stage_row, view.stages), ()]
    if view.traffic:
        until = "" if view.phase in UNDER_WAY else " until then"
        lines += [head(f"Traffic{until}"), *traffic(view, width), ()]
    if view.guards:
        lines += [_columns("Guards", "candidate", "baseline", _worse_by(view), "margin", "decides")]
        for guard in view.guards:
            lines += [*_question(guard, width), _numbers(guard, view)]
        lines += [()]
    if view.happened:
        lines += [head("What happened")]
        lines += [news(each, zone or UTC, width) for each in view.happened[-HAPPENINGS:]] + [()]
    if counted := ", ".join(f"{name} {count:,}" for name, count in view.counts.items() if count):
        lines += [*wrapped(f"Also counted: {counted}", width, style="dim"), ()]
    return [fitted(line, width) for line in lines]


def next_lines(view: RolloutView, *, endpoint: str = "", options: str = "") -> list[Line]:
    """What to type next, by the phase, a line each; `endpoint` where it must be named."""
    steps = {
        "pause": "Let it wait as it is",
        "resume": "Let it go on",
        "promote": f"All traffic to {cut(view.candidate_name, NAME)}, now",
        "abort": "End it without a judgement",
        "rollback": f"Back to {cut(view.baseline_name, NAME)}, now",
    }
    verbs = _NEXT.get(view.phase, ())
    rows = [
        (steps[verb], " ".join(filter(None, ("pilotage rollout", verb, endpoint, options))))
        for verb in verbs
    ]
    if view.verdict:
        short = view.verdict[:VERDICT_DIGITS] if view.verdict.isalnum() else view.verdict
        again = f"pilotage verdict recompute {short} {options}".rstrip()
        rows += [("The verdict again, from the records", again)]
    if not verbs:
        rows += [("Start again", "pilotage serve … --candidate … --anew")]
    wide = max(cells(why) for why, _ in rows) + 1
    return [line_of(Span(left(f"{why}:", wide), "dim"), "  ", typed) for why, typed in rows]


def _stage_row(stage: StageView) -> Line:
    mark, when = STAGE_MARKS[stage.when], stage.when
    stopped = when == "never" and (stage.seen_s > 0 or stage.seen_units > 0)
    if stopped:
        mark, word = STAGE_MARKS["stopped"], "stopped"
    else:
        word = str(when)
    seen = ""
    if stage.kind != "live":
        units = "pairs" if stage.kind == "shadow" else "units of the candidate"
        if when == "now" or stopped:
            seen = f"{amounts(stage)} {units}"
        elif when != "never":
            seen = f"{duration(stage.lasts_s)} and {stage.units:,} {units}"
    style: Style = "bold" if when == "now" else "" if when == "done" or stopped else "dim"
    return line_of(Span(f"  {mark} {left(stage.name, 15)} {left(word, 8)} {seen}".rstrip(), style))


def _worse_by(view: RolloutView) -> str:
    return f"worse by ({view.confidence * 100:g} %)"


def _columns(*texts: str) -> Line:
    first, *middle, last = texts
    row = [Span(left(first, VERDICT), "bold")]
    row += [
        Span(right(text, wide), "dim") for text, wide in zip(middle, (10, 10, 21, 9), strict=True)
    ]
    return line_of(*row, Span(f"  {last}", "dim"))


def _question(guard: GuardView, width: int) -> list[Line]:
    """The guard as it was asked and what it saw, on one line where they fit."""
    name, seen = Span(guard.name), Span(words.counts(guard), "dim")
    if cells(guard.name) + cells(seen.text) + 2 <= width:
        return [between(line_of(name), line_of(seen), width)]
    return [fitted(line_of(name), width), between((), line_of(seen), width)]


def _numbers(guard: GuardView, view: RolloutView) -> Line:
    texts = (
        words.arm(guard, guard.candidate),
        words.arm(guard, guard.baseline),
        words.harm(guard),
        words.margin(guard),
    )
    row = [right(text, wide) for text, wide in zip(texts, _WIDTHS, strict=True)]
    return line_of(verdict(guard), *row, f"  {words.to_go(guard, looks=view.phase in UNDER_WAY)}")


def news_of(before: RolloutView | None, after: RolloutView) -> Iterator[Happened]:
    """What happened since the view before; for the first view, its sentence."""
    if before is None or before.rollout != after.rollout:
        yield Happened(after.updated_at, after.sentence)
        return
    told = {(each.at, each.text) for each in before.happened}
    for each in after.happened:
        if (each.at, each.text) not in told:
            yield each
