"""A rollout as it is shown: one shape for the terminal, the page, `rollout status --json`.

Pure data, made by `viewing` from state and evidence. Rates and margins are in the metric's own
unit; times are seconds. Whatever a page or screen says stands in here or is worded from it.
"""

from typing import Literal

from msgspec import Struct


class GuardView(Struct, frozen=True):
    """One guard as of the last look.

    Attributes:
        name: the guard as the spec has it ("error_rate not_worse_by 0.5pp").
        metric: as in `spec.rollouts.GuardMetric`.
        unit: what one observation is: request, unit, pair, probe, outcome.
        word: passed, failed or undecided; only all guards together roll back.
        because: why it is undecided ("no_data", "straddles", "no_labels", "horizon"), else "".
        margin, tolerated: harm that must not pass, and harm that must not fail.
        estimate, low, high: of the harm, candidate less baseline; None before there is any.
        baseline, candidate: each arm's own value, where the guard compares two; else None.
        baseline_count, candidate_count: observations of each (pairs, probes: the same number).
        fail_evidence, pass_evidence: log e-value over the log that decides: 1 and more decides.
        share: its part of the evidence of all guards together.
        expected_s: until it decides, if it goes on as it did; None where nothing can be said.
        required: must pass before the candidate goes live.
        history: (elapsed_s, low, estimate, high) at some looks, oldest first, for a picture.
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
    expected_s: float | None
    required: bool
    history: list[tuple[float, float | None, float | None, float | None]]


class StageView(Struct, frozen=True):
    """One stage: what it is, whether it is over, and how much of its exposure is met."""

    name: str
    kind: Literal["shadow", "canary", "live"]
    share_ppm: int
    when: Literal["done", "now", "next", "never"]
    lasts_s: float
    units: int
    seen_s: float
    seen_units: int


class TrafficView(Struct, frozen=True):
    """Requests a second of each arm in one block, copies and errors included."""

    elapsed_s: float
    baseline: float
    candidate: float
    shadow: float
    baseline_errors: float
    candidate_errors: float


class Happened(Struct, frozen=True):
    """Something that people want to know of, in the order of time; `at` is since the epoch."""

    at: float
    text: str


class RolloutView(Struct, frozen=True):
    """A whole rollout.

    Attributes:
        sentence: the one line that answers "what is going on?".
        phase: as in `table.Phase`.
        because: why it waits or ended.
        baseline, candidate: version ids; the names are those of the files.
        confidence: 1 - the error rate of either answer.
        expected_s: until the rollout decides, if it goes on as it did; None if unknown.
        assumptions: whole clauses on which the error rates stand.
        counts: what else was counted: retries, outcomes unknown or corrected, and the like.
        verdict: the id of the verdict that ended it, "" before.
        updated_at: since the epoch.
    """

    rollout: str
    endpoint: str
    phase: str
    because: str
    sentence: str
    baseline: str
    candidate: str
    baseline_name: str
    candidate_name: str
    stages: list[StageView]
    guards: list[GuardView]
    traffic: list[TrafficView]
    happened: list[Happened]
    confidence: float
    promote_on: str
    then: str
    sticky_by: str
    block_s: float
    elapsed_s: float
    patience_s: float
    expected_s: float | None
    assumptions: list[str]
    counts: dict[str, int]
    verdict: str
    updated_at: float
