"""Histograms of durations in log-spaced bins: quantiles of any number of requests, in fixed size.

A bin's upper end is the same multiple of its lower end everywhere, so a quantile is known to that
precision, at 10 microseconds as at 100 seconds.
"""

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class LogBins:
    """Bins from `lowest_s` to `highest_s` seconds, one below and one above; each `ratio` wide.

    Bin k holds durations above edges[k - 1] and up to edges[k].
    """

    def __init__(self, lowest_s: float, highest_s: float, ratio: float) -> None:
        steps = math.ceil(math.log(highest_s / lowest_s) / math.log(ratio))
        self.ratio = ratio
        self.edges: Array = lowest_s * ratio ** np.arange(steps + 1)
        self.size = steps + 2

    def places(self, durations_s: Array) -> Array:
        """int64: the bin of each duration."""
        return np.searchsorted(self.edges, durations_s, side="left")

    def histograms(self, durations_s: Array) -> Array:
        """int64 (..., bins): durations (..., n) counted along the last axis."""
        leading = durations_s.shape[:-1]
        runs = math.prod(leading)
        places = self.places(durations_s).reshape(runs, -1)
        # One count for all runs: each has a stretch of bins of its own.
        places = places + np.arange(runs)[:, None] * self.size
        found = np.bincount(places.ravel(), minlength=runs * self.size)
        return found.reshape(*leading, self.size)

    def upper_quantile(self, histograms: Array, share: float) -> Array:
        """float64 (...): the upper edge of the bin of the quantile; NaN of an empty histogram.

        What lies in the last bin is reported as the highest edge, which is below it.
        """
        cumulated = np.cumsum(histograms, axis=-1)
        total = cumulated[..., -1]
        place = np.argmax(cumulated >= share * total[..., None], axis=-1)
        edge = self.edges[np.minimum(place, self.edges.size - 1)]
        return np.where(total > 0, edge, np.nan)
