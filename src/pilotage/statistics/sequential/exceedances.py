"""Is the candidate's latency tail heavier? Exceedances of the baseline's own earlier quantile.

The promise: P(ever failed | in every block, the candidate exceeds the threshold t no more often
than the baseline) <= error_rate_fail, and P(ever passed | in every block, the candidate exceeds
(1 + margin) t at least as often as the baseline exceeds t) <= error_rate_pass, however often one
looks. t is the baseline's p99 over the half hour to hour before the block.

When: each arm has engines and machines of its own, and requests are routed at random. What is
particular to one replica (a noisy neighbour) is then part of the arm: use several replicas. Arms
that share an engine cannot be compared like this; see `probes`.

How: two p99s are not compared, since a window's p99 is noise; exceedances of a threshold that was
fixed before the block are, by the bets of `block_evidence` with a difference of 0. The baseline's
durations are kept in two histograms of 1 % bins, the current half of the window and the one before
it. Until the baseline was seen `SEEN` times, nothing is judged. Assumes that outcomes are
independent given the block.

Source: as `two_arms`.

Measured (lognormal, median 150 ms, p99 450 ms, 100 requests/s, 5 % to the candidate, margin a
tenth): 20 % slower failed after 1.5 minutes at the median, 50 % after 20 seconds; an equal one
passed after 11 minutes.

    >>> guard = Exceedances(ExceedancesConfiguration(margin=0.1))
    >>> guard.update(baseline_s=np.linspace(0.1, 0.2, 10_000), candidate_s=[])
    >>> guard.close_block()
    >>> float(guard.threshold_s().round(2))
    0.2
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.block_evidence import Edge, alternatives, log_block_evidence
from pilotage.statistics.sequential.block_sums import bounded
from pilotage.statistics.sequential.latency_bins import LogBins
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "exceedances/1"
METHOD = "mixture of bets on exceedances of the baseline's earlier quantile"
BINS = LogBins(1e-5, 1e3, 1.01)
LONGEST_S = 1e6
SEEN = 100
"""Durations of the baseline before its quantile is a threshold."""
FAIL_EFFECTS = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 16.0])
PASS_EFFECTS = -np.array([0.125, 0.25, 0.5])
"""Differences of exceedance rates to bet on, in parts of the baseline's (1 % for a p99)."""
PRIOR_WEIGHT = 50.0
"""For how many observations the nominal exceedance rate counts at the start."""
FAIL, PASS = Edge(0.0, 1), Edge(0.0, -1)
STATE = (
    *("open_baseline", "open_candidate", "baseline", "candidate", "threshold_s", "newer", "older"),
    *("open_seen", "blocks", "fail_wealth", "pass_wealth"),
)
"""What is saved besides the answers, in this order."""


@dataclass(frozen=True, slots=True)
class ExceedancesConfiguration:
    """What is asked of the tail, and how often a wrong answer is allowed.

    Attributes:
        margin: a quantile larger by this part must not pass (0.1: a tenth).
        quantile: of the baseline, whose exceedances count.
        blocks_per_hour: how many blocks with observations the threshold looks back at, at most.
        unit: what one observation is.
    """

    margin: float = 0.1
    quantile: float = 0.99
    blocks_per_hour: int = 360
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    unit: str = "request"

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)
        if self.margin < 0.0 or not 0.5 <= self.quantile < 1.0:
            raise ValueError("a margin of 0 or more and a quantile from 0.5 to below 1 are needed")
        if self.blocks_per_hour < 2:
            raise ValueError("an hour has at least two blocks")


