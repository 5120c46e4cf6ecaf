"""Two models on the same rows, right or wrong on each: only rows on which they differ tell.

The difference is the candidate's proportion minus the baseline's. Error rates by exact enumeration
at 5 % one-sided, 20 to 300 rows of which 0 to 50 % are ones on which an equal pair differs, margins
of 1 to 10 points: passed against the margin at most 5.8 %; failed against 0 at most 5.4 %; failed
against the margin itself (a claimed drop) at most 7.3 %, where nearly all that differ are losses.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.fixed.ends import Ends, Mask, chosen
from pilotage.statistics.fixed.proportions import (
    Alternative,
    clopper_pearson_ends,
    one_end,
    p_value,
    upper_quantile,
)
from pilotage.statistics.fixed.roots import falling_roots
from pilotage.statistics.fixed.scores import sine, sine_of
from pilotage.statistics.interval import Guarantee, Interval, Side

Vector = NDArray[np.float64]

DISCORDANT_EXPECTED = 8
"""Rows on which the models differ, expected at an end, from which Tango's end is trusted."""

_RESOLUTION = 1e-12
_EXACT = "Clopper-Pearson bounds of gains and losses"


def tango_interval(
    better_only: int, worse_only: int, trials: int, *, confidence: float, side: Side = "two"
) -> Interval:
    """The difference on the same rows by Tango's score test; near the stated confidence.

    Assumptions: rows are independent. Error: see the module, and up to 8.9 % at an end where few
    rows differ, which `paired_interval` watches over. No rows: [-1, 1].

    Args:
        better_only: rows on which only the candidate was right.
        worse_only: rows on which only the baseline was right.
        trials: all rows, also those on which both or neither was right.

    Raises:
        ValueError: counts below 0 or above the rows, or a confidence outside (0, 1).

    Source: Tango (1998), Statistics in Medicine 17.
    """
    error_rate = one_end(confidence, side)
    low, high = -1.0, 1.0
    if trials:
        ends = tango_ends(better_only, worse_only, trials, error_rate=error_rate)
        low, high = float(ends[0]), float(ends[1])
    return Interval(
        -1.0 if side == "upper" else low,
        1.0 if side == "lower" else high,
        confidence,
        "Tango score interval",
        Guarantee.APPROXIMATE,
        side,
    )


def paired_interval(
    better_only: int, worse_only: int, trials: int, *, confidence: float, side: Side = "two"
) -> Interval:
    """The same difference for a gate: Tango's ends where enough rows differ, exact ones elsewhere.

    Enough are 8 as expected by the most likely rates with a difference at that end. Elsewhere the
    shares of gains and of losses are bounded by Clopper-Pearson, each at half the error rate.

    Assumptions, arguments and errors as for `tango_interval`; error: see the module.
    """
    error_rate = one_end(confidence, side)
    if not trials:
        return Interval(-1.0, 1.0, confidence, _EXACT, Guarantee.EXACT, side)
    ends = paired_ends(better_only, worse_only, trials, error_rate=error_rate)
    return ends.interval(
        confidence=confidence,
        side=side,
        edges=(-1.0, 1.0),
        score="Tango score interval",
        exact=_EXACT,
    )


def tango_statistic(better_only: int, worse_only: int, trials: int, *, difference: float) -> float:
    """Tango's z-statistic of "the difference is `difference`": large where more is seen."""
    counts = _tables(better_only, worse_only, trials)
    found = float(_sine(counts, np.asarray(difference, np.float64)))
    cosine = math.sqrt(max(1 - found**2, 0.0))
    return found / cosine if cosine > 0 else math.copysign(math.inf, found)


def tango_p_value(
    better_only: int,
    worse_only: int,
    trials: int,
    *,
    difference: float,
    alternative: Alternative,
) -> float:
    """The one-sided score p-value of "the difference is `difference`", the interval's dual.

    Non-inferiority by less than a margin: `difference=-margin, alternative="greater"`.
    """
    z = tango_statistic(better_only, worse_only, trials, difference=difference)
    return float(ndtr(z if alternative == "less" else -z))


