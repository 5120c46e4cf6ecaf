"""Is the candidate worse than the baseline? A guard on two proportions, valid at every look.

The promise: P(ever failed | harm is at most `tolerated` in every block) <= `error_rate_fail`, and
P(ever passed | harm is at least `margin` in every block) <= `error_rate_pass`, however often one
looks. Harm is the candidate's rate less the baseline's (or, relative, its excess in parts of it).

When: errors, disagreements, wrong or slow answers of two arms that serve at the same time and were
assigned at random. Rates may drift, the share of traffic may change and both arms may fail
together: only what differs within a block counts. Assumes that outcomes are independent given the
block; where at most m of one block hang together, `cluster=m` (evidence m times slower); where
nothing is known, `block_means`; where users stick to an arm, feed it from `units`.

How: against each of two hypotheses, a mixture of bets on several effects (`block_evidence`), the
baseline's rate expected as it was in the blocks before. Fail effects are 1/2, 1, 2, 4, 8 and 32
margins above `tolerated`; pass effects 1, 3/4 and 1/2 margins below `margin`. Large effects get
little of the capital, since they show within a few requests anyhow (see `FAIL_WEIGHTS`).

Source: Turner, Ly & Grünwald (2024), arXiv 2106.02693; Turner & Grünwald (2023), arXiv 2203.09785.

    >>> guard = TwoArms(TwoArmsConfiguration(margin=0.005, baseline_rate=0.003))
    >>> for _ in range(6):
    ...     guard.update(950, 3, 50, 1)
    ...     guard.close_block()
    >>> bool(guard.failed()), float(guard.difference().round(4))
    (True, 0.0168)
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.interval import Interval
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.arm_counts import ArmCounts
from pilotage.statistics.sequential.block_evidence import (
    Edge,
    Kind,
    alternatives,
    log_block_evidence,
)
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold, tempered
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "two_arms/1"
METHOD = "mixture of bets on two arms in blocks"
FAIL_MARGINS = (0.5, 1.0, 2.0, 4.0, 8.0, 32.0)
FAIL_WEIGHTS = (0.2, 0.4, 0.25, 0.1, 0.03, 0.02)
"""What part of the capital is bet on each. Against equal parts, at a base rate of 0.3 % and of 1 %,
harm of one margin is found after 1,232 and 2,826 canary requests in the median instead of 1,449 and
3,503 (95 %: 3,949 and 8,914 instead of 4,275 and 9,924), harm of four margins after 192 and 352
instead of 195 and 351 (3,000 runs, margin 0.005, 50 canary requests and 950 others a block)."""
PASS_MARGINS = (1.0, 0.75, 0.5)
PASS_WEIGHTS = (0.6, 0.25, 0.15)
"""The same for a pass: an equal candidate passes after 1,338 and 2,894 canary requests in the
median instead of 1,469 and 3,120 (95 %: 3,594 and 8,344 instead of 3,438 and 8,280)."""
TIMES_KNOWN = 20.0
"""A block counts in full up to this many times what is known of the baseline, its start included.
With a rate of 10 %, 9,500 + 500 requests a block and a start of 1 %, one margin of harm is then
found after 28,000 canary requests instead of 46,500. Less would cost a block where the start is
right."""
MARGIN_WITHOUT = 0.005
"""The step of the effects where no margin is accepted, in the rate's own unit."""
RELATIVE_MARGIN_WITHOUT = 0.1
"""The same for a relative one."""


