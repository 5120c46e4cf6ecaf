"""A metric in one group against another group: the difference, or the ratio, of the two.

Groups have different rows, so there is nothing to pair. Shares have intervals of their own; for
every other shape the two groups' intervals at half the error rate are put together, which holds as
far as these do and is wider.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pilotage.checks.observed import Observed, Share
from pilotage.checks.once.of_one_model import quantity_of
from pilotage.checks.once.quantities import Quantity
from pilotage.statistics.fixed.groups import group_difference_interval, group_ratio_interval
from pilotage.statistics.interval import Guarantee, Interval, Side
from pilotage.statistics.verdict import Because


@dataclass(frozen=True, slots=True)
class Group:
    """One group's rows as the metric sees them. `rows` counts all of its rows."""

    name: str
    observed: Observed
    rows: int
    quantity: Quantity = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantity", quantity_of(self.observed))


def difference_between(first: Group, second: Group, *, rows_from: int) -> Quantity:
    """The metric in the first group minus that in the second."""
    one, other = first.quantity, second.quantity
    scored = _scored(first.observed, second.observed)
    apart = None
    if one.estimate is not None and other.estimate is not None:
        apart = one.estimate - other.estimate
    return Quantity(
        apart,
        one.observations + other.observations,
        (
            lambda confidence, side: group_difference_interval(
                *scored, confidence=confidence, side=side
            )
        )
        if scored
        else lambda confidence, side: _joined(one, other, confidence, side, _subtracted),
        one.assumptions,
        _because(first, second, rows_from),
        one.unit,
    )


def ratio_between(first: Group, second: Group, *, rows_from: int) -> Quantity:
    """The metric in the first group over that in the second; for metrics that are never below 0."""
    one, other = first.quantity, second.quantity
    scored = _scored(first.observed, second.observed)
    return Quantity(
        one.estimate / other.estimate if one.estimate is not None and other.estimate else None,
        one.observations + other.observations,
        (lambda confidence, side: group_ratio_interval(*scored, confidence=confidence, side=side))
        if scored
        else lambda confidence, side: _joined(one, other, confidence, side, _divided),
        one.assumptions,
        _because(first, second, rows_from),
        one.unit,
    )


def _because(first: Group, second: Group, rows_from: int) -> Because | None:
    for group in (first, second):
        if group.rows < rows_from or group.quantity.because is not None:
            return Because.TOO_FEW
    return None


def _scored(first: Observed, second: Observed) -> tuple[int, int, int, int] | None:
    """Counts for an interval of shares, where both are."""
    if isinstance(first, Share) and isinstance(second, Share):
        return first.successes, first.trials, second.successes, second.trials
    return None


Ends = tuple[float, float]


def _joined(
    first: Quantity,
    second: Quantity,
    confidence: float,
    side: Side,
    join: Callable[[Ends, Ends], Ends],
) -> Interval:
    """From the groups' own intervals, each end at half the error rate: a union bound."""
    # For one bound each group gives one end at alpha/2; for two bounds, two ends at alpha/4 each.
    two_sided = (1 + confidence) / 2 if side == "two" else confidence
    one, other = first.interval(two_sided, "two"), second.interval(two_sided, "two")
    low, high = join((one.low, one.high), (other.low, other.high))
    infinite = float("inf")
    return Interval(
        -infinite if side == "upper" else low,
        infinite if side == "lower" else high,
        confidence,
        f"{one.method}, both groups at half the error rate",
        max(one.guarantee, other.guarantee, key=list(Guarantee).index),
        side,
    )


def _subtracted(one: Ends, other: Ends) -> Ends:
    return one[0] - other[1], one[1] - other[0]


def _divided(one: Ends, other: Ends) -> Ends:
    low = max(one[0], 0.0) / other[1] if other[1] > 0 else 0.0
    return low, one[1] / other[0] if other[0] > 0 else float("inf")
