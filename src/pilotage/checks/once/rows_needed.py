"""With how many rows a gate that is open would be decided, if the model is as good as it seems.

An interval shrinks with the root of the rows, whatever it is of; so its width now tells how many
are needed. A rough number, for planning: the estimate itself is uncertain, the more the nearer it
is to the limit.
"""

import math
from typing import Final

from pilotage.spec.gate_words import MetricWord
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    Condition,
    DifferenceAcross,
    DropUnder,
    Equals,
    NotWorseThanBaseline,
    RatioAcross,
    Within,
)
from pilotage.statistics.fixed.proportions import upper_quantile
from pilotage.statistics.verdict import Because, Undecided, Verdict

POWER: Final = 0.8
MOST: Final = 10**9
"""Rows above which a number says no more than that nobody will have them."""


def rows_needed(condition: Condition, word: MetricWord, verdict: Verdict) -> int | None:
    """Rows with which it would be decided with `POWER`; None where decided or nothing can be said.

    Counted as the verdict counts its observations.
    """
    if not isinstance(verdict, Undecided) or verdict.because is not Because.STRADDLES:
        return None
    evidence = verdict.evidence
    interval, estimate = evidence.interval, evidence.estimate
    if interval is None or estimate is None or not math.isfinite(interval.width):
        return None
    distance = _distance(condition, estimate, lower=word.better == "lower")
    if not distance or not interval.width:
        return None
    deviation = interval.width / 2 / upper_quantile((1 - interval.confidence) / 2)
    reach = upper_quantile(evidence.error_rate) + upper_quantile(1 - POWER)
    rows = evidence.observations * (reach * deviation / distance) ** 2
    return math.ceil(rows) if evidence.observations < rows < MOST else None


def _distance(condition: Condition, estimate: float, *, lower: bool) -> float:
    """How far the estimate is from the number that decides; 0 for groups, of which many decide."""
    harm = estimate if lower else -estimate
    match condition:
        case AtLeast(value) | AtMost(value):
            return abs(estimate - value)
        case Within(within):
            return abs(abs(estimate) - within)
        case Equals(value, within):
            return abs(abs(estimate - value) - within)
        case NotWorseThanBaseline(margin):
            # It passes below the margin and fails above 0: between them the nearer way counts.
            return max(margin - harm, harm)
        case DropUnder(_, margin):
            return abs(harm - margin)
        case BetterThanBaseline(by):
            return abs(harm + by)
        case DifferenceAcross() | RatioAcross():
            return 0.0