@dataclass(frozen=True, slots=True)
class TwoArmsConfiguration:
    """What is asked of the two rates, and how often a wrong answer is allowed.

    Attributes:
        margin: the harm that must not pass (0.005: half a point; relative: 0.1 is a tenth more).
        tolerated: the harm that must not fail, at most `margin`. A truth between them may get
            either answer; where they are equal, a candidate on the edge stays undecided for ever.
        error_rate_pass, error_rate_fail: P(ever passed | BAD) and P(ever failed | GOOD), at most.
        cluster: at most so many outcomes of a block hang together; 1 if they are independent.
        baseline_rate: the baseline's rate of harm expected at the start, such as its last day's;
            a wrong one costs evidence in the first blocks, never the error rate.
        baseline_weight: for how many observations `baseline_rate` counts.
        larger_is_better: events are good ones, and harm is their absence.
        kind: whether margins are differences of rates or parts of the baseline's rate of harm.
        unit: what one observation is: request, unit, principal.
        fail_effects, pass_effects: harms to bet on in equal parts, instead of those above.
    """

    margin: float
    tolerated: float = 0.0
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    cluster: int = 1
    baseline_rate: float = 0.01
    baseline_weight: float = 50.0
    larger_is_better: bool = False
    kind: Kind = "absolute"
    unit: str = "request"
    fail_effects: tuple[float, ...] = ()
    pass_effects: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)
        if not 0.0 <= self.tolerated <= self.margin:
            raise ValueError("0 <= tolerated <= margin is needed")
        if self.kind == "absolute" and self.margin >= 1.0:
            raise ValueError("a difference of two rates is below 1")
        if self.cluster < 1:
            raise ValueError("a cluster has at least one outcome")
        if not 0.0 < self.baseline_rate < 1.0 or self.baseline_weight <= 0.0:
            raise ValueError("a rate between 0 and 1 and a weight above 0 are needed to start from")

    def bets(self) -> tuple["Bets", "Bets"]:
        """Those against the two hypotheses: fail and pass."""
        without = MARGIN_WITHOUT if self.kind == "absolute" else RELATIVE_MARGIN_WITHOUT
        step = self.margin or without
        fail = self.fail_effects or [self.tolerated + step * m for m in FAIL_MARGINS]
        pass_ = self.pass_effects or [self.margin - step * m for m in PASS_MARGINS]
        fail_weights = None if self.fail_effects else np.asarray(FAIL_WEIGHTS)
        pass_weights = None if self.pass_effects else np.asarray(PASS_WEIGHTS)
        return (
            Bets(Edge(self.tolerated, 1, self.kind), np.asarray(fail, np.float64), fail_weights),
            Bets(Edge(self.margin, -1, self.kind), np.asarray(pass_, np.float64), pass_weights),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """The harms to bet on against one hypothesis, with their parts of the capital (equal: None)."""

    edge: Edge
    effects: Array
    weights: Array | None = None


class TwoArms:
    """Passed, failed or undecided on the harm of a candidate, valid at every look.

    State: 9 logarithms of wealth and 11 counts, 160 bytes of numbers a run. `failed` and `passed`
    are sticky, both sides are bet on to the end, and harm found late overrides a pass.
    """

    def __init__(self, configuration: TwoArmsConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._fail_bets, self._pass_bets = configuration.bets()
        self._counts = ArmCounts(shape, larger_is_better=configuration.larger_is_better)
        self._fail_wealth = np.zeros((*shape, self._fail_bets.effects.size))
        self._pass_wealth = np.zeros((*shape, self._pass_bets.effects.size))
        self._answers = Answers(configuration, shape)

    def update(
        self,
        baseline_trials: ArrayLike,
        baseline_events: ArrayLike,
        candidate_trials: ArrayLike,
        candidate_events: ArrayLike,
    ) -> None:
        """Add observations of both arms to the open block.

        Args:
            baseline_trials, candidate_trials: counts, of the procedure's shape or broadcast to it.
            baseline_events, candidate_events: how many of them had the event, or a sum of values in
                [0, 1].

        Raises:
            ValueError: another shape, or events outside 0 to trials.
        """
        self._counts.update(baseline_trials, baseline_events, candidate_trials, candidate_events)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at. An empty arm is no evidence."""
        rate = self.expected_baseline_rate()
        self._fail_wealth += self._block_evidence(rate, self._fail_bets)
        self._pass_wealth += self._block_evidence(rate, self._pass_bets)
        self._counts.close_block()
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "harm is at most `tolerated`", now."""
        return log_mixture(self._fail_wealth, self._fail_bets.weights)

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "harm is at least `margin`", now."""
        return log_mixture(self._pass_wealth, self._pass_bets.weights)

    def failed(self) -> Array:
        """bool, the shape: "harm is at most `tolerated`" was rejected at some look so far."""
        return self._answers.failed()

    def passed(self) -> Array:
        """bool, the shape: "harm is at least `margin`" was rejected at some look so far.

        Where `failed` too, the verdict is failed.
        """
        return self._answers.passed()

    def expected_baseline_rate(self) -> Array:
        """float64, the shape: the baseline's rate of harm in the closed blocks and at the start."""
        configuration = self._configuration
        return self._counts.baseline_rate(
            configuration.baseline_rate, configuration.baseline_weight
        )

    def difference(self) -> Array:
        """float64, the shape: harm of the candidate, weighted over blocks; NaN before any.

        Relative where the configuration is.
        """
        if self._configuration.kind == "relative":
            return self._counts.relative_difference()
        return self._counts.difference()

    def rates(self) -> tuple[Array, Array]:
        """float64, the shape: both arms' rates of harm, weighted over blocks; NaN before any."""
        return self._counts.rates()

    def observations(self) -> tuple[Array, Array]:
        """float64, the shape: trials of the baseline and the candidate in closed blocks."""
        baseline, _, candidate, _ = self._counts.totals()
        return baseline.copy(), candidate.copy()

    def verdict(self, interval: Interval | None = None) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Args:
            interval: for the difference, from `difference_interval` over the same data.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        baseline, candidate = (int(each) for each in self.observations())
        estimate = float(self.difference())
        evidence = Evidence(
            estimate=None if np.isnan(estimate) else estimate,
            interval=interval,
            observations=baseline + candidate,
            unit=configuration.unit,
            rule=_rule(configuration),
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=_assumptions(configuration),
        )
        return self._answers.verdict(evidence, seen=bool(baseline and candidate))

    def save(self) -> bytes:
        """The whole state, the open block included."""
        wealth = {"fail_wealth": self._fail_wealth, "pass_wealth": self._pass_wealth}
        arrays = self._counts.arrays() | wealth | self._answers.arrays()
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: TwoArmsConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        loaded = cls(configuration, arrays["failed"].shape)
        loaded._counts.restore(arrays)
        loaded._fail_wealth, loaded._pass_wealth = arrays["fail_wealth"], arrays["pass_wealth"]
        loaded._answers.restore(arrays)
        return loaded

    def _block_evidence(self, rate: Array, bets: Bets) -> Array:
        """float64 (*shape, effects): what the open block adds to each bet of one side."""
        edge = bets.edge
        # Effects come first here: arrays of many runs are then long where NumPy is fast.
        effects = bets.effects.reshape(-1, *(1 for _ in self._shape))
        baseline, candidate = alternatives(rate, effects, edge.kind)
        evidence = log_block_evidence(self._counts.open_block(), baseline, candidate, edge)
        bold = self._counts.boldness(self._configuration.baseline_weight, TIMES_KNOWN)
        return np.moveaxis(tempered(evidence, self._configuration.cluster) * bold, 0, -1)


def _rule(configuration: TwoArmsConfiguration) -> str:
    what = "rate of harm, candidate less baseline"
    if configuration.kind == "relative":
        what += ", in parts of the baseline's"
    return (
        f"{what}: below {configuration.margin:g} to pass, above {configuration.tolerated:g} to fail"
    )


def _assumptions(configuration: TwoArmsConfiguration) -> tuple[str, ...]:
    assigned = f"each {configuration.unit} was assigned to its arm at random"
    if configuration.cluster == 1:
        return assigned, f"{configuration.unit}s of a block are independent of each other"
    return (
        assigned,
        f"at most {configuration.cluster} {configuration.unit}s of a block hang together",
    )