def mcnemar_exact(better_only: int, worse_only: int) -> float:
    """The two-sided exact p-value of "the two models are right equally often".

    Given how many rows differ, gains are binomial with one half. Exact at every size; it knows no
    margin, so that it can show a difference and never that there is none. No rows differ: 1.

    Source: McNemar (1947), Psychometrika 12; exact form: Cochran (1950), Biometrika 37.
    """
    fewer = min(better_only, worse_only)
    return min(
        1.0, 2 * p_value(fewer, better_only + worse_only, proportion=0.5, alternative="less")
    )


def tango_ends(
    better_only: ArrayLike, worse_only: ArrayLike, trials: ArrayLike, *, error_rate: float
) -> tuple[Vector, Vector]:
    """Both ends of many intervals at once, each at `error_rate`, rounded outward by 1e-12."""
    counts = _tables(better_only, worse_only, trials)
    gains, losses, rows = counts
    estimate = (gains - losses) / rows
    level = sine_of(upper_quantile(error_rate))
    low, _ = falling_roots(
        lambda d: _sine(counts, d) - level, np.full_like(estimate, -1.0), estimate, _RESOLUTION
    )
    _, high = falling_roots(
        lambda d: _sine(counts, d) + level, estimate, np.full_like(estimate, 1.0), _RESOLUTION
    )
    return low, high


def paired_ends(
    better_only: ArrayLike, worse_only: ArrayLike, trials: ArrayLike, *, error_rate: float
) -> Ends:
    """Both ends of many intervals at once, by `paired_interval`'s choice; at least one row."""
    counts = _tables(better_only, worse_only, trials)
    gains, losses, rows = counts
    low, high = tango_ends(gains, losses, rows, error_rate=error_rate)
    least_gains, most_gains = clopper_pearson_ends(gains, rows, error_rate=error_rate / 2)
    least_losses, most_losses = clopper_pearson_ends(losses, rows, error_rate=error_rate / 2)
    return chosen(
        (low, high),
        (least_gains - most_losses, most_gains - least_losses),
        (_enough(counts, low), _enough(counts, high)),
    )


Tables = tuple[Vector, Vector, Vector]


def _tables(better_only: ArrayLike, worse_only: ArrayLike, trials: ArrayLike) -> Tables:
    gains, losses, rows = np.broadcast_arrays(
        np.asarray(better_only, np.float64),
        np.asarray(worse_only, np.float64),
        np.asarray(trials, np.float64),
    )
    if not bool(((gains >= 0) & (losses >= 0) & (gains + losses <= rows) & (rows > 0)).all()):
        raise ValueError("rows that differ are below 0 or more than all rows, or there are none")
    return gains, losses, rows


def likely_variance(counts: Tables, d: Vector) -> Vector:
    """The variance, a row, of the difference of both answers, at the most likely shares with d.

    `counts` are gains, losses and rows, or their shares and 1.
    """
    return 2 * _loss_rate(counts, d) + d * (1 - d)


def _enough(counts: Tables, d: Vector) -> Mask:
    """Whether enough rows are expected to differ, if the difference is d."""
    expected = counts[2] * (2 * _loss_rate(counts, d) + d)
    # Rounding must not tell a table from its mirror image.
    return expected >= DISCORDANT_EXPECTED - 1e-9


def _loss_rate(counts: Tables, d: Vector) -> Vector:
    """The most likely share of rows on which only the baseline is right, if the difference is d."""
    gains, losses, rows = counts
    half = -(gains + losses) + (2 * rows - gains + losses) * d
    product = losses * d * (1 - d)
    root = np.sqrt(np.maximum(half**2 + 8 * rows * product, 0.0))
    # The other form of the same root where this one subtracts two near numbers.
    other = np.divide(2 * product, half + root, out=np.zeros_like(root), where=half + root > 0)
    return np.where(half > 0, other, (root - half) / (4 * rows))


def _sine(counts: Tables, d: Vector) -> Vector:
    gains, losses, rows = counts
    return sine((gains - losses) / rows - d, likely_variance(counts, d) / rows)
