"""Two arms judged and shown: the e-process of `two_arms`, and beside it the interval for people.

Values are brought to [0, 1], where harm is a rate; what is shown is in the metric's own unit. The
interval is the dear part, so closed blocks wait for it and are counted together about once a minute
(`BUNDLE_S`); at the start, and when an answer comes, they are counted at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from pilotage.checks.live.tallies import OfStage
from pilotage.spec.rollouts import GuardSpec, RolloutSpec
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.difference_interval import (
    DifferenceInterval,
    DifferenceIntervalConfiguration,
)
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.verdict import Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT: Final = "live_arms/1"
BUNDLE_S: Final = 60.0
"""So many seconds of blocks are counted together for the interval."""
LEAST_RESOLUTION, LARGEST_RESOLUTION = 0.0005, 0.5
LARGEST_MARGIN: Final = 0.99
"""In parts of what is possible; more than everything cannot be lost."""
EXPECTED_HARM: Final = {"error_rate": 0.01, "accuracy": 0.2, "rate": 0.5, "mean": 0.5}
"""The baseline's rate of harm before anything is seen. A wrong one costs evidence in the first
blocks, never the error rate."""


@dataclass(frozen=True, slots=True)
class ArmsConfiguration:
    """How one guard is asked of two arms.

    Attributes:
        two_arms, interval: of the procedures.
        span: what 1 of a rate is in the metric's own unit; low: what 0 of a value is.
        larger_is_better: values are good, and harm is what is missing to the largest.
    """

    two_arms: TwoArmsConfiguration
    interval: DifferenceIntervalConfiguration
    span: float = 1.0
    low: float = 0.0
    larger_is_better: bool = False


def configuration_of(guard: GuardSpec, spec: RolloutSpec, *, unit: str) -> ArmsConfiguration:
    """How the guard is asked: margins in parts of what is possible, errors as the spec allows."""
    span = guard.high - guard.low if guard.metric == "mean" else 1.0
    better = guard.metric != "error_rate"
    expected = EXPECTED_HARM[guard.metric]
    margin = min(guard.margin / span, LARGEST_MARGIN)
    resolution = min(max(margin or 0.005, LEAST_RESOLUTION), LARGEST_RESOLUTION)
    return ArmsConfiguration(
        TwoArmsConfiguration(
            margin=margin,
            tolerated=min(guard.tolerated / span, margin),
            error_rate_pass=spec.error_rate,
            error_rate_fail=spec.error_rate,
            baseline_rate=expected,
            larger_is_better=better,
            unit=unit,
        ),
        DifferenceIntervalConfiguration(
            resolution=resolution,
            error_rate=spec.error_rate,
            bundle=max(1, math.ceil(BUNDLE_S / spec.block_s)),
            baseline_rate=expected,
            larger_is_better=better,
        ),
        span=span,
        low=guard.low if guard.metric == "mean" else 0.0,
        larger_is_better=better,
    )


@dataclass(frozen=True, slots=True)
class ArmsShown:
    """What people see of two arms, in the metric's own unit; None before there is any."""

    estimate: float | None
    low: float | None
    high: float | None
    baseline: float | None
    candidate: float | None
    baseline_count: int
    candidate_count: int


class Arms:
    """One question of two arms, over blocks of each stage."""

    def __init__(self, configuration: ArmsConfiguration) -> None:
        self._configuration = configuration
        self.judge = TwoArms(configuration.two_arms)
        self._interval = DifferenceInterval(configuration.interval)
        self._blocks = 0

    def look(self, stages: Sequence[OfStage]) -> None:
        """A block of each stage that saw something counts from now on, and is looked at."""
        before = self._answers()
        for each in stages:
            if each.observations.baseline_trials or each.observations.candidate_trials:
                for procedure in (self.judge, self._interval):
                    procedure.update(*each.observations)
                    procedure.close_block()
                self._blocks += 1
        if self._blocks <= self._configuration.interval.bundle or self._answers() != before:
            self._interval.look()

    def _answers(self) -> tuple[bool, bool]:
        return bool(self.judge.failed()), bool(self.judge.passed())

    def any_seen(self) -> bool:
        """Whether both arms were seen, so that there is something to compare."""
        baseline, candidate = self.judge.observations()
        return bool(baseline and candidate)

    def verdict(self) -> Verdict:
        """As `two_arms` says it."""
        return self.judge.verdict()

    def shown(self) -> ArmsShown:
        """For people."""
        baseline_count, candidate_count = (int(each) for each in self.judge.observations())
        estimate = float(self.judge.difference())
        span = self._configuration.span
        if math.isnan(estimate):
            return ArmsShown(None, None, None, None, None, baseline_count, candidate_count)
        low, high = (float(each) for each in self._interval.bounds())
        known = low <= high and (low > -1.0 or high < 1.0)
        baseline, candidate = (self._value(float(each)) for each in self.judge.rates())
        return ArmsShown(
            estimate * span,
            low * span if known else None,
            high * span if known else None,
            baseline,
            candidate,
            baseline_count,
            candidate_count,
        )

    def _value(self, harm: float) -> float:
        """A rate of harm as the metric's own value."""
        if not self._configuration.larger_is_better:
            return harm
        return self._configuration.low + (1.0 - harm) * self._configuration.span

    def save(self) -> bytes:
        """The whole state."""
        arrays: dict[str, Array] = {
            "judge": np.frombuffer(self.judge.save(), np.uint8),
            "interval": np.frombuffer(self._interval.save(), np.uint8),
            "blocks": np.array(self._blocks, np.int64),
        }
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: ArmsConfiguration, data: bytes) -> Self:
        """As it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        loaded = cls(configuration)
        loaded.judge = TwoArms.load(configuration.two_arms, arrays["judge"].tobytes())
        interval = arrays["interval"].tobytes()
        loaded._interval = DifferenceInterval.load(configuration.interval, interval)
        loaded._blocks = int(arrays["blocks"])
        return loaded
