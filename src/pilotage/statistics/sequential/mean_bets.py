"""Bets against "the mean is at most m" for every m, and the largest m that they refute.

The wealth at m follows from how many values lie on each point of a fixed grid (`split_values`). It
falls as m rises, whatever the values are, so what is refuted ends at one root. For "at least m"
mirror the points.
"""

from typing import Any

import numpy as np

from pilotage.statistics.sequential.split_values import ROUNDING
from pilotage.statistics.sequential.wealth import log_mixture

Array = np.ndarray[Any, np.dtype[Any]]
STAKES = 2.0 * 0.5 ** np.arange(14)
"""Over sqrt(m (1 - m)): right for about 3 to 100 million values of a 0/1 variable."""
WEIGHTS = STAKES**0.25 / (STAKES**0.25).sum()
LARGEST_LOSS = 0.95
"""Of a stake's wealth, in one value."""
HALVINGS = 32


def log_bets(mean: Array, points: Array) -> Array:
    """float64 (..., 14, points): log of each stake's factor, against "the mean is at most `mean`".

    For every point each factor falls as the mean rises: 1/sqrt(m (1 - m)) and 1/m do not rise
    faster than by 1/(1 - m) of themselves, nor fall faster than by 1/m.
    """
    against = mean[..., None]
    stakes = np.minimum(STAKES / np.sqrt(against * (1.0 - against)), LARGEST_LOSS / against)
    return np.log1p(stakes[..., None] * (points - against[..., None]))


def lower_end(on_points: Array, points: Array, threshold: float) -> Array:
    """float64 (...): the largest mean that the wealth refutes, less the rounding; 0 if none.

    Bisection, to 2^-32, and from below.
    """
    # Most streams occupy few points; 0/1 values two.
    used = on_points.reshape(-1, points.size).any(axis=0)
    on_points, points = on_points[..., used], points[used]
    low = np.zeros(on_points.shape[:-1])
    high = np.ones_like(low)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        logs = (log_bets(middle, points) @ on_points[..., None])[..., 0]
        rich = log_mixture(logs, WEIGHTS) >= threshold
        low, high = np.where(rich, middle, low), np.where(rich, high, middle)
    return np.maximum(low - ROUNDING, 0.0)
