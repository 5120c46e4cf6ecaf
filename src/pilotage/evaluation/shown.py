"""Answers -> the shapes of the report. Nothing is computed here, and nothing left out."""

from dataclasses import asdict
from math import isfinite
from typing import Any

from pilotage.checks.answers import Answer, GroupAnswer
from pilotage.checks.metrics import unit_of
from pilotage.evaluation.report import (
    GateShown,
    GroupShown,
    IntervalShown,
    MemberShown,
    VerdictShown,
)
from pilotage.spec.gate_words import METRICS, custom_word
from pilotage.spec.gates import Condition
from pilotage.statistics.interval import Interval
from pilotage.statistics.verdict import Undecided, Verdict, word_of

_KINDS = {
    "AtLeast": "at_least",
    "AtMost": "at_most",
    "Within": "within",
    "NotWorseThanBaseline": "not_worse_than_baseline",
    "BetterThanBaseline": "better_than_baseline",
    "DifferenceAcross": "difference_at_most",
    "RatioAcross": "ratio_at_least",
    "DropUnder": "drop_at_most",
    "Equals": "equals",
}


def gate_shown(answer: Answer) -> GateShown:
    gate = answer.gate
    return GateShown(
        title=answer.title,
        sentence=answer.sentence,
        metric=gate.metric,
        condition=_condition(gate.condition),
        claim=gate.claim,
        line=gate.line,
        unit=answer.unit,
        margin=answer.margin,
        verdict=verdict_shown(answer.verdict),
        groups=tuple(_group(group) for group in answer.groups),
        rows_needed=answer.rows_needed,
        notes=answer.notes,
        members=tuple(
            MemberShown(
                one.group, one.rows, finite(one.estimate), finite(one.low), finite(one.high)
            )
            for one in answer.members
        ),
        member_unit=unit_of(METRICS.get(gate.metric) or custom_word(gate.metric)),
    )


def verdict_shown(verdict: Verdict) -> VerdictShown:
    evidence = verdict.evidence
    return VerdictShown(
        word=word_of(verdict),
        because=_because(verdict),
        estimate=finite(evidence.estimate),
        interval=interval_shown(evidence.interval),
        observations=evidence.observations,
        unit=evidence.unit,
        rule=evidence.rule,
        method=evidence.method,
        error_rate=evidence.error_rate,
        assumptions=evidence.assumptions,
    )


def interval_shown(interval: Interval | None) -> IntervalShown | None:
    """An open end is null: JSON knows no infinity."""
    if interval is None:
        return None
    return IntervalShown(
        finite(interval.low),
        finite(interval.high),
        interval.confidence,
        interval.method,
        interval.guarantee.value,
        interval.side,
    )


def finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _group(group: GroupAnswer) -> GroupShown:
    return GroupShown(
        group.group,
        word_of(group.verdict),
        _because(group.verdict),
        group.rows,
        finite(group.estimate),
        finite(group.low),
        finite(group.high),
        group.culprit,
    )


def _because(verdict: Verdict) -> str | None:
    return verdict.because.value if isinstance(verdict, Undecided) else None


def _condition(condition: Condition) -> dict[str, Any]:
    return {"kind": _KINDS[type(condition).__name__], **asdict(condition)}
