"""Pictures of intervals under each other: gates, groups, slices, quantiles of the answer time.

Each takes what the report holds and the width in pixels, and is pure. What does not fit is left to
the JSON: the caption says how many more there are.
"""

from statistics import median_low
from typing import Final

from pilotage.evaluation.page.drawing import Spec
from pilotage.evaluation.page.forest import Row, Scale, Tone, forest
from pilotage.evaluation.page.numbers import between, count, exact, known, scaled, shown
from pilotage.evaluation.page.numbers import width as width_of
from pilotage.evaluation.page.standing import standing, target
from pilotage.evaluation.report import (
    GateShown,
    GroupShown,
    LatencyShown,
    MemberShown,
    SliceShown,
)
from pilotage.evaluation.verdict_words import COMPARED, word_shown

FAR_REACH: Final = 5.0
"""Times the middle interval's reach from the rule, up to which an interval is drawn in full."""
MARGIN_AROUND: Final = 0.08
"""Room left and right of the farthest interval, as a share of the scale."""


def gates(shown_gates: list[GateShown], width: int, *, outcome: str) -> Spec:
    """Every gate's interval towards its margin, each on its own scale; right is good."""
    rows = [_gate_row(gate, outcome) for gate in shown_gates]
    compared = outcome == COMPARED
    left, right = ("worse", "better") if compared else ("misses", "meets its margin")
    scale = Scale(-1.12, 1.12, (0.0,), left=left, right=right, labels=False)
    return forest(rows, scale, width, two_lines=True)


def slices(
    shown_slices: list[SliceShown], overall: float | None, unit: str, level: float, width: int
) -> Spec:
    """The main metric in each slice; the rule is that of all rows. A diamond differs at `level`."""
    rows = [
        Row(
            name=each.slice,
            numbers=between(each.low, each.high, unit),
            low=scaled(each.low, unit),
            estimate=scaled(each.estimate, unit),
            high=scaled(each.high, unit),
            tone="notable" if differs(each, level) else "plain",
        )
        for each in shown_slices
    ]
    rule = scaled(overall, unit)
    return forest(rows, _scale(rows, () if rule is None else (rule,), unit, "all rows"), width)


def members(gate: GateShown, drawn: list[MemberShown], width: int) -> Spec:
    """The metric in each group by itself, to look at; nothing is asked of it."""
    unit = gate.member_unit
    rows = [
        Row(
            name=each.group,
            numbers=between(each.low, each.high, unit),
            low=scaled(each.low, unit),
            estimate=scaled(each.estimate, unit),
            high=scaled(each.high, unit),
            under_name=rows_counted(each.rows),
            verdict=estimated(each, unit),
        )
        for each in drawn
    ]
    return forest(rows, _scale(rows, (), unit, ""), width, two_lines=True)


def groups(gate: GateShown, drawn: list[GroupShown], width: int, *, outcome: str) -> Spec:
    """Groups, or pairs of groups, with their intervals; the rules are what the gate wants."""
    unit = gate.unit
    rows = [
        Row(
            name=each.group,
            numbers=between(each.low, each.high, unit),
            low=scaled(each.low, unit),
            estimate=scaled(each.estimate, unit),
            high=scaled(each.high, unit),
            under_name=rows_counted(each.rows),
            verdict=group_word(each, outcome),
            tone=tone(each.word),
        )
        for each in drawn
    ]
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    rules = _wanted(gate, min(ends, default=0.0))
    words = f"margin {exact(gate.margin, unit)}" if len(rules) == 1 else "margins"
    words = "no difference" if outcome == COMPARED else words
    return forest(rows, _scale(rows, rules, unit, words), width, two_lines=True)


def latency(measured: LatencyShown, width: int) -> Spec:
    """Quantiles of the answer time with their intervals, from 0."""
    rows = [
        Row(quantile_name(quantile), f"{between(low, high)} ms", low, estimate, high)
        for quantile, estimate, low, high in zip(
            measured.quantiles, measured.estimates_ms, measured.lows_ms, measured.highs_ms,
            strict=True,
        )
    ]  # fmt: skip
    top = max((row.high for row in rows if row.high is not None and known(row.high)), default=1.0)
    return forest(rows, Scale(0.0, (top or 1.0) * (1 + MARGIN_AROUND), unit=" ms"), width)


