"""A metric of one model on rows that are looked at once: its honest interval, by its shape."""

from dataclasses import replace

import numpy as np

from pilotage.checks.observed import (
    Array,
    Calibration,
    Losses,
    Observed,
    Quantile,
    Ranks,
    Share,
    Statistic,
    estimate_of,
)
from pilotage.checks.once.quantities import ASYMPTOTIC, INDEPENDENT, LISTS, Quantity
from pilotage.statistics.fixed import auc
from pilotage.statistics.fixed.auc import auc_interval, roc_auc
from pilotage.statistics.fixed.bootstrap import EFFECTIVE_FROM, Resampled, resample
from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.calibration import binned_calibration_error
from pilotage.statistics.fixed.proportions import clopper_pearson
from pilotage.statistics.fixed.quantiles import quantile_interval
from pilotage.statistics.interval import Guarantee, Interval, Side
from pilotage.statistics.verdict import Because


def quantity_of(observed: Observed) -> Quantity:
    """The metric in the population that the rows were drawn from."""
    if isinstance(observed, Ranks):
        return _of_ranks(observed)
    if isinstance(observed, Statistic):
        return of_statistic(observed)
    estimate, rows = estimate_of(observed), rows_of(observed)
    because = None
    if estimate is None:
        because = Because.TOO_FEW if rows else Because.NO_DATA
    return Quantity(
        estimate,
        rows,
        lambda confidence, side: interval_of(observed, confidence=confidence, side=side),
        because=because,
    )


def of_statistic(observed: Statistic) -> Quantity:
    """By BCa over resampled rows, which are drawn once; no farther than what is possible.

    Too few where a handful of rows carry all of its spread: the resamples then know nothing of
    what was not seen. Nor is there anything to say where some resample has no value at all (no
    positive row in it, say).
    """
    resampled = _resampled(observed)
    few = resampled is None or resampled.effective_rows < EFFECTIVE_FROM
    because = Because.TOO_FEW if few else None
    return Quantity(
        estimate_of(observed),
        observed.rows,
        lambda confidence, side: _within_possible(observed, resampled, confidence, side),
        (LISTS if observed.unit == "list" else INDEPENDENT, ASYMPTOTIC),
        because if observed.rows else Because.NO_DATA,
        observed.unit,
    )


def _of_ranks(observed: Ranks) -> Quantity:
    """An AUC: sorted once, however many ends are asked for."""
    positives, rows = int(np.count_nonzero(observed.labels)), len(observed.labels)
    if positives in (0, rows):
        anything = Interval(0.0, 1.0, 0.95, "one class only", Guarantee.EXACT)
        return Quantity(
            None,
            rows,
            lambda confidence, side: replace(anything, confidence=confidence, side=side),
            because=Because.TOO_FEW if rows else Because.NO_DATA,
        )
    area = roc_auc(observed.labels, observed.scores)
    return Quantity(
        area.area,
        rows,
        lambda confidence, side: auc.interval_of(area, confidence=confidence, side=side),
    )


def rows_of(observed: Observed) -> int:
    """How many rows the metric looks at."""
    match observed:
        case Share():
            return observed.trials
        case Losses(values) | Quantile(values):
            return len(values)
        case Ranks(labels) | Calibration(labels):
            return len(labels)
        case Statistic(_, rows):
            return rows


def interval_of(observed: Observed, *, confidence: float, side: Side) -> Interval:
    match observed:
        case Share():
            return clopper_pearson(
                observed.successes, observed.trials, confidence=confidence, side=side
            )
        case Losses(values, low, high):
            return hedged_interval(values, confidence=confidence, side=side, low=low, high=high)
        case Ranks(labels, scores):
            return auc_interval(labels, scores, confidence=confidence, side=side)
        case Calibration(outcomes, probabilities, edges):
            return binned_calibration_error(
                probabilities, outcomes, edges=edges, confidence=confidence, side=side
            )
        case Quantile(values, probability):
            return quantile_interval(values, probability, confidence=confidence, side=side)
        case Statistic():
            return _within_possible(observed, _resampled(observed), confidence, side)


def _resampled(observed: Statistic) -> Resampled | None:
    def each(counts: Array) -> Array:
        return np.array([observed.compute(row) for row in counts])

    try:
        return resample(each, observed.rows)
    except ValueError:
        return None


def _within_possible(
    observed: Statistic, resampled: Resampled | None, confidence: float, side: Side
) -> Interval:
    """The interval; all that is possible where it could not be trusted."""
    if resampled is None or resampled.effective_rows < EFFECTIVE_FROM:
        method = "BCa bootstrap" if resampled is None else resampled.method
        low, high = observed.low, observed.high
        return Interval(low, high, confidence, method, Guarantee.ASYMPTOTIC, side)
    found = resampled.interval(confidence=confidence, side=side)
    return replace(found, low=max(found.low, observed.low), high=min(found.high, observed.high))
