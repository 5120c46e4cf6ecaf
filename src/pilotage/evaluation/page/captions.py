"""What a picture shows, in a sentence or two: the finding first, then how to read it."""

from typing import Final

from pilotage.evaluation.page import intervals
from pilotage.evaluation.page.confusing import Confused
from pilotage.evaluation.page.drawing import Spec
from pilotage.evaluation.page.forest import goes_on
from pilotage.evaluation.page.numbers import between, count, exact, known, shown
from pilotage.evaluation.page.standing import target
from pilotage.evaluation.report import (
    Confusion,
    Curve,
    GateShown,
    GroupShown,
    LatencyShown,
    MemberShown,
    SliceShown,
)
from pilotage.evaluation.verdict_words import COMPARED

NAMED_SLICES: Final = 3
"""Slices that a caption names."""


def gates_seen(outcome: str) -> str:
    """How the picture of all gates is read."""
    if outcome == COMPARED:
        return (
            "Each line is on its own scale: on the dotted line both models are alike, and right of "
            "it is better, whichever way the metric runs."
        )
    return (
        "Each line is on its own scale: the dotted line is what the gate asks for, and right of it "
        "is good, whichever way the metric runs."
    )


def answer_head(outcome: str) -> str:
    """What the column is called in which the words stand."""
    return "Answer" if outcome == COMPARED else "Verdict"


def members_seen(members: list[MemberShown], unit: str) -> str:
    """In which group the metric is highest and lowest; the highest comes first in `members`."""
    found = [each for each in members if each.estimate is not None and known(each.estimate)]
    if not found:
        return "In no group is there enough to say what it is."
    named = [f"{each.group}, {between(each.low, each.high, unit)}" for each in found]
    if len(found) == 1:
        seen = f"Known in one group only: {named[0]}."
    elif found[0].estimate == found[-1].estimate:
        seen = f"The same in all of them: {intervals.estimated(found[0], unit)}."
    else:
        seen = f"Highest in {named[0]}; lowest in {named[-1]}."
    return f"{seen} What the gate asks is how far they are apart: see below."


def groups_seen(groups: list[GroupShown], gate: GateShown, outcome: str) -> str:
    """What the picture of a gate's groups shows; the worst group comes first in `groups`."""
    if outcome == COMPARED:
        return _groups_compared(groups, gate)
    total, first = len(groups), groups[0]
    failed = sum(group.word == "failed" for group in groups)
    undecided = sum(group.word == "undecided" for group in groups)
    asked = f"asked: {intervals.in_two(gate.title)[1] or exact(gate.margin, gate.unit)}"
    worst = f"{first.group}, {between(first.low, first.high, gate.unit)} ({asked})"
    if failed and gate.verdict.word == "failed":
        seen = (
            f"{failed} of {total} fail, the worst: {worst}." if total > 1 else f"Failed: {worst}."
        )
        if any(group.culprit for group in groups):
            seen += " A cause fails by itself however many were looked at (Holm's procedure)."
        return seen
    if failed:
        return (
            f"{failed} of {total} would fail alone, which may be chance among so many; the worst: "
            f"{worst}."
        )
    if undecided:
        many = f"{undecided} of {total} are undecided{_small(groups)}; the first: "
        return f"{many if total > 1 else 'Undecided: '}{worst}."
    return f"All {total} passed, the least well: {worst}." if total > 1 else f"Passed: {worst}."


def _groups_compared(groups: list[GroupShown], gate: GateShown) -> str:
    """In how many groups the new model is better or worse than the other."""
    total, first = len(groups), groups[0]
    worse = sum(group.word == "failed" for group in groups)
    open_ = sum(group.word == "undecided" for group in groups)
    where = f"{first.group}, {between(first.low, first.high, gate.unit)}"
    of = f"of {total} group{'' if total == 1 else 's'}"
    if worse and gate.verdict.word == "failed":
        seen = f"Worse in {worse} {of}, first of all in {where}."
    elif worse:
        seen = f"Worse in {worse} {of}, which may be chance among so many: {where}."
    elif open_:
        seen = f"Not shown to differ in {open_} {of}{_small(groups)}; the first: {where}."
    else:
        seen = f"Better in {total} {of}, the least in {where}."
    wanted = target(gate)
    side = "Left" if wanted is not None and wanted.side == "below" else "Right"
    return f"{seen} {side} of the dotted line is better."


