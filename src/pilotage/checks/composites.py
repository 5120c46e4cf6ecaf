"""Metrics that are no mean over rows, as functions of how often each row counts.

A bootstrap asks the same rows again under many weights. So each metric here prepares its rows once
(sorts, counts) and gives a function of the weights: float (rows,), how often each row counts.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from pilotage.checks.observed import Array
from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError

Compute = Callable[[Array], float]

RELEVANCE_MOST: Final = 60
"""A gain is 2 to this power at most, which a float still tells from its neighbours."""


def mean_of(values: Array) -> Compute:
    return lambda weights: float(np.average(values, weights=weights))


def root_mean_of(squares: Array) -> Compute:
    return lambda weights: float(np.sqrt(np.average(squares, weights=weights)))


def f1(scored: Scored) -> Compute:
    """Two classes: F1 of the positive one. More: the mean over the classes that occur."""
    confusion = _confusion(scored)

    def compute(weights: Array) -> float:
        counts = confusion(weights)
        hits = np.diag(counts)
        both = counts.sum(axis=0) + counts.sum(axis=1)
        there = both > 0
        each = np.divide(2 * hits, both, out=np.zeros_like(both), where=there)
        if len(each) == 2:
            return float(each[1]) if there[1] else float("nan")
        return float(each[there].mean()) if there.any() else float("nan")

    return compute


def balanced_accuracy(scored: Scored) -> Compute:
    """The mean over the classes that occur of each one's recall."""
    confusion = _confusion(scored)

    def compute(weights: Array) -> float:
        counts = confusion(weights)
        rows = counts.sum(axis=1)
        there = rows > 0
        recalls: Array = np.diag(counts)[there] / rows[there]
        return float(recalls.mean()) if there.any() else float("nan")

    return compute


def _confusion(scored: Scored) -> Callable[[Array], Array]:
    """Weighted counts (classes, classes): truth by answer."""
    classes = len(scored.classes)
    cells = scored.truth.astype(np.int64) * classes + scored.answer

    def compute(weights: Array) -> Array:
        flat: np.ndarray[Any, np.dtype[Any]] = np.bincount(
            cells, weights=weights, minlength=classes * classes
        )
        return flat.reshape(classes, classes)

    return compute


def average_precision(scored: Scored) -> Compute:
    """The sum over thresholds of precision times the step in recall; ties count as one step."""
    assert scored.score is not None
    order = np.argsort(-scored.score, kind="stable")
    ends = np.append(np.nonzero(np.diff(scored.score[order]))[0], len(order) - 1)
    positive = scored.truth[order] == 1

    def compute(weights: Array) -> float:
        counted = weights[order].astype(np.float64)
        hits, selected = np.cumsum(counted * positive)[ends], np.cumsum(counted)[ends]
        if not hits[-1]:
            return float("nan")
        precision = np.divide(hits, selected, out=np.zeros_like(hits), where=selected > 0)
        return float(np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1])

    return compute


def r2(scored: Scored) -> Compute:
    """One minus the squared error over the variance of the truth; nan where that is 0."""
    truth = scored.truth.astype(np.float64)
    squares = (scored.answer - truth) ** 2

    def compute(weights: Array) -> float:
        mean = np.average(truth, weights=weights)
        spread = np.sum(weights * (truth - mean) ** 2)
        return float(1 - np.sum(weights * squares) / spread) if spread > 0 else float("nan")

    return compute


def ndcg(scored: Scored, first: int = 0) -> tuple[Compute, int]:
    """The mean over lists of the discounted gain, over that of the best possible order.

    `first` rows of a list count, all of them when 0. Also gives the number of lists: they are what
    is drawn and resampled, since rows of one list are not independent, so that the weights are
    theirs. A gain is 2^relevance - 1; a list without any relevant row has no best order and is
    left out.

    Raises:
        PilotageError: a relevance below 0 or above `RELEVANCE_MOST`.
    """
    assert scored.query is not None
    if len(scored.truth) and not bool(
        ((scored.truth >= 0) & (scored.truth <= RELEVANCE_MOST)).all()
    ):
        raise PilotageError(
            "some relevances are no numbers that a gain can be made of",
            expected=f"0 to {RELEVANCE_MOST}",
        )
    order = np.lexsort((-scored.answer, scored.query))
    lists = scored.query[order]
    starts = np.append(0, np.nonzero(np.diff(lists))[0] + 1) if len(lists) else np.empty(0, int)
    lengths = np.diff(np.append(starts, len(lists)))
    place = np.arange(len(lists)) - np.repeat(starts, lengths)
    discount = np.where(place < (first or len(lists)), 1 / np.log2(place + 2.0), 0.0)
    gains = np.exp2(scored.truth[order]) - 1
    best = np.exp2(scored.truth[np.lexsort((-scored.truth, scored.query))]) - 1
    reached = np.add.reduceat(gains * discount, starts)
    possible = np.add.reduceat(best * discount, starts)
    ratio = np.divide(reached, possible, out=np.zeros_like(reached), where=possible > 0)

    def compute(weights: Array) -> float:
        counted = weights * (possible > 0)
        return float(np.average(ratio, weights=counted)) if counted.sum() else float("nan")

    return compute, len(starts)
