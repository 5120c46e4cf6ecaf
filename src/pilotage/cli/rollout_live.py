"""A rollout on a live screen, in as many rows as there are. Pure.

80 columns and 20 rows hold it whole; with fewer, the least important goes first.
"""

from datetime import UTC, tzinfo
from typing import Final

from pilotage.cli import rollout_words as words
from pilotage.cli.rollout_pictures import bar, interval
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
    fitted,
    left,
    line_of,
    right,
    width_of,
    wrapped,
)
from pilotage.control.rollouts.table import UNDER_WAY
from pilotage.control.rollouts.view import GuardView, RolloutView

HAPPENINGS: Final = 4
"""Things that happened, the newest, where there is room."""
SENTENCE_LINES: Final = 2
"""Rows that the sentence takes at most."""
BAR: Final = 8
"""Columns of the evidence for one answer."""
_WORST_FIRST: Final = ("failed", "undecided", "passed")
_TRACK_STYLES: Final[dict[str, Style]] = {"done": "good", "now": "bold"}


def live_lines(
    view: RolloutView, *, width: int, height: int, page: str = "", zone: tzinfo | None = None
) -> list[Line]:
    """The rollout in at most `height` rows, the least important left out first."""
    foot = _foot(view, page, width)
    room = height - len(foot)
    lines = [title(view, width, rule=True)]
    lines += wrapped(view.sentence, width, at_most=SENTENCE_LINES, style=style_of(view.phase))
    lines += [_track(view, width), *_exposure(view, width)]
    seen = traffic(view, width)
    if len(lines) + len(seen) + 1 + len(view.guards) <= room:
        lines += seen
    lines += _guards(view, room - len(lines), width)
    left_over = min(room - len(lines), HAPPENINGS)
    if left_over > 0:
        lines += [news(each, zone or UTC, width) for each in view.happened[-left_over:]]
    return [fitted(line, width) for line in [*lines[: max(room, 0)], *foot][:height]]


def _track(view: RolloutView, width: int) -> Line:
    """All stages in a row; where they do not fit, those about the present one."""
    now = next((at for at, each in enumerate(view.stages) if each.when == "now"), 0)
    line: Line = ()
    for first in range(now + 1):
        shown = view.stages[first:]
        parts: list[Span | str] = [Span("… ", "dim")] if first else []
        for each in shown:
            style = _TRACK_STYLES.get(each.when, "dim")
            joint = Span(" ── ", "dim") if each is not shown[0] else ""
            parts += [joint, Span(f"{STAGE_MARKS[each.when]} {each.name}", style)]
        line = line_of(*parts)
        if width_of(line) <= width:
            return line
    return fitted(line, width)


def _exposure(view: RolloutView, width: int) -> list[Line]:
    """How much of the present stage's exposure is met, by what lags behind."""
    now = next((stage for stage in view.stages if stage.when == "now"), None)
    if now is None or now.kind == "live":
        return []
    parts = [
        seen / wanted
        for seen, wanted in ((now.seen_s, now.lasts_s), (now.seen_units, now.units))
        if wanted > 0
    ]
    text = f"  {amounts(now)} {'pairs' if now.kind == 'shadow' else 'units'}"
    return [(*bar(min(parts, default=1.0), max(width - cells(text), 1), "bold"), Span(text))]


# --- guards ------------------------------------------------------------------------------------


def _guards(view: RolloutView, room: int, width: int) -> list[Line]:
    """The guards in as many rows each as there is room for; the worst where not all fit."""
    count, room = len(view.guards), room - 1
    if not count or room < min(count, 2):
        return []
    rows = next((rows for rows in (3, 2) if rows * count <= room), 1)
    shown = view.guards
    if count > room:
        shown = sorted(shown, key=lambda guard: _WORST_FIRST.index(guard.word))[: room - 1]
    lines = [_legend(view, width)]
    for guard in shown:
        lines += _guard(guard, rows, width, looks=view.phase in UNDER_WAY)
    if len(shown) < count:
        lines += [line_of(Span(f"and {count - len(shown)} more guards", "dim"))]
    return lines


def _legend(view: RolloutView, width: int) -> Line:
    text = f"━●━ worse by ({view.confidence * 100:g} %)  ┊ tolerated  ┃ margin"
    return between(head("Guards"), line_of(Span(text, "dim")), width)


def _guard(guard: GuardView, rows: int, width: int, *, looks: bool) -> list[Line]:
    """A guard in one, two or three rows."""
    name, go = guard.name, words.to_go(guard, looks=looks)
    inner = width - VERDICT
    if rows == 1:
        said = f" {right(words.harm(guard), 18)}"
        room = inner - cells(said)
        wide = min(room * 2 // 3, cells(name))
        return [
            line_of(verdict(guard), left(name, wide), " ", *_interval(guard, room - wide - 1), said)
        ]
    bars = _evidence(guard)
    picture = (*_interval(guard, inner - width_of(bars)), *bars)
    indent = " " * VERDICT
    if rows == 2:
        said = f"{words.harm(guard)}  {go}"
        first = between(line_of(verdict(guard), name), line_of(said), width)
        return [first, line_of(indent, *picture)]
    is_how = "worse by" if words.is_signed(guard) else "different on"
    told = f"{is_how} {words.harm(guard)}, margin {words.margin(guard)}"
    if guard.candidate is not None and guard.baseline is not None:
        both = f"{words.arm(guard, guard.candidate)} against {words.arm(guard, guard.baseline)}"
        told = f"{both}, {told}" if cells(both + told + go) + 4 <= inner else told
    return [
        between(line_of(verdict(guard), name), line_of(Span(words.counts(guard), "dim")), width),
        between(line_of(indent, told), line_of(go), width),
        line_of(indent, *picture),
    ]


def _interval(guard: GuardView, width: int) -> Line:
    ends = (guard.low, guard.estimate, guard.high)
    return interval(
        ends,
        tolerated=guard.tolerated,
        margin=guard.margin,
        width=max(width, 1),
        signed=words.is_signed(guard),
    )


def _evidence(guard: GuardView) -> Line:
    """How far the evidence for either answer has come; full decides."""
    return line_of(
        Span("  harm ", "dim"),
        *bar(guard.fail_evidence, BAR, "bad"),
        Span("  no harm ", "dim"),
        *bar(guard.pass_evidence, BAR, "good"),
    )


def _foot(view: RolloutView, page: str, width: int) -> list[Line]:
    verbs = {"running": "pause", "paused": "resume"}.get(view.phase, "status")
    told = Span(f"pilotage rollout {verbs} | promote | rollback", "dim")
    if view.phase not in ("running", "paused", "held"):
        told = Span("pilotage rollout status", "dim")
    if not page:
        return [fitted((told,), width)]
    return [between(line_of(Span(page, "bold")), (told,), width)]
