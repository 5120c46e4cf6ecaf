"""A performance floor under a live version: bets that its mean loss exceeds what is allowed.

The promise: while the mean loss of every tick is at most `limit`, each factor has expectation at
most 1, so an `AlarmBudget` fed with them keeps its budget of false alarms.

When: labels come in after the fact. An observation is a loss in [0, 1]: 1 if the answer was wrong,
or any bounded loss; for a metric where more is better, 1 - metric. `limit` is the loss at the floor
that a user states, or the upper confidence limit of the reference's loss plus a tolerance. A tick
is the day (or week) on which a label *arrived*, not the day of its prediction: so the past never
changes, and a label's delay adds to the time until an alarm, one for one.

How: L = product of 1 + stake * (X - limit), stakes fixed. Inside a tick the losses may have
different means, as a daily cycle has: only the tick's average must be at most `limit`, because the
logarithm is concave. Assumes that losses are independent given the tick's means. Days that differ
by more than the limit allows are harm by this definition: raise the limit, or make the tick longer.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B
2024 (arXiv 2010.09686), for the bets; `detectors` for what is done with them.

    >>> floor = PerformanceFloor(PerformanceFloorConfiguration(limit=0.16))
    >>> floor.update_counts(wrong=200, right=800)
    >>> floor.close_block()
    >>> [round(float(log), 2) for log in floor.log_factors()[:3]]
    [1.8, 3.23, 5.04]
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.block_sums import (
    bounded,
    counts,
    fixed_point,
    floating_point,
    room_for,
    sum_of_log_bets,
)
from pilotage.statistics.sequential.detectors import stakes_against

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "performance_floor/1"


@dataclass(frozen=True, slots=True)
class PerformanceFloorConfiguration:
    """The largest mean loss that is still acceptable, above 0 and below 1."""

    limit: float

    def __post_init__(self) -> None:
        if not 0.0 < self.limit < 1.0:
            raise ValueError("a limit on a mean loss lies between 0 and 1, both excluded")


class PerformanceFloor:
    """Factors against "the mean loss is at most `limit`", one tick after another.

    Not a verdict by itself: give `log_factors` to an `AlarmBudget` after each `close_block`.
    """

    def __init__(
        self, configuration: PerformanceFloorConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        limit = configuration.limit
        self._stakes = stakes_against(limit)
        self._wrong = fixed_point(np.log1p(self._stakes * (1.0 - limit)))
        self._right = fixed_point(np.log1p(-self._stakes * limit))
        self._open = np.zeros((*shape, self._stakes.size), np.int64)
        self._observations = np.zeros(shape, np.int64)
        self._log_factors = np.zeros((*shape, self._stakes.size))

    def update(self, losses: ArrayLike) -> None:
        """Add losses in [0, 1] to the open tick: (*shape, n), or (n,), the same for every run.

        Raises:
            ValueError: another shape, a value outside, or more than a block may hold.
        """
        observed = bounded(losses, self._shape, 0.0, 1.0)
        room_for(self._observations, observed.shape[-1])
        self._open += sum_of_log_bets(observed - self._configuration.limit, self._stakes)
        self._observations += observed.shape[-1]

    def update_counts(self, wrong: ArrayLike, right: ArrayLike) -> None:
        """Add answers that were wrong or right, as counts of the procedure's shape.

        Raises:
            ValueError: no counts, another shape, or more than a block may hold.
        """
        lost, won = counts(wrong, self._shape), counts(right, self._shape)
        room_for(self._observations, lost + won)
        self._open += lost[..., None] * self._wrong + won[..., None] * self._right
        self._observations += lost + won

    def close_block(self) -> None:
        """End the tick: its factors are in `log_factors` until the next one ends."""
        self._log_factors = floating_point(self._open)
        self._open[...] = 0
        self._observations[...] = 0

    def log_factors(self) -> Array:
        """float64 (*shape, 6): the last tick's factors, natural logarithms; 0 for an empty one."""
        return self._log_factors.copy()

    def save(self) -> bytes:
        """The whole state, the open tick included."""
        arrays = {
            "open": self._open,
            "observations": self._observations,
            "log_factors": self._log_factors,
        }
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: PerformanceFloorConfiguration, data: bytes) -> Self:
        """The floor as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        floor = cls(configuration, arrays["observations"].shape)
        floor._open = arrays["open"]
        floor._observations = arrays["observations"]
        floor._log_factors = arrays["log_factors"]
        return floor
