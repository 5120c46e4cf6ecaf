"""What a metric sees in the rows: one of six shapes, each with its own procedures.

The shape decides which interval is honest: a share of rows has an exact one, the mean of bounded
losses too, the area under a curve a good approximate one, anything else only an asymptotic one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the eligible rows. `events` and `eligible`: bool (rows,).

    `by_answer` is True when the model's own answer chooses which rows are eligible (precision), so
    that two models have no rows in common to be paired on.
    """

    events: Array
    eligible: Array
    by_answer: bool = False

    @property
    def trials(self) -> int:
        return int(np.count_nonzero(self.eligible))

    @property
    def successes(self) -> int:
        return int(np.count_nonzero(self.events & self.eligible))


@dataclass(frozen=True, slots=True)
class Losses:
    """A mean over all rows of values that lie in [low, high]. `values`: float (rows,)."""

    values: Array
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """The area under the ROC curve. `labels`: bool (rows,); `scores`: float (rows,)."""

    labels: Array
    scores: Array


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are off, in bins. `outcomes`: bool (rows,); `probabilities`: float.

    `edges`: the bins' inner edges, fixed without looking at these rows.
    """

    outcomes: Array
    probabilities: Array
    edges: Array


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of values without a bound. `values`: float (rows,)."""

    values: Array
    probability: float


@dataclass(frozen=True, slots=True)
class Statistic:
    """Any function of the rows. `compute(weights)` gives it where row i counts `weights[i]` times.

    Its interval is by bootstrap, and asymptotic. `low` and `high` are the edges of what is
    possible. Where rows belong together (lists that are ranked), `rows` and weights are of what is
    drawn as a whole, and `unit` names it.
    """

    compute: Callable[[Array], float]
    rows: int
    low: float
    high: float
    unit: str = "row"


Observed = Share | Losses | Ranks | Calibration | Quantile | Statistic


def estimate_of(observed: Observed) -> float | None:
    """The metric's value on these rows; None where it is not defined on them."""
    match observed:
        case Share():
            return observed.successes / observed.trials if observed.trials else None
        case Losses(values):
            return float(np.mean(values)) if len(values) else None
        case Ranks(labels, scores):
            return _area(labels, scores)
        case Calibration(outcomes, probabilities, edges):
            return _off(outcomes, probabilities, edges) if len(outcomes) else None
        case Quantile(values, probability):
            return float(np.quantile(values, probability)) if len(values) else None
        case Statistic(compute, rows):
            value = compute(np.ones(rows)) if rows else float("nan")
            return value if np.isfinite(value) else None


def _area(labels: Array, scores: Array) -> float | None:
    """P(score of a positive > score of a negative), ties counting one half."""
    positives, negatives = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(positives) or not len(negatives):
        return None
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    return float((below + up_to).sum() / 2 / len(positives) / len(negatives))


def _off(outcomes: Array, probabilities: Array, edges: Array) -> float:
    """The mean over rows of how far their bin's share is from its mean probability."""
    bins = np.searchsorted(edges, probabilities, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    gaps = np.bincount(bins, weights=outcomes - probabilities, minlength=len(counts))
    return float(np.abs(gaps).sum() / counts.sum())
