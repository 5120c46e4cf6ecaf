"""A quantile of any distribution: a median error, a p99."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.interval import Guarantee, Interval, Side


def quantile_interval(
    values: ArrayLike, quantile: float, *, confidence: float, side: Side = "two"
) -> Interval:
    """A quantile, between two of the values themselves: right for every distribution and size.

    Use it where a mean has no honest bound (regression errors, times): "half of the errors are at
    most 3.1 (95 %)". Where the sample is too small for an end, that end is infinite; values that
    are infinite themselves are welcome (a request that never came back).

    Assumptions: rows are independent, of one distribution. Error: at most 1 - confidence; with
    `side="two"` half of it at each end. A million values take 0.02 s.

    Args:
        values: shape (rows,).
        quantile: inside (0, 1), such as 0.99.

    Raises:
        ValueError: NaN, another shape, or a quantile or confidence outside (0, 1).

    Source: Thompson (1936), Annals of Mathematical Statistics 7 (order statistics).
    """
    given = np.asarray(values, np.float64)
    if given.ndim != 1:
        raise ValueError(f"values have shape {given.shape}, expected (rows,)")
    if bool(np.isnan(given).any()):
        raise ValueError("some values are NaN")
    first, last = quantile_ranks(len(given), quantile, confidence=confidence, side=side)
    places = [rank - 1 for rank in (first, last) if rank is not None]
    ordered = np.partition(given, places) if places else given
    low = -math.inf if first is None else float(ordered[first - 1])
    high = math.inf if last is None else float(ordered[last - 1])
    return Interval(low, high, confidence, "order statistics", Guarantee.EXACT, side)


def quantile_ranks(
    rows: int, quantile: float, *, confidence: float, side: Side = "two"
) -> tuple[int | None, int | None]:
    """Which values, counted from 1 in rising order, bound the quantile; None where none does.

    The number of values up to the quantile is binomial (at least, where values are tied), so that
    the bounds are known before any value is.

    >>> quantile_ranks(1000, 0.99, confidence=0.95)
    (983, 997)
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile is {quantile}, expected between 0 and 1")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, expected between 0 and 1")
    error_rate = (1 - confidence) / 2 if side == "two" else 1 - confidence
    first = _first_rank(rows, quantile, error_rate) if side != "upper" else 0
    # The largest value seen from above is the smallest: the same question, mirrored.
    last = _first_rank(rows, 1 - quantile, error_rate) if side != "lower" else 0
    return first or None, rows + 1 - last if last else None


def _first_rank(rows: int, quantile: float, error_rate: float) -> int:
    """The largest rank whose value lies above the quantile with at most the error rate; or 0.

    It does where fewer than `rank` values lie at or below the quantile.
    """
    low, high = 0, rows + 1
    while high - low > 1:
        middle = (low + high) // 2
        if float(bdtr(middle - 1, rows, quantile)) <= error_rate:
            low = middle
        else:
            high = middle
    return low