def estimated(member: MemberShown, unit: str) -> str:
    """A group's own estimate, to as many digits as its interval allows."""
    return shown(member.estimate, unit, width=width_of(member.low, member.high))


def rows_counted(rows: int) -> str:
    """`1 row`, `20,000 rows`."""
    return f"{count(rows)} row{'' if rows == 1 else 's'}"


def quantile_name(quantile: float) -> str:
    """`p99` for 0.99, `p99.9` for 0.999."""
    return f"p{quantile * 100:.4g}"


def differs(shown_slice: SliceShown, level: float) -> bool:
    """Whether a slice is shown to differ from the rest, at this level over all slices."""
    return shown_slice.p_value is not None and shown_slice.p_value <= level


def _gate_row(gate: GateShown, outcome: str) -> Row:
    stands = standing(gate)
    verdict = gate.verdict
    interval = verdict.interval
    numbers = "no interval"
    if interval is not None:
        numbers = between(interval.low, interval.high, gate.unit, side=interval.side)
    elif known(verdict.estimate):
        numbers = shown(verdict.estimate, gate.unit)
    name, asked = in_two(gate.title)
    if outcome == COMPARED and (wanted := target(gate)):
        asked = f"{'lower' if wanted.side == 'below' else 'higher'} is better"
    return Row(
        name=name,
        numbers=numbers,
        low=stands.low if stands else None,
        estimate=stands.estimate if stands else None,
        high=stands.high if stands else None,
        under_name=asked,
        verdict=word_shown(verdict.word, outcome),
        tone=tone(verdict.word),
        open_low=bool(stands and stands.open_low),
        open_high=bool(stands and stands.open_high),
    )


def group_word(group: GroupShown, outcome: str) -> str:
    """A group's verdict, and whether it holds however many groups were looked at."""
    word = word_shown(group.word, outcome)
    if group.word != "failed":
        return word
    if not group.culprit:
        return f"{word} alone"
    return word if outcome == COMPARED else f"{word} (cause)"


def in_two(title: str) -> tuple[str, str]:
    """What is judged and what is asked of it, which a gate's title joins with a colon."""
    name, colon, asked = title.rpartition(": ")
    return (name, asked) if colon else (title, "")


def tone(word: str) -> Tone:
    """The look of a verdict."""
    match word:
        case "passed" | "failed" | "undecided":
            return word
        case _:
            return "plain"


def _wanted(gate: GateShown, lowest: float) -> tuple[float, ...]:
    """The margins in the unit that is shown; that below 0 only where an interval comes near it."""
    wanted = target(gate)
    if wanted is None:
        return ()
    ends = [wanted.value]
    if wanted.side == "near":
        ends = [wanted.value + wanted.room, wanted.value - wanted.room]
    found = [end for end in (scaled(end, gate.unit) for end in ends) if end is not None]
    return tuple(found[:1] if len(found) == 2 and found[1] < min(lowest, 0.0) else found)


def _scale(rows: list[Row], rules: tuple[float, ...], unit: str, words: str) -> Scale:
    """Ends around everything that is drawn, but for a few intervals that reach much farther than
    the others: they would squeeze these to points, and go on beyond the picture instead."""
    ends = [
        [end for end in (row.low, row.estimate, row.high) if end is not None and known(end)]
        for row in rows
    ]
    every = [*(end for row in ends for end in row), *rules]
    low, high = min(every, default=0.0), max(every, default=1.0)
    if rules:
        left, right = min(rules), max(rules)
        reaches = [max(left - min(row), max(row) - right, 0.0) for row in ends if row]
        far = FAR_REACH * median_low(reaches) if reaches else 0.0
        if far > 0:
            low, high = max(low, left - far), min(high, right + far)
    room = (high - low) * MARGIN_AROUND or abs(high) * MARGIN_AROUND or 1.0
    after = f" {unit}" if unit in ("%", "pp", "ms", "MB") else ""
    return Scale(low - room, high + room, rules, right=words, unit=after)
