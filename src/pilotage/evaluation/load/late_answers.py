"""Times of answers under a load -> what they say about a quantile of all times. Pure.

Requests that come one after the other wait for each other, so that a request is no independent
observation. Consecutive requests are put into blocks of equal size, and a block's share of late
answers is one observation: a number in [0, 1] whose mean is the share of late answers, whatever
hangs together inside a block. That the blocks do not hang together is looked at: while neighbours
resemble each other more than chance explains, blocks become twice as large.

"p99 at most L" is "the share of answers later than L is at most 1 %", and the hedged-capital bound
judges that share. No procedure can show a share of 1 % from few blocks: even without a single late
answer it takes 402 (95 %, `blocks_needed`), so that a run is cut into 600. A stall that is longer
than a block and comes more seldom than the run is long cannot be seen by any run; the verdict names
the length of its blocks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.decisions import dual
from pilotage.statistics.interval import Guarantee, Interval, Side
from pilotage.statistics.verdict import Because, Evidence, Undecided, Verdict, decide

BLOCKS: Final = 600
"""Blocks of a run at least, where it has as many requests."""
LEAST_BLOCKS: Final = 30
"""Fewer blocks decide nothing."""
RESEMBLANCE: Final = 1.645
"""Standard errors of the neighbours' correlation beyond which blocks are joined: 5 % by chance."""
USED_AS_HERE: Final = "the service is used as in the run: one worker, this machine, such rows"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Late:
    """Times of answers, float64 (requests,), in the order of sending; infinite for a request that
    was refused or not answered in time. `quantile` is the one that is asked for."""

    times: Array
    quantile: float
    rate_per_s: float

    @property
    def allowed(self) -> float:
        """The share of answers that may be later."""
        return 1 - self.quantile

    @property
    def estimate(self) -> float:
        """The quantile of the times seen."""
        rank = max(1, math.ceil(self.quantile * len(self.times)))
        return float(np.partition(self.times, rank - 1)[rank - 1])

    def block_requests(self, limit: float) -> int:
        """Requests of a block: so many that blocks do not resemble their neighbours in the share
        that is later than `limit`."""
        size = max(1, len(self.times) // BLOCKS)
        late = self.times > limit
        while len(late) // size >= 2 * LEAST_BLOCKS:
            if resemblance(_shares(late, size)) <= RESEMBLANCE:
                break
            size *= 2
        return size

    def shares(self, limit: float) -> Array:
        """The share of answers later than `limit`, by block."""
        return _shares(self.times > limit, self.block_requests(limit))

    def bound(self, limit: float, confidence: float, side: Side) -> Interval:
        """The share of all answers that are later than `limit`."""
        return hedged_interval(self.shares(limit), confidence=confidence, side=side)

    def at_most(self, limit: float) -> Callable[[float], Verdict]:
        """The question whether the quantile is at most `limit`; the error rate is that of the
        share's two bounds, each at the confidence. The interval shown is the quantile's."""

        def ask(confidence: float) -> Verdict:
            blocks = len(self.shares(limit))
            size = self.block_requests(limit)
            block_ms = 1000 * size / self.rate_per_s
            interval = self.interval(confidence, limit)
            evidence = Evidence(
                estimate=self.estimate,
                interval=interval,
                observations=len(self.times),
                unit="request",
                rule=f"at most {limit:g} s for {self.quantile:.0%} of requests",
                method=f"hedged capital on the share of late answers in {blocks} blocks",
                error_rate=round(1 - confidence, 12),
                assumptions=(
                    f"blocks of {size} requests ({block_ms:.0f} ms) are late independently",
                    USED_AS_HERE,
                ),
            )
            if blocks < LEAST_BLOCKS:
                return Undecided(evidence, Because.TOO_FEW)
            below = self.bound(limit, confidence, "upper").high < self.allowed
            above = self.bound(limit, confidence, "lower").low > self.allowed
            return decide(below, above, evidence)

        return ask

    def interval(self, confidence: float, limit: float | None = None) -> Interval:
        """The quantile between two of the times seen, each end at the confidence.

        An end is the last time at which the share of later answers is shown to be above (below)
        what the quantile allows, found by bisection; the verdict about `limit` is that of the test
        at the limit itself, to which the interval keeps.
        """
        ordered = np.unique(self.times[np.isfinite(self.times)])

        def shown(side: Side) -> Callable[[float], bool]:
            if side == "lower":
                return lambda at: self.bound(at, confidence, side).low > self.allowed
            return lambda at: not self.bound(at, confidence, side).high < self.allowed

        low = _last(ordered, shown("lower"))
        high = _last(ordered, shown("upper"))
        lower = 0.0 if low < 0 else float(ordered[low])
        # An end is reported outward: the first time at which the share is shown to be small.
        upper = float(ordered[high + 1]) if high + 1 < len(ordered) else math.inf
        if limit is not None:
            lower, upper = self._kept_to(limit, confidence, lower, upper)
        method = "hedged capital on shares of late answers"
        return dual(
            Interval(lower, math.inf, confidence, method, Guarantee.APPROXIMATE, "lower"),
            Interval(0.0, upper, confidence, method, Guarantee.APPROXIMATE, "upper"),
        )

    def _kept_to(
        self, limit: float, confidence: float, lower: float, upper: float
    ) -> tuple[float, float]:
        """The ends, on the side of the limit that the test at the limit says."""
        below = self.bound(limit, confidence, "upper").high < self.allowed
        above = self.bound(limit, confidence, "lower").low > self.allowed
        lower = max(lower, limit) if above else min(lower, limit)
        return lower, (min(upper, limit) if below else max(upper, limit))


def _shares(late: Array, size: int) -> Array:
    """Means of blocks of `size`; what is left over at the end, less than a block, is left out."""
    blocks = len(late) // size
    return late[: blocks * size].reshape(blocks, size).mean(axis=1)


def resemblance(shares: Array) -> float:
    """The correlation of neighbours, in standard errors of what chance gives."""
    apart = shares - shares.mean()
    variance = float((apart**2).sum())
    if variance == 0 or len(shares) < 2:
        return 0.0
    return float((apart[1:] * apart[:-1]).sum()) / variance * math.sqrt(len(shares))


def blocks_needed(quantile: float, confidence: float) -> int:
    """How many blocks show that answers are in time, where none of them is late."""
    few, enough = 1, 2
    while not _shows(enough, quantile, confidence):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if _shows(middle, quantile, confidence) else (middle, enough)
    return enough


def _shows(blocks: int, quantile: float, confidence: float) -> bool:
    bound = hedged_interval(np.zeros(blocks), confidence=confidence, side="upper")
    return bound.high < 1 - quantile


def _last(ordered: Array, holds: Callable[[float], bool]) -> int:
    """The index of the last time at which it holds, -1 where it holds at none: it holds for all
    times before one, and for none after."""
    low, high = -1, len(ordered)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(float(ordered[middle])):
            low = middle
        else:
            high = middle
    return low
