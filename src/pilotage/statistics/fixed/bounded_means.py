"""The mean of a bounded quantity: a score, a loss, a share, a paired difference."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilotage.statistics.interval import Guarantee, Interval, Side

_TRUNCATION = 0.75
"""Of what a bet may lose at most in one row, the published choice for intervals."""
_RESOLUTION = 1e-6
"""An end is found to this part of the normal half-width, and reported outward."""
_CHUNK = 1 << 17
"""Rows a pass, so that an evaluation takes 2 MB of scratch memory however many rows there are."""

Vector = NDArray[np.float64]


def hedged_interval(
    values: ArrayLike,
    *,
    confidence: float,
    side: Side = "two",
    low: float = 0.0,
    high: float = 1.0,
    seed: int | None = 0,
) -> Interval:
    """The mean of values known to lie in [low, high], right at every sample size.

    A gambler bets against each candidate mean, row by row; the interval holds the means at which
    no gambler became rich. No variance, shape or sample size is assumed: use it for a Brier score,
    a clipped loss, `y - p` (calibration in the large, low=-1, high=1), or a paired difference of
    two losses (low=-1, high=1). For a share of ones prefer Clopper-Pearson. At 1,000 rows
    1.2 to 1.4 times as wide as the normal interval, at 10,000 1.2 to 1.3 times; twice as wide at
    1,000 rows of values that all lie near an edge (beta 30, 1). A million rows take 0.2 s.

    The bets depend on the order of rows, so that rows are permuted by `seed` first (the same seed
    gives the same interval; it is named in `method`). `seed=None` keeps the order, for rows that
    are in random order already: order chosen after looking at the interval would void it.

    Assumptions: rows are independent, all with the mean in question. Error: at most
    1 - confidence; with `side="two"` half of it at each end. No rows: [low, high].

    Args:
        values: one number a row, shape (rows,).

    Raises:
        ValueError: values that are not finite or outside [low, high], or of another shape.

    Source: Waudby-Smith & Ramdas (2024), "Estimating means of bounded random variables by
    betting", JRSS B 86(1), section 4.4 and remark 3 (bets for a fixed sample size).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, expected between 0 and 1")
    unit = _unit_values(values, low, high)
    if seed is not None:
        unit = np.random.default_rng(seed).permutation(unit)
    method = "hedged capital" + ("" if seed is None else f", rows permuted with seed {seed}")
    error_rate = (1 - confidence) / 2 if side == "two" else 1 - confidence
    lower, upper = 0.0, 1.0
    if len(unit):
        log_limit = -math.log(error_rate)
        bets = _bets(unit, log_limit)
        if side != "upper":
            lower = _lower_end(unit, bets, log_limit)
        if side != "lower":
            upper = 1 - _lower_end(1 - unit, bets, log_limit)
    # Both gamblers rich at every mean: that happens with the error rate; the hull stays valid.
    lower, upper = min(lower, upper), max(lower, upper)
    span = high - low
    return Interval(
        low + span * lower, low + span * upper, confidence, method, Guarantee.EXACT, side
    )


def _unit_values(values: ArrayLike, low: float, high: float) -> Vector:
    """The values on [0, 1]."""
    if not low < high:
        raise ValueError(f"low is {low} and high is {high}, expected low < high")
    given = np.asarray(values, np.float64)
    if given.ndim != 1:
        raise ValueError(f"values have shape {given.shape}, expected (rows,)")
    # A comparison with NaN is false, so that this refuses it too.
    if not bool(((given >= low) & (given <= high)).all()):
        raise ValueError(f"some values are not inside [{low}, {high}]")
    return (given - low) / (high - low)


def _bets(values: Vector, log_limit: float) -> Vector:
    """What to stake on each row, from the rows before it: smaller for a larger spread so far.

    Mirroring the values changes nothing here, so that both gamblers share the bets.
    """
    count = np.arange(1, len(values) + 1)
    means = (0.5 + np.cumsum(values)) / (count + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    return np.sqrt(2 * log_limit / (len(values) * before))


def _lower_end(values: Vector, bets: Vector, log_limit: float) -> float:
    """The largest mean at which the gambler on larger values got rich; 0 if there is none.

    The capital falls as the mean rises, for every row, so that one root separates the two.
    """
    target = math.sqrt(log_limit)
    centre = float(values.mean())
    deviation = max(float(values.std()), 1 / len(values))
    half_width = deviation * target * math.sqrt(2 / len(values))

    def excess(mean: float) -> float:
        # The log capital is near a parabola in the mean: its root is near a line.
        return math.sqrt(max(_log_peak(values, bets, mean), 0.0)) - target

    if excess(0.0) < 0:
        return 0.0
    reach = 4 * half_width
    rich, poor = centre - reach, centre
    while rich > 0 and excess(rich) < 0:
        reach *= 2
        rich, poor = rich - reach, rich
    while poor < 1 and excess(poor) >= 0:
        reach *= 2
        rich, poor = poor, poor + reach
    return falling_root(excess, max(rich, 0.0), min(poor, 1.0), half_width * _RESOLUTION)


def _log_peak(values: Vector, bets: Vector, mean: float) -> float:
    """The largest log capital over the rows, betting that the mean is more than `mean`."""
    most = _TRUNCATION / mean if mean > 0 else math.inf
    wealth, peak = 0.0, 0.0
    for start in range(0, len(values), _CHUNK):
        path = np.minimum(bets[start : start + _CHUNK], most)
        path *= values[start : start + _CHUNK] - mean
        np.log1p(path, out=path)
        np.cumsum(path, out=path)
        peak = max(peak, wealth + float(path.max()))
        wealth += float(path[-1])
    return peak


def falling_root(
    function: Callable[[float], float], low: float, high: float, resolution: float
) -> float:
    """A point at most `resolution` below the root of a falling function, never above it.

    `function(low) >= 0 > function(high)` is taken for granted. Secant steps, each pushed beyond
    the root by half a resolution so that both ends close in; bisection where they do not halve
    the bracket in two steps.
    """
    at_low, at_high = function(low), function(high)
    for step in range(200):
        width = high - low
        if width <= resolution:
            break
        slope = at_low - at_high
        guess = low + width * (at_low / slope if slope > 0 else 0.5)
        if step % 3 == 2:
            guess = low + width / 2
        push = 0.4 * resolution
        guess += push if guess - low < high - guess else -push
        guess = min(max(guess, low + push), high - push)
        at_guess = function(guess)
        if at_guess >= 0:
            low, at_low = guess, at_guess
        else:
            high, at_high = guess, at_guess
    return low
