"""Two groups' proportions for a gate: score ends where they hold, exact ones elsewhere.

A score end is trusted where, at that end, each group expects at least 5 events and 5 non-events;
`scores` has the rates. Elsewhere both groups' Clopper-Pearson bounds at half the error rate are put
together, which always holds and is up to 1.7 times as wide.

Error rate, by exact enumeration at 5 % one-sided (20 to 500 rows a group, all rates): at most 6.3 %
at either end of a difference (true differences of 0 to 20 points), 6.0 % of a ratio (true ratios of
0.5 to 1.25); without the condition up to 12 %.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilotage.statistics.fixed.ends import Ends, Mask, chosen
from pilotage.statistics.fixed.proportions import clopper_pearson_ends, one_end
from pilotage.statistics.fixed.scores import (
    difference_ends,
    rates_with_difference,
    rates_with_ratio,
    ratio_ends,
)
from pilotage.statistics.interval import Guarantee, Interval, Side

Vector = NDArray[np.float64]

EVENTS_EXPECTED = 5
"""Of events, and of non-events, in each group, from which a score end is trusted."""

_EXACT = "Clopper-Pearson bounds of both groups"


def group_difference_interval(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    confidence: float,
    side: Side = "two",
) -> Interval:
    """The difference p_a - p_b between two groups of different rows; `method` says by what.

    Assumptions: rows are independent, within groups and between them. Error: see the module. No
    rows in a group: [-1, 1].

    Raises:
        ValueError: successes outside [0, trials], or a confidence outside (0, 1).
    """
    error_rate = one_end(confidence, side)
    if not (trials_a and trials_b):
        return Interval(-1.0, 1.0, confidence, _EXACT, Guarantee.EXACT, side)
    ends = group_difference_ends(
        successes_a, trials_a, successes_b, trials_b, error_rate=error_rate
    )
    return ends.interval(
        confidence=confidence,
        side=side,
        edges=(-1.0, 1.0),
        score="score interval of a difference (Mee)",
        exact=_EXACT,
    )


def group_ratio_interval(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    confidence: float,
    side: Side = "two",
) -> Interval:
    """The ratio p_a / p_b between two groups of different rows; `method` says by what.

    Assumptions and error as for the difference. No rows in a group: [0, inf].

    Raises:
        ValueError: successes outside [0, trials], or a confidence outside (0, 1).
    """
    error_rate = one_end(confidence, side)
    if not (trials_a and trials_b):
        return Interval(0.0, math.inf, confidence, _EXACT, Guarantee.EXACT, side)
    ends = group_ratio_ends(successes_a, trials_a, successes_b, trials_b, error_rate=error_rate)
    return ends.interval(
        confidence=confidence,
        side=side,
        edges=(0.0, math.inf),
        score="score interval of a ratio (Koopman)",
        exact=_EXACT,
    )


def group_difference_ends(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    error_rate: float,
) -> Ends:
    """Both ends of many differences at once, each at `error_rate`; at least one row a group."""
    counts = (successes_a, trials_a, successes_b, trials_b)
    low, high = difference_ends(*counts, error_rate=error_rate)
    low_a, high_a = clopper_pearson_ends(successes_a, trials_a, error_rate=error_rate / 2)
    low_b, high_b = clopper_pearson_ends(successes_b, trials_b, error_rate=error_rate / 2)
    trusted = [
        _enough(trials_a, trials_b, *rates_with_difference(*counts, end)) for end in (low, high)
    ]
    return chosen((low, high), (low_a - high_b, high_a - low_b), (trusted[0], trusted[1]))


def group_ratio_ends(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    error_rate: float,
) -> Ends:
    """Both ends of many ratios at once, each at `error_rate`; at least one row a group."""
    counts = (successes_a, trials_a, successes_b, trials_b)
    low, high = ratio_ends(*counts, error_rate=error_rate)
    low_a, high_a = clopper_pearson_ends(successes_a, trials_a, error_rate=error_rate / 2)
    low_b, high_b = clopper_pearson_ends(successes_b, trials_b, error_rate=error_rate / 2)
    most = np.divide(high_a, low_b, out=np.full_like(low_b + high_a, np.inf), where=low_b > 0)
    trusted = [_enough(trials_a, trials_b, *rates_with_ratio(*counts, end)) for end in (low, high)]
    return chosen((low, high), (low_a / high_b, most), (trusted[0], trusted[1]))


def _enough(trials_a: ArrayLike, trials_b: ArrayLike, p_a: Vector, p_b: Vector) -> Mask:
    """Whether each group expects enough of either outcome."""
    rarer_a = np.asarray(trials_a) * np.minimum(p_a, 1 - p_a)
    rarer_b = np.asarray(trials_b) * np.minimum(p_b, 1 - p_b)
    # Rounding must not tell a table from its mirror image.
    return np.minimum(rarer_a, rarer_b) >= EVENTS_EXPECTED - 1e-9
