"""An interval for a quantity, and what may be said about it."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Side = Literal["two", "lower", "upper"]
"""Which ends are bounds: both, or one of them (the other is then the edge of what is possible)."""


class Guarantee(Enum):
    """How far a procedure's confidence can be trusted."""

    EXACT = "exact"
    """At least the stated confidence for every sample size, under the stated assumptions."""
    ANYTIME = "anytime"
    """Exact, and at every look at once, however often one looks."""
    APPROXIMATE = "approximate"
    """Near the stated confidence where it was measured; the docstring says how near."""
    ASYMPTOTIC = "asymptotic"
    """Reaches the stated confidence only as the sample grows; can fall well short."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a quantity lies, with the stated confidence.

    `low` and `high` are in the quantity's own unit; an open end is the edge of what is possible
    (0 or 1 for a proportion, ±inf for an unbounded mean). With `side="two"` each end alone holds
    at (1 + confidence) / 2.
    """

    low: float
    high: float
    confidence: float
    method: str
    guarantee: Guarantee
    side: Side = "two"

    @property
    def width(self) -> float:
        return self.high - self.low

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high
