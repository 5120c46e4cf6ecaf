"""What a look at the guards gives: numbers of each guard, and what the block held. Types alone."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GuardNumbers:
    """One guard as of the last look, in the metric's own unit.

    Attributes:
        name: the guard as the spec has it.
        unit: what one observation is: request, unit, pair, probe, outcome.
        word: by this guard's evidence alone; only all guards together roll back.
        because: why it is undecided (no_data, no_labels, straddles), else "".
        margin, tolerated: harm that must not pass, and harm that must not fail.
        estimate, low, high: of the harm, candidate less baseline (engine_time: the median ratio
            less 1); None before there is any. Each end holds at the rollout's confidence.
        baseline, candidate: each arm's own value where the guard compares two, weighted over
            blocks as the estimate is; else None.
        baseline_count, candidate_count: observations of each.
        fail_evidence, pass_evidence: log e-value over the log that decides: 1 and more decides.
        share: its part of the evidence of all guards together.
        rule, method, error_rate, assumptions: as in `statistics.verdict.Evidence`.
        over_tolerated: of engine_time, probes in which the candidate took longer than tolerated.
    """

    name: str
    metric: str
    unit: str
    word: Literal["passed", "failed", "undecided"]
    because: str
    margin: float
    tolerated: float
    estimate: float | None
    low: float | None
    high: float | None
    baseline: float | None
    candidate: float | None
    baseline_count: int
    candidate_count: int
    fail_evidence: float
    pass_evidence: float
    share: float
    required: bool
    rule: str
    method: str
    error_rate: float
    assumptions: tuple[str, ...]
    over_tolerated: int | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Predictions of one block, whatever became of them; errors are the arms' own harm."""

    seconds: float
    baseline: int = 0
    candidate: int = 0
    shadow: int = 0
    baseline_errors: int = 0
    candidate_errors: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What closing a block told.

    Attributes:
        units: by stage, candidate units of this block: in a canary, requests that counted, or with
            a sticky key units that counted and units of earlier stages that the candidate answered
            here for the first time; in a shadow, pairs.
        failed: all guards together found harm at this look or an earlier one.
        passed: every required guard has passed, and nothing failed.
        harm: what was found, for people; "" unless failed.
    """

    units: dict[str, int]
    failed: bool
    passed: bool
    harm: str
    traffic: Traffic
