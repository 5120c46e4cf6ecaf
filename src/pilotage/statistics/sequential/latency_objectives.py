"""Is a latency objective met, such as "p99 at most 300 ms"? One arm, at every look.

The promise: P(ever failed | in every block at most the allowed share of requests takes longer than
the limit) <= error_rate_fail, and P(ever passed | in every block at least that share does) <=
error_rate_pass, however often one looks. And the interval for the quantile: each end holds at its
own side's error rate at every look, if requests follow one distribution.

When: an objective in absolute numbers. A limit close to where the quantile lies cannot be decided,
and stays undecided; compare versions by `exceedances` or `probes`, not by a limit that both nearly
break. Assumes that requests are independent given the block: queues make neighbours alike, so an
interval of seconds means more than one request; feed sampled requests where that matters.

How: with m = 1 - quantile allowed to exceed, bet on a share q by the likelihood ratio of q to m,
for q of 1.125 to 17 times m, and of 0 to 0.94 times m for a pass. The quantile lies above a bin's
edge while the share beyond that edge is shown to be above m: the events are nested, so one test,
that at the true quantile, covers all edges. Ends are rounded outward to edges of 1 % bins.

Source: Wald (1945) sequential likelihood ratios, mixed as in Robbins (1970), Annals of Mathematical
Statistics 41; quantiles by tests of exceedance: Howard & Ramdas (2022), Bernoulli 28.

    >>> objective = LatencyObjective(LatencyObjectiveConfiguration(limit_s=0.3))
    >>> objective.update(np.full(500, 0.1))
    >>> objective.close_block()
    >>> bool(objective.passed())
    True
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.block_sums import bounded
from pilotage.statistics.sequential.exceedances import BINS, LONGEST_S
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "latency_objective/1"
METHOD = "mixture of bets on the share beyond a limit"
FAIL_TIMES = np.array([1.125, 1.25, 1.5, 2.0, 3.0, 5.0, 17.0])
PASS_TIMES = np.array([1e-4, 0.5, 0.75, 0.875, 0.9375])
"""Shares to bet on, in multiples of the share allowed."""
STATE = ("open", "counts", "open_histogram", "histogram")
"""What is saved besides the answers, in this order."""


@dataclass(frozen=True, slots=True)
class LatencyObjectiveConfiguration:
    """The limit in seconds, the quantile that must not exceed it, and the error rates."""

    limit_s: float
    quantile: float = 0.99
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    unit: str = "request"

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)
        if not 0.0 < self.limit_s <= LONGEST_S:
            raise ValueError(f"a limit above 0 and at most {LONGEST_S:g} seconds is needed")
        if not 0.95 <= self.quantile < 1.0:
            raise ValueError("a quantile from 0.95 to below 1 is needed")


class LatencyObjective:
    """Passed, failed or undecided on "this quantile is at most the limit", valid at every look.

    State: two counts twice, and two histograms of 1,854 bins for the interval, 30 kB a run.
    """

    def __init__(
        self, configuration: LatencyObjectiveConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        self._open = np.zeros((*shape, 2), np.int64)  # requests, those beyond the limit
        self._counts = np.zeros((*shape, 2), np.int64)
        self._open_histogram = np.zeros((*shape, BINS.size), np.int64)
        self._histogram = np.zeros((*shape, BINS.size), np.int64)
        self._answers = Answers(configuration, shape)

    def update(self, durations_s: ArrayLike) -> None:
        """Add durations in seconds to the open block: (*shape, n), or (n,), the same for each run.

        Raises:
            ValueError: another shape, or a duration that is none.
        """
        durations = bounded(durations_s, self._shape, 0.0, LONGEST_S)
        self._open[..., 0] += durations.shape[-1]
        self._open[..., 1] += (durations > self._configuration.limit_s).sum(axis=-1)
        self._open_histogram += BINS.histograms(durations)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at."""
        self._counts += self._open
        self._histogram += self._open_histogram
        self._open[...] = 0
        self._open_histogram[...] = 0
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "at most the allowed share", now."""
        return self._evidence(self._counts[..., 1], self._counts[..., 0], FAIL_TIMES)

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "at least the allowed share", now."""
        return self._evidence(self._counts[..., 1], self._counts[..., 0], PASS_TIMES)

    def _evidence(self, beyond: Array, requests: Array, times: Array) -> Array:
        allowed = 1.0 - self._configuration.quantile
        shares = allowed * times
        within = requests - beyond
        gained = beyond[..., None] * np.log(times)
        return log_mixture(gained + within[..., None] * np.log((1.0 - shares) / (1.0 - allowed)))

    def failed(self) -> Array:
        """bool, the shape: "at most the allowed share is beyond the limit" was rejected so far."""
        return self._answers.failed()

    def passed(self) -> Array:
        """bool, the shape: "at least the allowed share is beyond it" was rejected so far."""
        return self._answers.passed()

    def quantile_s(self) -> Array:
        """float64, the shape: the quantile over all closed blocks, its bin's upper edge."""
        return BINS.upper_quantile(self._histogram, self._configuration.quantile)

    def bounds_s(self) -> tuple[Array, Array]:
        """float64, the shape: between which edges the quantile lies, 0 and infinity at the ends."""
        configuration = self._configuration
        total = self._histogram.sum(axis=-1)
        beyond = total[..., None] - np.cumsum(self._histogram, axis=-1)[..., :-1]

        def is_above(edge: Array) -> Array:
            evidence = self._evidence(_at(beyond, edge), total, FAIL_TIMES)
            return evidence >= log_threshold(configuration.error_rate_fail)

        def is_not_below(edge: Array) -> Array:
            evidence = self._evidence(_at(beyond, edge), total, PASS_TIMES)
            return evidence < log_threshold(configuration.error_rate_pass)

        edges = np.concatenate([[0.0], BINS.edges, [np.inf]])
        return (
            edges[_leading(is_above, self._shape, BINS.edges.size)],
            edges[_leading(is_not_below, self._shape, BINS.edges.size) + 1],
        )

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        requests = int(self._counts[0])
        low, high = self.bounds_s()
        errors = configuration.error_rate_pass + configuration.error_rate_fail
        confidence = round(1.0 - errors, 12)
        interval = Interval(float(low), float(high), confidence, METHOD, Guarantee.ANYTIME)
        evidence = Evidence(
            estimate=float(self.quantile_s()) if requests else None,
            interval=interval if requests else None,
            observations=requests,
            unit=configuration.unit,
            rule=f"{configuration.quantile:.4g} quantile at most {configuration.limit_s:g} s",
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=(f"{configuration.unit}s of a block are independent of each other",),
        )
        return self._answers.verdict(evidence)

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays | self._answers.arrays())

    @classmethod
    def load(cls, configuration: LatencyObjectiveConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        objective = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(objective, f"_{name}", arrays[name])
        objective._answers.restore(arrays)
        return objective


def _at(counts: Array, edge: Array) -> Array:
    return np.take_along_axis(counts, edge[..., None], axis=-1)[..., 0]


def _leading(holds: Callable[[Array], Array], shape: tuple[int, ...], size: int) -> Array:
    """int64, the shape: for how many edges it holds, which are the first ones; by halving."""
    low, high = np.zeros(shape, np.int64), np.full(shape, size, np.int64)
    for _ in range(size.bit_length()):
        middle = np.minimum((low + high) // 2, size - 1)
        more = (low < high) & holds(middle)
        high = np.where(more, high, np.minimum(middle, high))
        low = np.where(more, middle + 1, low)
    return low