def _small(groups: list[GroupShown]) -> str:
    few = sum(group.because in ("too_few", "no_data") for group in groups)
    return f", {few} of them with too few rows to say anything" if few else ""


def arrows(picture: Spec) -> str:
    """What an arrow means, with a space before it, where the picture has one."""
    return " At an arrow the interval goes on beyond the picture." if goes_on(picture) else ""


def roc_seen(curves: list[Curve]) -> str:
    found = [_at(curve, 0.1) for curve in curves]
    versus = f" ({shown(found[1], '%')} by the baseline)" if len(found) > 1 else ""
    return (
        f"With false alarms on 10 % of the negatives it finds {shown(found[0], '%')} of the "
        f"positives{versus}. The dotted diagonal is chance; the band holds at each point by itself."
    )


def calibration_seen(curves: list[Curve]) -> str:
    curve = curves[0]
    off = sum(
        not low <= x <= high for x, low, high in zip(curve.x, curve.low, curve.high, strict=False)
    )
    bins = len(curve.x)
    if off:
        seen = f"In {off} of {bins} bins the prediction lies outside the interval of what came true"
    else:
        seen = f"In all {bins} bins the prediction lies within the interval of what came true"
    return f"{seen}. On the dotted diagonal, what is predicted is what happens."


def confusion_seen(table: Confusion, worst: tuple[Confused, ...], *, merged: int) -> str:
    """The pair that is confused the most, and how the table is read."""
    seen = "No row was answered wrong."
    if worst:
        first = worst[0]
        seen = (
            f"Most often {first.truth} was answered as {first.answer}: {count(first.count)} rows, "
            f"{shown(first.share, '%')} of all {first.truth}."
        )
    seen += " Rows are the truth, columns the answers; shades and percentages are of the row."
    if merged:
        seen += (
            f" Of {len(table.classes)} classes those with the most errors are drawn, the others "
            "are added up."
        )
    return seen


def slices_seen(slices: tuple[SliceShown, ...], level: float) -> str:
    found = [each.slice for each in slices if intervals.differs(each, level)]
    test = f"corrected for {count(len(slices))} slices, at {level * 100:.3g} %"
    if not found:
        return f"No slice is shown to differ from the rest ({test})."
    named = ", ".join(found[:NAMED_SLICES]) + (
        f" and {len(found) - NAMED_SLICES} more" if len(found) > NAMED_SLICES else ""
    )
    verb = "differs" if len(found) == 1 else "differ"
    return f"{named} {verb} from the rest ({test}). The strongest evidence is on top."


def latency_seen(measured: LatencyShown) -> str:
    """The slowest quantile, at which load, on what."""
    memory = f", {shown(measured.memory_bytes, 'MB')} of memory" if measured.memory_bytes else ""
    return (
        f"{measured.quantiles[-1] * 100:.4g} % of the answers came within "
        f"{between(measured.lows_ms[-1], measured.highs_ms[-1])} ms, at {measured.rate_per_s:g} "
        f"requests a second for {measured.seconds:g} s ({count(measured.requests)} requests"
        f"{memory}; {measured.machine})."
    )


def _at(curve: Curve, x: float) -> float:
    """The height of the curve at `x`, on the line between its points."""
    before = max((at for at, value in enumerate(curve.x) if value <= x), default=0)
    after = min(before + 1, len(curve.x) - 1)
    run = curve.x[after] - curve.x[before]
    part = (x - curve.x[before]) / run if run > 0 else 0.0
    return curve.y[before] + part * (curve.y[after] - curve.y[before])
