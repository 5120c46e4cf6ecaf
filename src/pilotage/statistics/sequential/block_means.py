"""Is the candidate worse, when nothing is known of how outcomes in a block hang together?

The promise: P(ever failed | harm is at most `tolerated` in every block) <= `error_rate_fail`, and
P(ever passed | harm is at least `margin` in every block) <= `error_rate_pass`, however often one
looks. Harm is the expected difference of the two arms' means in a block.

When: errors come in bursts of unknown size (a broken client, a queue that backs up) and there is
time: a block is one observation here, however many requests it holds, so this takes many times
longer than `two_arms`. Assumes that arms were assigned at random, and nothing of what happens
within a block.

How: each block's D = mean of the candidate - mean of the baseline lies in [-1, 1]. Against "E D is
at most d" bet with factors 1 + stake * (D - d), stakes of 0.95 / (1 + d) times 1, 1/2, ..., 1/32,
in equal parts; for a pass the same on -D with d = -`margin`. A block with an empty arm is no
evidence.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B
2024 (arXiv 2010.09686), applied to blocks.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.arm_counts import ArmCounts
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "block_means/1"
METHOD = "betting on the difference of a block's means"
BOLDNESS = 0.95 * 0.5 ** np.arange(6)
"""What each stake can lose at most in one block, as a share of its capital."""


@dataclass(frozen=True, slots=True)
class BlockMeansConfiguration:
    """What is asked of the two means, and how often a wrong answer is allowed.

    As in `two_arms`: harm of `margin` must not pass, harm of `tolerated` must not fail, and with
    `larger_is_better` the absence of an event is the harm. `unit` is what a mean is taken over.
    """

    margin: float
    tolerated: float = 0.0
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    larger_is_better: bool = False
    unit: str = "request"

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)
        if not 0.0 <= self.tolerated <= self.margin < 1.0:
            raise ValueError("0 <= tolerated <= margin < 1 is needed")


class BlockMeans:
    """Passed, failed or undecided on the harm of a candidate, whatever a block's outcomes share.

    State: 12 logarithms of wealth and 11 counts, 184 bytes of numbers a run.
    """

    def __init__(self, configuration: BlockMeansConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._counts = ArmCounts(shape, larger_is_better=configuration.larger_is_better)
        self._fail_wealth = np.zeros((*shape, BOLDNESS.size))
        self._pass_wealth = np.zeros((*shape, BOLDNESS.size))
        self._answers = Answers(configuration, shape)

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
        """The open block counts as one observation from now on, and is looked at."""
        configuration = self._configuration
        trials_b, harm_b, trials_c, harm_c = self._counts.open_block()
        speaks = ((trials_b > 0) & (trials_c > 0))[..., None]
        difference = harm_c / np.maximum(trials_c, 1.0) - harm_b / np.maximum(trials_b, 1.0)
        above = (difference - configuration.tolerated)[..., None] / (1.0 + configuration.tolerated)
        below = (configuration.margin - difference)[..., None] / (1.0 - configuration.margin)
        self._fail_wealth += np.where(speaks, np.log1p(BOLDNESS * above), 0.0)
        self._pass_wealth += np.where(speaks, np.log1p(BOLDNESS * below), 0.0)
        self._counts.close_block()
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "harm is at most `tolerated`", now."""
        return log_mixture(self._fail_wealth)

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "harm is at least `margin`", now."""
        return log_mixture(self._pass_wealth)

    def failed(self) -> Array:
        """bool, the shape: "harm is at most `tolerated`" was rejected at some look so far."""
        return self._answers.failed()

    def passed(self) -> Array:
        """bool, the shape: "harm is at least `margin`" was rejected at some look so far."""
        return self._answers.passed()

    def difference(self) -> Array:
        """float64, the shape: harm of the candidate, weighted over blocks; NaN before any."""
        return self._counts.difference()

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        baseline, _, candidate, _ = (int(each) for each in self._counts.totals())
        estimate = float(self.difference())
        evidence = Evidence(
            estimate=None if np.isnan(estimate) else estimate,
            interval=None,
            observations=baseline + candidate,
            unit=configuration.unit,
            rule=(
                f"rate of harm, candidate less baseline: below {configuration.margin:g} to pass, "
                f"above {configuration.tolerated:g} to fail"
            ),
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=(f"each {configuration.unit} was assigned to its arm at random",),
        )
        return self._answers.verdict(evidence, seen=bool(baseline and candidate))

    def save(self) -> bytes:
        """The whole state, the open block included."""
        wealth = {"fail_wealth": self._fail_wealth, "pass_wealth": self._pass_wealth}
        arrays = self._counts.arrays() | wealth | self._answers.arrays()
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: BlockMeansConfiguration, data: bytes) -> Self:
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
