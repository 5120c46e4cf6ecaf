"""A proportion: how many of so many, such as accuracy, recall or a share within tolerance."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import (  # pyright: ignore[reportMissingTypeStubs]
    betainc,
    betaincc,
    betainccinv,
    betaincinv,
    ndtri,
)

from pilotage.statistics.interval import Guarantee, Interval, Side

Vector = NDArray[np.float64]
Alternative = Literal["less", "greater"]
"""What a small p-value speaks for: the true number is less, or greater, than the one named."""


def clopper_pearson(
    successes: int, trials: int, *, confidence: float, side: Side = "two"
) -> Interval:
    """The true proportion, right at every sample size and every proportion.

    Use it for every gate on a proportion. Never narrower than it must be to hold, and a little
    wider than others: by 2 % at 1,000 rows and a proportion of 0.5.

    Assumptions: rows are independent, each a success with the proportion in question. Error: at
    most 1 - confidence, with `side="two"` half of it at each end. No trials: [0, 1].

    Raises:
        ValueError: successes outside [0, trials], or a confidence outside (0, 1).

    Source: Clopper & Pearson (1934), Biometrika 26; ends as quantiles of the beta distribution.
    """
    ends = clopper_pearson_ends(successes, trials, error_rate=one_end(confidence, side))
    low, high = float(ends[0]), float(ends[1])
    return Interval(
        0.0 if side == "upper" else low,
        1.0 if side == "lower" else high,
        confidence,
        "Clopper-Pearson",
        Guarantee.EXACT,
        side,
    )


def clopper_pearson_ends(
    successes: ArrayLike, trials: ArrayLike, *, error_rate: float
) -> tuple[Vector, Vector]:
    """Both ends for many proportions at once; each end misses with `error_rate` at most.

    Args:
        successes, trials: whole numbers, shapes that broadcast; the ends have that shape.

    Raises:
        ValueError: successes outside [0, trials].
    """
    k, n = counted(successes, trials)
    # Where nothing (or everything) was a success, that end is the edge, and the 1 keeps the
    # function inside its domain.
    low = np.where(k > 0, betaincinv(np.where(k > 0, k, 1), n - k + 1, error_rate), 0.0)
    high = np.where(k < n, betainccinv(k + 1, np.where(k < n, n - k, 1), error_rate), 1.0)
    return low, high


def p_value(successes: int, trials: int, *, proportion: float, alternative: Alternative) -> float:
    """The exact one-sided p-value of "the true proportion is `proportion`", by the binomial tail.

    At most alpha exactly when Clopper-Pearson's one-sided end at alpha reaches `proportion`. Use it
    where several are judged together (Holm). No trials: 1.

    Raises:
        ValueError: successes outside [0, trials], or a proportion outside [0, 1].
    """
    k, n = (float(value) for value in counted(successes, trials))
    if not 0 <= proportion <= 1:
        raise ValueError(f"proportion is {proportion}, expected between 0 and 1")
    if alternative == "greater":
        return float(betainc(k, n - k + 1, proportion)) if k > 0 else 1.0
    return float(betaincc(k + 1, n - k, proportion)) if k < n else 1.0


def wilson(successes: int, trials: int, *, confidence: float) -> Interval:
    """The true proportion, for pictures: narrower than Clopper-Pearson, and not for a verdict.

    Two-sided coverage at 95 % falls to 86 % at 100 rows and 91 % at 1,000, at proportions near 0
    and 1. No trials: [0, 1].

    Raises:
        ValueError: as for `clopper_pearson`.

    Source: Wilson (1927), Journal of the American Statistical Association 22.
    """
    counted(successes, trials)
    z = upper_quantile(one_end(confidence, "two"))
    if trials == 0:
        low, high = 0.0, 1.0
    else:
        estimate = successes / trials
        shrink = 1 + z * z / trials
        centre = (estimate + z * z / (2 * trials)) / shrink
        spread = estimate * (1 - estimate) / trials + (z / (2 * trials)) ** 2
        half = z * math.sqrt(spread) / shrink
        low = centre - half if successes > 0 else 0.0
        high = centre + half if successes < trials else 1.0
    return Interval(low, high, confidence, "Wilson", Guarantee.APPROXIMATE)


def one_end(confidence: float, side: Side) -> float:
    """How often one end may miss, so that the interval misses 1 - confidence at most.

    Raises:
        ValueError: a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, expected between 0 and 1")
    return (1 - confidence) / 2 if side == "two" else 1 - confidence


def upper_quantile(error_rate: float) -> float:
    """The normal quantile that is exceeded with probability `error_rate`: 1.645 for 5 %."""
    return -float(ndtri(error_rate))


def counted(successes: ArrayLike, trials: ArrayLike) -> tuple[Vector, Vector]:
    """Counts as float64 arrays of one shape.

    Raises:
        ValueError: successes outside [0, trials].
    """
    arrays: Any = np.broadcast_arrays(
        np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    )
    k, n = arrays
    if not bool(((k >= 0) & (k <= n)).all()):
        raise ValueError("successes lie outside [0, trials]")
    return k, n
