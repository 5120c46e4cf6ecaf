"""What a metric sees, with each row counting by its weight.

Weighted rows have no exact interval here: a weighted share or mean is a ratio of sums, so that all
become statistics, which are resampled. A row of weight 0 counts nowhere; a few rows that outweigh
all others leave a gate undecided, since a handful of rows then carries the spread.
"""

import numpy as np

from pilotage.checks.composites import Compute
from pilotage.checks.observed import (
    Array,
    Calibration,
    Losses,
    Observed,
    Quantile,
    Ranks,
    Share,
    Statistic,
)
from pilotage.errors import PilotageError

NAN = float("nan")


def weighted(observed: Observed, weight: Array) -> Statistic:
    """The metric with row i counting `weight[i]` times. `weight`: float (rows,), none below 0.

    Raises:
        PilotageError: a calibration error, or a metric of lists, which have no weighted form here.
    """
    rows = len(weight)
    match observed:
        case Share(events, eligible):
            return _resampled(_share(events & eligible, eligible), weight, 0.0, 1.0)
        case Losses(values, low, high):
            return _resampled(_mean(values), weight, low, high)
        case Ranks(labels, scores):
            return _resampled(_area(labels, scores), weight, 0.0, 1.0)
        case Quantile(values, probability):
            return _resampled(_quantile(values, probability), weight, 0.0, float("inf"))
        case Statistic() if observed.unit == "row" and observed.rows == rows:
            return _resampled(observed.compute, weight, observed.low, observed.high)
        case Statistic() | Calibration():
            raise PilotageError(
                "this metric cannot be weighted by rows",
                fix="Leave the weight out, or ask for another metric.",
            )


def _resampled(compute: Compute, weight: Array, low: float, high: float) -> Statistic:
    return Statistic(lambda counts: compute(counts * weight), len(weight), low, high)


def _share(events: Array, eligible: Array) -> Compute:
    def compute(weights: Array) -> float:
        whole = float(weights @ eligible)
        return float(weights @ events) / whole if whole > 0 else NAN

    return compute


def _mean(values: Array) -> Compute:
    def compute(weights: Array) -> float:
        whole = float(weights.sum())
        return float(weights @ values) / whole if whole > 0 else NAN

    return compute


def _area(labels: Array, scores: Array) -> Compute:
    """P(score of a positive > score of a negative), each by its weight, ties counting one half."""
    thresholds = np.unique(scores)
    places, distinct = np.searchsorted(thresholds, scores), len(thresholds)

    def compute(weights: Array) -> float:
        ups = np.bincount(places, weights * labels, minlength=distinct)
        downs = np.bincount(places, weights * np.logical_not(labels), minlength=distinct)
        pairs = float(ups.sum() * downs.sum())
        return float(ups @ (np.cumsum(downs) - downs / 2)) / pairs if pairs > 0 else NAN

    return compute


def _quantile(values: Array, probability: float) -> Compute:
    """The smallest value that at least this share of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]

    def compute(weights: Array) -> float:
        up_to: Array = np.cumsum(weights[order])
        if not len(up_to) or up_to[-1] <= 0:
            return NAN
        place = int(np.searchsorted(up_to, probability * float(up_to[-1]) * (1 - 1e-12)))
        return float(ordered[min(place, len(ordered) - 1)])

    return compute
