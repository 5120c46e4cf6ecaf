"""The points of a report's pictures, with bands: ROC, calibration, and the table of confusions.

Bands are pointwise Clopper-Pearson intervals at the report's confidence; they show how sure a point
is and decide nothing.
"""

from typing import Any, Final

import numpy as np

from pilotage.checks.scored import Scored
from pilotage.evaluation.report import Confusion, Curve
from pilotage.statistics.fixed.proportions import clopper_pearson_ends

ROC_POINTS: Final = 120
"""Points of a drawn ROC curve, evenly spread over both axes together."""
SORTED_ROWS: Final = 1_000_000
CALIBRATION_BINS: Final = 10
"""Of equal width: fixed beforehand, not chosen by the scores."""
CONFUSION_CLASSES: Final = 50

Array = np.ndarray[Any, np.dtype[Any]]


def roc(scored: Scored, model: str, confidence: float) -> Curve | None:
    """The true-positive rate against the false-positive rate; None without scores or classes."""
    if scored.task != "binary" or scored.score is None:
        return None
    positive = scored.truth == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    above = _thresholds(scored.score)
    counts = np.bincount(above, minlength=1)
    hits = np.bincount(above, weights=positive, minlength=len(counts))
    true_rate = np.append(0, np.cumsum(hits))
    false_rate = np.append(0, np.cumsum(counts - hits))
    # Along the curve both counts grow, so their sum of shares spreads the points evenly on it.
    along = true_rate / positives + false_rate / negatives
    chosen = np.unique(
        np.searchsorted(along, np.linspace(0, 2, ROC_POINTS)).clip(0, len(along) - 1)
    )
    low, high = _band(true_rate[chosen], np.full(len(chosen), positives), confidence)
    return Curve(
        "roc",
        model,
        _floats(false_rate[chosen] / negatives),
        _floats(true_rate[chosen] / positives),
        _floats(low),
        _floats(high),
    )


def _thresholds(scores: Array) -> Array:
    """The rank of each row's score among the distinct ones, the highest first: int64 (rows,).

    With more rows than can be sorted in a second, scores that share their first 20 bits count as
    one: at most 0.05 % apart, which a picture of 120 points does not show.
    """
    if len(scores) <= SORTED_ROWS:
        return np.unique(-scores, return_inverse=True)[1]
    bits = scores.astype(np.float32).view(np.int32).astype(np.int64)
    # The bits of a float rise with it where it is positive, and fall where it is negative.
    rising = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits) >> 12
    return int(rising.max()) - rising


def calibration(scored: Scored, model: str, confidence: float) -> Curve | None:
    """The share that is true against the mean probability, in bins; None without probabilities."""
    if scored.task != "binary" or scored.score is None or not scored.probabilities:
        return None
    score = scored.score.astype(np.float64)
    bins = np.minimum((score * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    trues = np.bincount(bins, weights=scored.truth == 1, minlength=CALIBRATION_BINS)
    sums = np.bincount(bins, weights=score, minlength=CALIBRATION_BINS)
    there = counts > 0
    counts, trues, sums = counts[there], trues[there], sums[there]
    low, high = _band(trues, counts, confidence)
    return Curve(
        "calibration",
        model,
        _floats(sums / counts),
        _floats(trues / counts),
        _floats(low),
        _floats(high),
        tuple(int(count) for count in counts),
    )


def confusion(scored: Scored) -> Confusion | None:
    """Rows of each true class by each answer; None for numbers, or for too many classes to read."""
    classes = len(scored.classes)
    if not 2 <= classes <= CONFUSION_CLASSES:
        return None
    cells = np.bincount(
        scored.truth.astype(np.int64) * classes + scored.answer, minlength=classes * classes
    )
    table = cells.reshape(classes, classes)
    return Confusion(scored.classes, tuple(tuple(int(cell) for cell in row) for row in table))


def _band(successes: Array, trials: Array, confidence: float) -> tuple[Array, Array]:
    return clopper_pearson_ends(successes, trials, error_rate=(1 - confidence) / 2)


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
