"""Where the harm of a candidate lies: an interval that holds at every look.

The promise: P(the lower end is ever above the difference) <= `error_rate`, and the same for the
upper end, however often one looks. Where the difference is not the same in every block, the lower
end stays below the largest and the upper end above the smallest.

When: beside the verdict of `two_arms`, over the same blocks and under the same assumptions. It is
the dearest part of a guard (some 150 differences, each tested from both sides), so closed
blocks wait until `bundle` of them are counted at once: with blocks of 10 s, each minute.

How: each difference of a fixed grid is tested against "at most" and "at least" with bets of 1/4,
1/2, 1 and 2 resolutions beyond it, and one on the rates of the blocks before (`block_evidence`);
what was rejected once stays rejected. The lower end is the grid point below the first that was
never rejected, so the grid only widens the interval.

Source: Turner & Grünwald (2023), arXiv 2203.09785; intervals from tests valid at every look:
Johari, Pekelis & Walsh, "Always valid inference" (2015), arXiv 1512.04922.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.arm_counts import ArmCounts
from pilotage.statistics.sequential.block_evidence import Edge, alternatives, log_block_evidence
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold, tempered

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "difference_interval/1"
METHOD = "bets on two arms in blocks, inverted over a grid"
EFFECTS = np.array([0.25, 0.5, 1.0, 2.0])
"""In resolutions beyond the difference that is tested; one more bet is on the rates so far."""
BETS = EFFECTS.size + 1
TIMES_KNOWN = 1.0
"""A block counts in full up to this many times what is known of the baseline. A first block staked
on a wrong guess stays a burden for hours: at a rate of 10 %, with 300 canary requests a minute, the
interval after 2 hours was 5.9 points wide, with this 0.9."""
FINE_STEPS = 16
"""Grid steps in a resolution, up to FINE_RANGE resolutions from 0."""
FINE_RANGE = 2
COARSE_STEPS = 2
"""The same up to COARSE_RANGE resolutions; beyond, each point is GROWTH times the last."""
COARSE_RANGE = 16
GROWTH = 1.15
SIDES: tuple[Literal[1, -1], ...] = (1, -1)
"""Tested against "at most", then against "at least"."""


@dataclass(frozen=True, slots=True)
class DifferenceIntervalConfiguration:
    """How fine, and how sure.

    Attributes:
        resolution: the scale of differences that matter: the guard's margin, in (0, 1).
        error_rate: of each end; both together hold at 1 - 2 * error_rate.
        bundle: how many closed blocks are counted at once.
        cluster, baseline_rate, baseline_weight, larger_is_better: as in `two_arms`.
    """

    resolution: float = 0.005
    error_rate: float = 0.05
    bundle: int = 6
    cluster: int = 1
    baseline_rate: float = 0.01
    baseline_weight: float = 50.0
    larger_is_better: bool = False

    def __post_init__(self) -> None:
        log_threshold(self.error_rate)
        if not 0.0 < self.resolution < 1.0:
            raise ValueError("a resolution lies between 0 and 1, both excluded")
        if self.bundle < 1 or self.cluster < 1:
            raise ValueError("a bundle and a cluster have at least one member")
        if not 0.0 < self.baseline_rate < 1.0 or self.baseline_weight <= 0.0:
            raise ValueError("a rate between 0 and 1 and a weight above 0 are needed to start from")

    def grid(self) -> Array:
        """float64, rising: the differences that are tested, fine near 0, coarse far from it."""
        fine = np.arange(FINE_RANGE * FINE_STEPS + 1) / FINE_STEPS
        coarse = np.arange(FINE_RANGE * COARSE_STEPS + 1, COARSE_RANGE * COARSE_STEPS + 1)
        positive = [*(fine * self.resolution), *(coarse * (self.resolution / COARSE_STEPS))]
        while positive[-1] * GROWTH < 1.0:
            positive.append(positive[-1] * GROWTH)
        inside = np.array([each for each in positive if each < 1.0])
        return np.concatenate([-inside[:0:-1], inside])


class DifferenceInterval:
    """Lower and upper end for the candidate's less the baseline's rate of harm.

    State: 10 numbers for each of about 150 differences and 7 for each block of a bundle, about
    14 kB a run.
    """

    def __init__(
        self, configuration: DifferenceIntervalConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        self._grid = configuration.grid()
        self._counts = ArmCounts(shape, larger_is_better=configuration.larger_is_better)
        # The last axis of both: the side.
        self._wealth = np.zeros((*shape, self._grid.size, BETS, 2))
        self._rejected = np.zeros((*shape, self._grid.size, 2), np.bool_)
        # Counts of the blocks that wait, both arms' rates expected before each, and its boldness.
        self._waiting = np.zeros((*shape, configuration.bundle, 7))
        self._waits = np.zeros((), np.int64)

    def update(
        self,
        baseline_trials: ArrayLike,
        baseline_events: ArrayLike,
        candidate_trials: ArrayLike,
        candidate_events: ArrayLike,
    ) -> None:
        """Add observations of both arms to the open block, as in `two_arms`.

        Raises:
            ValueError: another shape, or events outside 0 to trials.
        """
        self._counts.update(baseline_trials, baseline_events, candidate_trials, candidate_events)

    def close_block(self) -> None:
        """The open block waits to be counted; with a full bundle, all that wait are."""
        configuration = self._configuration
        place = int(self._waits)
        self._waiting[..., place, :4] = np.stack(self._counts.open_block(), axis=-1)
        start = (configuration.baseline_rate, configuration.baseline_weight)
        self._waiting[..., place, 4] = self._counts.baseline_rate(*start)
        self._waiting[..., place, 5] = self._counts.candidate_rate(*start)
        self._waiting[..., place, 6] = self._counts.boldness(start[1], TIMES_KNOWN)
        self._counts.close_block()
        self._waits += 1
        if self._waits == configuration.bundle:
            self.look()

    def look(self) -> None:
        """Count the blocks that wait, before their bundle is full. As often as one likes."""
        if not self._waits:
            return
        threshold = log_threshold(self._configuration.error_rate)
        for place, side in enumerate(SIDES):
            wealth, rejected = self._wealth[..., place], self._rejected[..., place]
            # What is rejected in every run needs no more evidence.
            tested = ~rejected.reshape(-1, self._grid.size).all(axis=0)
            if not tested.any():
                continue
            wealth[..., tested, :] += self._bundle_evidence(self._grid[tested], side)
            rejected[..., tested] |= log_mixture(wealth[..., tested, :]) >= threshold
        self._waits = np.zeros((), np.int64)

    def bounds(self) -> tuple[Array, Array]:
        """float64, the shape: lower and upper end, from the looks so far; -1 and 1 before any.

        Where the lower is above the upper, the difference was not the same in every block.
        """
        ends = np.concatenate([[-1.0], self._grid, [1.0]])
        below = np.logical_and.accumulate(self._rejected[..., 0], axis=-1).sum(axis=-1)
        above = np.logical_and.accumulate(self._rejected[..., ::-1, 1], axis=-1).sum(axis=-1)
        return ends[below], ends[self._grid.size + 1 - above]

    def interval(self) -> Interval | None:
        """What a verdict shows, of shape (); None where no one difference fits all blocks.

        Raises:
            ValueError: of another shape.
        """
        if self._shape:
            raise ValueError(f"one answer for an interval of shape {self._shape}; ask its bounds")
        low, high = (float(each) for each in self.bounds())
        if low > high:
            return None
        confidence = 1.0 - 2.0 * self._configuration.error_rate
        return Interval(low, high, confidence, METHOD, Guarantee.ANYTIME)

    def save(self) -> bytes:
        """The whole state, the open block included."""
        return pack(FORMAT, self._configuration, self._arrays())

    @classmethod
    def load(cls, configuration: DifferenceIntervalConfiguration, data: bytes) -> Self:
        """The interval as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        loaded = cls(configuration, arrays["rejected"].shape[:-2])
        loaded._counts.restore(arrays)
        loaded._wealth = arrays["wealth"]
        loaded._rejected = arrays["rejected"]
        loaded._waiting = arrays["waiting"]
        loaded._waits = arrays["waits"]
        return loaded

    def _arrays(self) -> dict[str, Array]:
        return self._counts.arrays() | {
            "wealth": self._wealth,
            "rejected": self._rejected,
            "waiting": self._waiting,
            "waits": self._waits,
        }

    def _bundle_evidence(self, differences: Array, side: Literal[1, -1]) -> Array:
        """float64 (*shape, differences, bets): what the waiting blocks say, added up."""
        waiting = self._waiting[..., : int(self._waits), None, None, :]
        counts = (waiting[..., 0], waiting[..., 1], waiting[..., 2], waiting[..., 3])
        tested = differences[:, None]
        beyond = tested + side * self._configuration.resolution * EFFECTS
        so_far = waiting[..., 5] - waiting[..., 4]
        harms = np.concatenate(
            [
                np.broadcast_to(beyond, (*so_far.shape[:-2], *beyond.shape)),
                np.broadcast_to(so_far, (*so_far.shape[:-2], differences.size, 1)),
            ],
            axis=-1,
        )
        baseline, candidate = alternatives(waiting[..., 4], harms, "absolute")
        evidence = log_block_evidence(counts, baseline, candidate, Edge(tested, side))
        evidence = evidence * waiting[..., 6]
        return tempered(evidence, self._configuration.cluster).sum(axis=-3)