class Exceedances:
    """Passed, failed or undecided on a candidate's latency tail, valid at every look.

    State: 9 logarithms of wealth, 12 counts, a threshold, and two histograms of 1,854 bins, 30 kB a
    run. A million durations of each arm cost about 0.1 s.
    """

    def __init__(
        self, configuration: ExceedancesConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        # Of each arm: observations, exceedances of t, exceedances of (1 + margin) t.
        self._open_baseline = np.zeros((*shape, 2), np.int64)
        self._open_candidate = np.zeros((*shape, 3), np.int64)
        self._baseline = np.zeros((*shape, 2), np.int64)
        self._candidate = np.zeros((*shape, 3), np.int64)
        self._threshold_s = np.full(shape, np.nan)
        self._newer = np.zeros((*shape, BINS.size), np.int64)
        self._older = np.zeros((*shape, BINS.size), np.int64)
        self._open_seen = np.zeros(shape, np.int64)
        self._blocks = np.zeros(shape, np.int64)
        self._fail_wealth = np.zeros((*shape, FAIL_EFFECTS.size))
        self._pass_wealth = np.zeros((*shape, PASS_EFFECTS.size))
        self._answers = Answers(configuration, shape)

    def update(self, baseline_s: ArrayLike, candidate_s: ArrayLike) -> None:
        """Add durations to the open block.

        Args:
            baseline_s, candidate_s: seconds, (*shape, n) and (*shape, m), or (n,) and (m,), the
                same for every run. Either may be empty.

        Raises:
            ValueError: another shape, or a duration that is none.
        """
        baseline = bounded(baseline_s, self._shape, 0.0, LONGEST_S)
        candidate = bounded(candidate_s, self._shape, 0.0, LONGEST_S)
        self._newer += BINS.histograms(baseline)
        self._open_seen += baseline.shape[-1] + candidate.shape[-1]
        known = ~np.isnan(self._threshold_s)
        threshold = self._threshold_s[..., None]
        # Nothing exceeds NaN; what came while there was no threshold is no trial either.
        self._open_baseline[..., 0] += known * baseline.shape[-1]
        self._open_baseline[..., 1] += (baseline > threshold).sum(axis=-1)
        self._open_candidate[..., 0] += known * candidate.shape[-1]
        self._open_candidate[..., 1] += (candidate > threshold).sum(axis=-1)
        above = (1.0 + self._configuration.margin) * threshold
        self._open_candidate[..., 2] += (candidate > above).sum(axis=-1)

    def close_block(self) -> None:
        """The open block counts from now on, is looked at, and moves the threshold."""
        rate = self.expected_rate()[..., None]
        self._fail_wealth += self._block_evidence(rate, FAIL_EFFECTS, FAIL, exceeded=1)
        self._pass_wealth += self._block_evidence(rate, PASS_EFFECTS, PASS, exceeded=2)
        self._baseline += self._open_baseline
        self._candidate += self._open_candidate
        self._open_baseline[...] = 0
        self._open_candidate[...] = 0
        self._move_threshold()
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def _block_evidence(self, rate: Array, effects: Array, edge: Edge, exceeded: int) -> Array:
        nominal = 1.0 - self._configuration.quantile
        baseline, candidate = alternatives(rate, nominal * effects, edge.kind)
        counts = (
            self._open_baseline[..., 0:1].astype(np.float64),
            self._open_baseline[..., 1:2].astype(np.float64),
            self._open_candidate[..., 0:1].astype(np.float64),
            self._open_candidate[..., exceeded : exceeded + 1].astype(np.float64),
        )
        return log_block_evidence(counts, baseline, candidate, edge)

    def _move_threshold(self) -> None:
        window = self._newer + self._older
        threshold = BINS.upper_quantile(window, self._configuration.quantile)
        self._threshold_s = np.where(window.sum(axis=-1) >= SEEN, threshold, np.nan)
        lived = self._open_seen > 0
        self._open_seen[...] = 0
        self._blocks += lived
        turned = lived & (self._blocks % (self._configuration.blocks_per_hour // 2) == 0)
        self._older[turned] = self._newer[turned]
        self._newer[turned] = 0

    def threshold_s(self) -> Array:
        """float64, the shape: what the open block is held against, in seconds; NaN if nothing."""
        return self._threshold_s.copy()

    def expected_rate(self) -> Array:
        """float64, the shape: how often the baseline exceeded its thresholds so far."""
        nominal = 1.0 - self._configuration.quantile
        trials, exceeded = self._baseline[..., 0], self._baseline[..., 1]
        return (PRIOR_WEIGHT * nominal + exceeded) / (PRIOR_WEIGHT + trials)

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "no heavier a tail", now."""
        return log_mixture(self._fail_wealth)

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "heavier by `margin` or more", now."""
        return log_mixture(self._pass_wealth)

    def failed(self) -> Array:
        """bool, the shape: "no heavier a tail" was rejected at some look so far."""
        return self._answers.failed()

    def passed(self) -> Array:
        """bool, the shape: "heavier by `margin` or more" was rejected at some look so far."""
        return self._answers.passed()

    def rates(self) -> tuple[Array, Array]:
        """float64, the shape: shares above the thresholds, baseline's and candidate's; NaN if none.

        Over all closed blocks, so only to be looked at: a share of traffic that changed distorts
        their difference, never the verdict.
        """
        with np.errstate(invalid="ignore"):
            baseline = self._baseline[..., 1] / self._baseline[..., 0]
            return baseline, self._candidate[..., 1] / self._candidate[..., 0]

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        The estimate is the difference of the two `rates`.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        trials = int(self._baseline[0]), int(self._candidate[0])
        baseline, candidate = self.rates()
        evidence = Evidence(
            estimate=float(candidate - baseline) if all(trials) else None,
            interval=None,
            observations=sum(trials),
            unit=configuration.unit,
            rule=(
                f"exceedances of the baseline's earlier {configuration.quantile:.4g} quantile: "
                f"fewer beyond {1.0 + configuration.margin:g} times it to pass, more to fail"
            ),
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=(
                "each arm has engines of its own",
                f"each {configuration.unit} was assigned to its arm at random",
                f"{configuration.unit}s of a block are independent of each other",
            ),
        )
        return self._answers.verdict(evidence, seen=all(trials))

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays | self._answers.arrays())

    @classmethod
    def load(cls, configuration: ExceedancesConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        guard = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(guard, f"_{name}", arrays[name])
        guard._answers.restore(arrays)
        return guard
