"""An interval for any statistic of rows by resampling, where nothing better is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.interval import Guarantee, Interval, Side

REPLICATES = 2000
"""Resamples, unless told otherwise."""
JACKKNIFE_GROUPS = 1000
"""The most deletions that the skewness is estimated from; more rows are deleted in groups."""
EFFECTIVE_FROM = 20
"""Rows that carry the statistic's spread, from which its interval is to be trusted."""
_BATCH_COUNTS = 1 << 22
"""Counts handed to the statistic at once (32 MB), whatever the number of rows."""

Vector = NDArray[np.float64]
Statistic = Callable[[Vector], ArrayLike]
"""How often each row counts, (batch, rows), to the statistic of each sample, (batch,)."""


def bca_interval(
    statistic: Statistic,
    rows: int,
    *,
    confidence: float,
    side: Side = "two",
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Interval:
    """Any smooth statistic of rows; right only as the sample grows, and marked so.

    Use it when nothing else fits: an unbounded mean, a ratio of sums, R squared. Never where a
    bounded mean, a proportion, a quantile or an AUC is meant: those have better intervals. The
    statistic is given as a function of how often each row counts, so that a mean is

    >>> values = np.array([2.1, 3.4, 1.9, 8.8, 4.0, 2.7, 3.1, 5.6, 2.2, 3.9])
    >>> found = bca_interval(lambda n: n @ values / n.sum(1), len(values), confidence=0.95)

    Assumptions: rows are independent; the statistic is smooth and its variance exists. Error
    measured for one-sided 95 % upper bounds of a lognormal's mean, nominal 5 %, with 50, 100 and
    500 rows: 11, 9 and 5 % (s = 1); 27, 24 and 14 % (s = 2): ask `resample(...).effective_rows`
    before it is trusted. Fewer than two rows: (-inf, inf).
    2,000 replicates of 10,000 rows take 0.2 s, of a million rows 16 s.

    Args:
        statistic: counts of shape (batch, rows), float64, to values of shape (batch,).
        seed: the same seed gives the same interval; it is named in `method`.

    Raises:
        ValueError: the statistic is not finite, or of another shape.

    Source: Efron (1987), JASA 82 (BCa).
    """
    found = resample(statistic, rows, replicates=replicates, seed=seed)
    return found.interval(confidence=confidence, side=side)


@dataclass(frozen=True, slots=True)
class Resampled:
    """A statistic of many resamples, from which any number of intervals is read.

    `replicates` is of resampled rows, `jackknife` of the rows without one each, or without a group
    each; both empty below two rows.
    """

    estimate: float
    replicates: Vector
    jackknife: Vector
    method: str

    @property
    def effective_rows(self) -> float:
        """How many rows carry the spread: `effective_rows` of the jackknife."""
        return effective_rows(self.jackknife)

    def interval(self, *, confidence: float, side: Side = "two") -> Interval:
        """The BCa interval; below two rows (-inf, inf)."""
        low, high = -math.inf, math.inf
        if len(self.replicates):
            low, high = bca_ends(
                self.estimate, self.replicates, self.jackknife, confidence=confidence, side=side
            )
        return Interval(low, high, confidence, self.method, Guarantee.ASYMPTOTIC, side)


def resample(
    statistic: Statistic, rows: int, *, replicates: int = REPLICATES, seed: int = 0
) -> Resampled:
    """The statistic of the rows, of `replicates` resamples, and without a row each.

    Raises:
        ValueError: the statistic is not finite, or of another shape.
    """
    method = f"BCa bootstrap, {replicates} replicates, seed {seed}"
    if rows < 2:
        return Resampled(math.nan, np.empty(0), np.empty(0), method)
    chance = np.random.default_rng(seed)
    estimate = float(_values(statistic, np.ones((1, rows)))[0])
    batch = max(1, _BATCH_COUNTS // rows)
    resampled = [
        _values(statistic, _resampled(chance, min(batch, replicates - done), rows))
        for done in range(0, replicates, batch)
    ]
    groups = _groups(chance, rows)
    batches = (
        np.split(groups, range(batch, len(groups), batch)) if batch < len(groups) else [groups]
    )
    deleted = [_values(statistic, _without(each, rows)) for each in batches]
    return Resampled(estimate, np.concatenate(resampled), np.concatenate(deleted), method)


def effective_rows(jackknife: ArrayLike) -> float:
    """How many rows carry the statistic's spread: as many equal ones would give its kurtosis.

    Of n normal values n / 3; of a share about the number of the rarer outcome; 0 where no row
    changes anything. From `EFFECTIVE_FROM` on one-sided 95 % bounds missed in 0 to 6.5 % of runs
    (lognormal means with s up to 2, F1 and balanced accuracy with rare classes, 30 to 600 rows);
    without the condition in up to 31 %, or in 77 % where no row in 20 was wrong.
    """
    values = np.asarray(jackknife, np.float64)
    if len(values) < 2:
        return 0.0
    squares = (values - values.mean()) ** 2
    # Rounding is no spread.
    if float(squares.max()) <= (1e-12 * max(1.0, float(np.abs(values).max()))) ** 2:
        return 0.0
    shares = squares / squares.max()
    return float(shares.sum() ** 2 / (shares**2).sum())


def bca_ends(
    estimate: float,
    replicates: ArrayLike,
    jackknife: ArrayLike,
    *,
    confidence: float,
    side: Side = "two",
) -> tuple[float, float]:
    """The ends of the BCa interval from resamples that were made elsewhere.

    Args:
        estimate: the statistic of the rows as they are.
        replicates: of resampled rows, shape (replicates,).
        jackknife: of the rows without one each (or without a group each), shape (deletions,).

    Source: Efron (1987), JASA 82, with the bias from ties counted half.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, expected between 0 and 1")
    values = np.asarray(replicates, np.float64)
    below = float((values < estimate).mean()) + float((values == estimate).mean()) / 2
    # Where every replicate lies on one side, half a replicate stands for the tail unseen.
    unseen = 0.5 / len(values)
    share_below = min(max(below, unseen), 1 - unseen)
    bias = float(ndtri(share_below))
    skew = acceleration(jackknife)
    error_rate = (1 - confidence) / 2 if side == "two" else 1 - confidence

    def end(share: float) -> float:
        shifted = bias + float(ndtri(share))
        # Beyond its pole the correction has no meaning; the outermost replicate is the end then.
        shrink = 1 - skew * shifted
        if shrink <= 0:
            return float(values.max() if shifted > 0 else values.min())
        level = float(ndtr(bias + shifted / shrink))
        return float(np.quantile(values, level))

    low = -math.inf if side == "upper" else end(error_rate)
    high = math.inf if side == "lower" else end(1 - error_rate)
    return low, high


def acceleration(jackknife: ArrayLike) -> float:
    """How fast the standard error changes with the estimate: a sixth of the rows' skewness."""
    values = np.asarray(jackknife, np.float64)
    away = values.mean() - values
    scale = float((away**2).sum()) ** 1.5
    return float((away**3).sum()) / (6 * scale) if scale > 0 else 0.0


def _values(statistic: Statistic, counts: Vector) -> Vector:
    """The statistic of each sample of a batch."""
    found = np.asarray(statistic(counts), np.float64)
    if found.shape != counts.shape[:1]:
        raise ValueError(f"the statistic gave shape {found.shape}, expected {counts.shape[:1]}")
    if not bool(np.isfinite(found).all()):
        raise ValueError("the statistic of a resample is not finite")
    return found


def _resampled(chance: np.random.Generator, samples: int, rows: int) -> Vector:
    """How often each row was drawn, with replacement, (samples, rows)."""
    counts = np.empty((samples, rows))
    for place in range(samples):
        counts[place] = np.bincount(chance.integers(0, rows, rows), minlength=rows)
    return counts


def _groups(chance: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """(groups, rows a group): rows to leave out together; one a group while they are few."""
    groups = min(rows, JACKKNIFE_GROUPS)
    order = np.arange(rows) if groups == rows else chance.permutation(rows)
    size = rows // groups
    return order[: groups * size].reshape(groups, size)


def _without(groups: NDArray[np.int64], rows: int) -> Vector:
    counts = np.ones((len(groups), rows))
    counts[np.arange(len(groups))[:, None], groups] = 0
    return counts
