"""What a person asks of a rollout: its candidate, its stages, its guards, and what is to follow.

Numbers are in the metric's own unit: percentage points become a fraction (`0.5pp` is 0.005), a
duration seconds. `line` is where a guard stands in its file, 0 when it was made otherwise.
"""

from dataclasses import dataclass
from typing import Final, Literal

GuardMetric = Literal[
    "error_rate",
    "disagreement",
    "difference",
    "engine_time",
    "engine_time_tail",
    "accuracy",
    "rate",
    "mean",
]

SHADOW_METRICS: Final = frozenset({"disagreement", "difference"})
"""Judged where both versions answer the same request, so they need a shadow stage."""
PROBE_METRICS: Final = frozenset({"engine_time", "engine_time_tail"})
"""Judged by timing probes, in every stage."""
OUTCOME_METRICS: Final = frozenset({"accuracy", "rate", "mean"})
"""Judged when outcomes arrive, in canary stages; larger is better."""


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """One question asked of candidate and baseline during the whole rollout.

    Attributes:
        metric: what is compared. `error_rate`: requests that ended as engine_error or
            invalid_output. `disagreement`: shadow pairs whose labels differ. `difference`: pairs
            whose numbers differ by more than `beyond`. `engine_time`: the median ratio of times in
            paired probes, less 1. `engine_time_tail`: the difference in shares of slow probes.
            `accuracy`: predicted label against outcomes of kind `of` ("label"). `rate`: yes-or-no
            outcomes of kind `of`. `mean`: numbers of kind `of`, between `low` and `high`.
        margin: the harm that must not pass.
        tolerated: the harm that must not fail the candidate, at most `margin`.
        of: the kind of outcome; "" where none is needed.
        beyond: of `difference`, in the output's own unit.
        low, high: of `mean`, the ends of what is possible.
        required: must pass before the candidate goes live; every guard can fail it.
        text: as it is shown, and the guard's name: unique within a rollout.
    """

    metric: GuardMetric
    margin: float
    tolerated: float
    text: str
    of: str = ""
    beyond: float = 0.0
    low: float = 0.0
    high: float = 1.0
    required: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One step of a rollout; it ends when its exposure is met and no guard failed.

    Attributes:
        kind: shadow (copies only) or canary (a share of the traffic).
        share_ppm: of canary, the candidate's share; 0 for shadow.
        lasts_s, units: the exposure: seconds, and candidate units (shadow: pairs) at least.
    """

    kind: Literal["shadow", "canary"]
    share_ppm: int
    lasts_s: float
    units: int

    @property
    def name(self) -> str:
        """As people and records call it: "shadow", "canary 5 %"."""
        if self.kind == "shadow":
            return "shadow"
        return f"canary {self.share_ppm / 10_000:g} %"


@dataclass(frozen=True, slots=True)
class RolloutSpec:
    """A whole rollout of one endpoint; which model is on trial is told beside it.

    Attributes:
        stages: in order, each name once; canary shares grow. Live follows the last.
        sticky_by: "" or "header:NAME", lower case.
        confidence: 1 - the error rate of either answer: P(ever rolled back | every harm tolerated)
            and P(ever passed | a harm at its margin or beyond) are at most 1 - confidence.
        patience_s: for the whole rollout, while the decider runs and the rollout is not paused.
        then: what follows when patience ends undecided.
        promote_on: guards: every required guard passed; exposure: none failed.
        block_s: the time between two looks.
        window_s, window_requests: how long a sticky unit is watched; whichever ends first.
        streams: what becomes of a rolled-back version's open streams.
    """

    stages: tuple[StageSpec, ...]
    guards: tuple[GuardSpec, ...]
    sticky_by: str = ""
    confidence: float = 0.95
    patience_s: float = 24 * 3600.0
    then: Literal["hold", "promote", "rollback"] = "hold"
    promote_on: Literal["guards", "exposure"] = "guards"
    block_s: float = 10.0
    window_s: float = 600.0
    window_requests: int = 50
    streams: Literal["drain", "cut"] = "drain"

    @property
    def error_rate(self) -> float:
        """How often either answer may be wrong; rounded, so that 95 % is 0.05."""
        return round(1.0 - self.confidence, 12)
