"""Two independent proportions: the score test and interval of their difference and their ratio.

Group a against group b, with rates p_a and p_b: the difference is p_a - p_b, the ratio p_a / p_b.
A score test takes the variance at the hypothesis: at the most likely pair of rates that have the
difference (or ratio) in question. So it works where nothing or everything was a success, where
Wald's intervals have no width.

Error rate, by exact enumeration at 5 % one-sided (20 to 500 rows a group, differences of 0 to 20
points, ratios of 0.5 to 1.25): 6.3 % at most while each group expects 5 events and 5 non-events at
the end in question, up to 12 % without that. `groups` watches over that condition; gates use it.
Everything here takes arrays of counts, so that all pairs of groups are one call.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.fixed.proportions import Alternative, counted, one_end, upper_quantile
from pilotage.statistics.fixed.roots import falling_roots
from pilotage.statistics.interval import Guarantee, Interval, Side

Vector = NDArray[np.float64]
Variance = Literal["mee", "miettinen_nurminen"]
"""Mee's, or Miettinen & Nurminen's, which is larger by N / (N - 1), N the rows of both groups."""

_RESOLUTION = 1e-12


def difference_interval(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    confidence: float,
    side: Side = "two",
    variance: Variance = "mee",
) -> Interval:
    """The difference p_a - p_b by the score test's inversion; near the stated confidence.

    Assumptions: rows are independent, within groups and between them. Error: see the module. No
    rows in a group: [-1, 1].

    Raises:
        ValueError: successes outside [0, trials], or a confidence outside (0, 1).

    Source: Mee (1984), Biometrics 40; Miettinen & Nurminen (1985), Statistics in Medicine 4.
    """
    error_rate = one_end(confidence, side)
    low, high = -1.0, 1.0
    if trials_a and trials_b:
        ends = difference_ends(
            successes_a, trials_a, successes_b, trials_b, error_rate=error_rate, variance=variance
        )
        low, high = float(ends[0]), float(ends[1])
    return Interval(
        -1.0 if side == "upper" else low,
        1.0 if side == "lower" else high,
        confidence,
        f"score interval of a difference ({_NAMES[variance]})",
        Guarantee.APPROXIMATE,
        side,
    )


def ratio_interval(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    confidence: float,
    side: Side = "two",
    variance: Variance = "mee",
) -> Interval:
    """The ratio p_a / p_b by the score test's inversion; near the stated confidence.

    Assumptions: rows are independent, within groups and between them. Error: see the module. The
    upper end is infinite where b has no success. No rows in a group: [0, inf].

    Raises:
        ValueError: successes outside [0, trials], or a confidence outside (0, 1).

    Source: Koopman (1984), Biometrics 40; Miettinen & Nurminen (1985), Statistics in Medicine 4.
    """
    error_rate = one_end(confidence, side)
    low, high = 0.0, math.inf
    if trials_a and trials_b:
        ends = ratio_ends(
            successes_a, trials_a, successes_b, trials_b, error_rate=error_rate, variance=variance
        )
        low, high = float(ends[0]), float(ends[1])
    return Interval(
        0.0 if side == "upper" else low,
        math.inf if side == "lower" else high,
        confidence,
        f"score interval of a ratio ({_NAMES[variance].replace('Mee', 'Koopman')})",
        Guarantee.APPROXIMATE,
        side,
    )


def difference_p_value(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    difference: float,
    alternative: Alternative,
    variance: Variance = "mee",
) -> Vector:
    """The one-sided score p-value of "p_a - p_b is `difference`"; the margin goes in there.

    With `alternative="less"` a small one speaks for a difference below it. The dual of
    `difference_interval` at one side. At least one row in each group.
    """
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    return _tail(_difference_sine(counts, np.asarray(difference), variance), alternative)


def ratio_p_value(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    ratio: float,
    alternative: Alternative,
    variance: Variance = "mee",
) -> Vector:
    """The one-sided score p-value of "p_a / p_b is `ratio`", the dual of `ratio_interval`."""
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    return _tail(_ratio_sine(counts, np.asarray(ratio / (1 + ratio)), variance), alternative)


def difference_ends(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    error_rate: float,
    variance: Variance = "mee",
) -> tuple[Vector, Vector]:
    """Both ends of many differences at once, each at `error_rate`, rounded outward by 1e-12."""
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    k_a, n_a, k_b, n_b = counts
    estimate = k_a / n_a - k_b / n_b
    level = sine_of(upper_quantile(error_rate))
    low, _ = falling_roots(
        lambda d: _difference_sine(counts, d, variance) - level,
        np.full_like(estimate, -1.0),
        estimate,
        _RESOLUTION,
    )
    _, high = falling_roots(
        lambda d: _difference_sine(counts, d, variance) + level,
        estimate,
        np.full_like(estimate, 1.0),
        _RESOLUTION,
    )
    return low, high


def ratio_ends(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    *,
    error_rate: float,
    variance: Variance = "mee",
) -> tuple[Vector, Vector]:
    """Both ends of many ratios at once, each at `error_rate`; 0 and inf where there is no end."""
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    k_a, n_a, k_b, n_b = counts
    rate_a, rate_b = k_a / n_a, k_b / n_b
    # R / (1 + R) instead of R: between 0 and 1, and infinity is no special case.
    both = rate_a + rate_b
    estimate = np.where(both > 0, rate_a / np.where(both > 0, both, 1.0), 0.5)
    level = sine_of(upper_quantile(error_rate))
    low, _ = falling_roots(
        lambda u: _ratio_sine(counts, u, variance) - level,
        np.zeros_like(estimate),
        estimate,
        _RESOLUTION,
    )
    _, high = falling_roots(
        lambda u: _ratio_sine(counts, u, variance) + level,
        estimate,
        np.ones_like(estimate),
        _RESOLUTION,
    )
    low = np.where(k_a > 0, low / (1 - np.minimum(low, 1 - _RESOLUTION)), 0.0)
    high = np.where(k_b > 0, high / (1 - np.where(k_b > 0, np.minimum(high, 1 - 1e-15), 0)), np.inf)
    return low, high


def rates_with_difference(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    difference: ArrayLike,
) -> tuple[Vector, Vector]:
    """The most likely p_a and p_b among those with p_a - p_b = `difference`.

    Source: Miettinen & Nurminen (1985), appendix 1: the root of a cubic, by cosines.
    """
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    return _rates_apart(counts, np.asarray(difference, np.float64))


def rates_with_ratio(
    successes_a: ArrayLike,
    trials_a: ArrayLike,
    successes_b: ArrayLike,
    trials_b: ArrayLike,
    ratio: ArrayLike,
) -> tuple[Vector, Vector]:
    """The most likely p_a and p_b among those with p_a / p_b = `ratio`; a quadratic.

    Source: Koopman (1984), equation 2.4; Miettinen & Nurminen (1985), appendix 2.
    """
    counts = _tables(successes_a, trials_a, successes_b, trials_b)
    r = np.asarray(ratio, np.float64)
    return _rates_at(counts, np.where(np.isinf(r), 1.0, r / (1 + np.where(np.isinf(r), 1.0, r))))


def sine_of(statistic: float) -> float:
    """A z-statistic on [-1, 1], z / sqrt(1 + z^2): finite where the variance is 0."""
    return statistic / math.sqrt(1 + statistic**2)


def sine(numerator: Vector, variance: Vector) -> Vector:
    """The z-statistic numerator / sqrt(variance) on that scale; 0 where both are 0."""
    length = np.sqrt(np.maximum(variance, 0.0) + numerator**2)
    return np.divide(numerator, length, out=np.zeros_like(length), where=length > 0)


Tables = tuple[Vector, Vector, Vector, Vector]

_NAMES: dict[Variance, str] = {"mee": "Mee", "miettinen_nurminen": "Miettinen-Nurminen"}


def _tables(
    successes_a: ArrayLike, trials_a: ArrayLike, successes_b: ArrayLike, trials_b: ArrayLike
) -> Tables:
    k_a, n_a = counted(successes_a, trials_a)
    k_b, n_b = counted(successes_b, trials_b)
    if not bool((n_a > 0).all() and (n_b > 0).all()):
        raise ValueError("a group has no rows, expected at least one in each")
    k_a, n_a, k_b, n_b = np.broadcast_arrays(k_a, n_a, k_b, n_b)
    return k_a, n_a, k_b, n_b


def _difference_sine(counts: Tables, d: Vector, variance: Variance) -> Vector:
    # Nearer to 0 than any end is told, where squares would underflow: equal rates.
    d = np.where(np.abs(d) < _RESOLUTION, 0.0, d)
    k_a, n_a, k_b, n_b = counts
    p_a, p_b = _rates_apart(counts, d)
    spread = p_a * (1 - p_a) / n_a + p_b * (1 - p_b) / n_b
    return sine(k_a / n_a - k_b / n_b - d, spread * _factor(counts, variance))


def _ratio_sine(counts: Tables, u: Vector, variance: Variance) -> Vector:
    """The statistic of p_a - R p_b, both sides times 1 - u, so that R = inf is no special case."""
    k_a, n_a, k_b, n_b = counts
    p_a, p_b = _rates_at(counts, u)
    spread = (1 - u) ** 2 * p_a * (1 - p_a) / n_a + u**2 * p_b * (1 - p_b) / n_b
    return sine((1 - u) * k_a / n_a - u * k_b / n_b, spread * _factor(counts, variance))


def _rates_apart(counts: Tables, d: Vector) -> tuple[Vector, Vector]:
    """The most likely rates with p_a - p_b = d."""
    k_a, n_a, k_b, n_b = counts
    total, events = n_a + n_b, k_a + k_b
    l2 = ((n_a + 2 * n_b) * d - total - events) / total
    l1 = ((n_b * d - total - 2 * k_b) * d + events) / total
    l0 = k_b * d * (1 - d) / total
    q = (l2 / 3) ** 3 - l1 * l2 / 6 + l0 / 2
    s = np.where(q >= 0, 1.0, -1.0) * np.sqrt(np.maximum((l2 / 3) ** 2 - l1 / 3, 0.0))
    cube = s**3
    cosine = np.clip(np.divide(q, cube, out=np.zeros_like(q * cube), where=cube != 0), -1.0, 1.0)
    p_b = 2 * s * np.cos((np.pi + np.arccos(cosine)) / 3) - l2 / 3
    least, most = np.maximum(0.0, -d), np.minimum(1.0, 1.0 - d)
    # Equal rates are the pooled one; the cosines lose half the digits where two roots meet.
    p_b = np.where(d == 0, events / total, np.clip(p_b, least, most))
    return np.clip(p_b + d, 0.0, 1.0), p_b


def _rates_at(counts: Tables, u: Vector) -> tuple[Vector, Vector]:
    """The most likely rates with p_a : p_b = u : 1 - u."""
    k_a, n_a, k_b, n_b = counts
    events = k_a + k_b
    half = (k_a + n_b) * (1 - u) + (k_b + n_a) * u
    root = half + np.sqrt(np.maximum(half**2 - 4 * (n_a + n_b) * events * u * (1 - u), 0.0))
    scale = np.divide(2 * events, root, out=np.zeros_like(root), where=root > 0)
    return np.minimum(u * scale, 1.0), np.minimum((1 - u) * scale, 1.0)


def _factor(counts: Tables, variance: Variance) -> Vector | float:
    total = counts[1] + counts[3]
    return 1.0 if variance == "mee" else total / (total - 1)


def _tail(found: Vector, alternative: Alternative) -> Vector:
    cosine = np.sqrt(np.maximum(1 - found**2, 0.0))
    with np.errstate(divide="ignore"):
        z = np.where(found == 0, 0.0, found / cosine)
    return ndtr(z if alternative == "less" else -z)
