"""Two models, or one model on two versions of its inputs, on the same rows: by how much better.

Pairing is what makes a small difference visible: only the rows on which the two disagree count.
"""

import numpy as np

from pilotage.checks.observed import Array, Losses, Observed, Ranks, Share, Statistic, estimate_of
from pilotage.checks.once.of_one_model import of_statistic
from pilotage.checks.once.quantities import Quantity
from pilotage.errors import PilotageError
from pilotage.statistics.fixed.auc import auc_difference_interval
from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.paired import paired_interval
from pilotage.statistics.interval import Guarantee, Interval, Side
from pilotage.statistics.verdict import Because


def difference_of(candidate: Observed, baseline: Observed) -> Quantity:
    """The candidate's metric minus the baseline's.

    Raises:
        PilotageError: a quantile or a calibration error, which have no paired interval here.
    """
    match candidate, baseline:
        case Share(), Share() if not candidate.by_answer:
            return _of_shares(candidate, baseline)
        case Losses(), Losses():
            return _of_losses(candidate, baseline)
        case Ranks(), Ranks():
            return _of_ranks(candidate, baseline)
        case ((Statistic() | Share()), (Statistic() | Share())):
            return _of_statistics(_as_statistic(candidate), _as_statistic(baseline))
        case _:
            raise PilotageError(
                "this metric of two models cannot be compared row by row",
                fix="Compare the mean absolute error, the share within a tolerance, or the"
                " Brier score.",
            )


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _of_shares(candidate: Share, baseline: Share) -> Quantity:
    """Rows are eligible by their truth alone, so both have the same."""
    eligible = candidate.eligible
    only = candidate.events & ~baseline.events & eligible
    lost = ~candidate.events & baseline.events & eligible
    gained, dropped, rows = (int(np.count_nonzero(x)) for x in (only, lost, eligible))
    return Quantity(
        (gained - dropped) / rows if rows else None,
        rows,
        lambda confidence, side: paired_interval(
            gained, dropped, rows, confidence=confidence, side=side
        ),
        because=None if rows else Because.NO_DATA,
    )


def _of_losses(candidate: Losses, baseline: Losses) -> Quantity:
    differences: Array = candidate.values - baseline.values
    reach = candidate.high - candidate.low
    rows = len(differences)
    return Quantity(
        float(differences.mean()) if rows else None,
        rows,
        lambda confidence, side: hedged_interval(
            differences, confidence=confidence, side=side, low=-reach, high=reach
        ),
        because=None if rows else Because.NO_DATA,
    )


def _of_ranks(candidate: Ranks, baseline: Ranks) -> Quantity:
    def bounds(confidence: float, side: Side) -> Interval:
        found = auc_difference_interval(
            candidate.labels, candidate.scores, baseline.scores, confidence=confidence, side=side
        )
        anything = Interval(-1.0, 1.0, confidence, "paired DeLong", Guarantee.APPROXIMATE, side)
        return found or anything

    few = bounds(0.95, "two").width == 2.0
    return Quantity(
        _minus(estimate_of(candidate), estimate_of(baseline)),
        len(candidate.labels),
        bounds,
        because=Because.TOO_FEW if few else None,
    )


def _as_statistic(observed: Statistic | Share) -> Statistic:
    if isinstance(observed, Statistic):
        return observed
    events, eligible = observed.events & observed.eligible, observed.eligible

    def compute(weights: Array) -> float:
        rows = float(weights @ eligible)
        return float(weights @ events) / rows if rows else float("nan")

    return Statistic(compute, len(events), 0.0, 1.0)


def _of_statistics(candidate: Statistic, baseline: Statistic) -> Quantity:
    reach = max(candidate.high, baseline.high) - min(candidate.low, baseline.low)

    def compute(weights: Array) -> float:
        return candidate.compute(weights) - baseline.compute(weights)

    return of_statistic(Statistic(compute, candidate.rows, -reach, reach, candidate.unit))
