"""Rollouts for tests: an identity, numbers of a guard, with what a test does not care about."""

from dataclasses import replace

from pilotage.checks.live.numbers import GuardNumbers
from pilotage.control.rollouts.identity import Identity, Party
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec

ERRORS = GuardSpec("error_rate", 0.005, 0.0, "error_rate not_worse_by 0.5pp")
SPEC = RolloutSpec(
    stages=(
        StageSpec("shadow", 0, 60.0, 100),
        StageSpec("canary", 50_000, 600.0, 500),
        StageSpec("canary", 250_000, 600.0, 500),
    ),
    guards=(ERRORS,),
)
IDENTITY = Identity(
    endpoint="jobs",
    baseline=Party("aaaaaaaaaaaa", "a" * 64, "v1.onnx"),
    candidate=Party("bbbbbbbbbbbb", "b" * 64, "v2.onnx"),
    spec=SPEC,
)
NUMBERS = GuardNumbers(
    name=ERRORS.text,
    metric="error_rate",
    unit="request",
    word="undecided",
    because="straddles",
    margin=0.005,
    tolerated=0.0,
    estimate=0.001,
    low=-0.004,
    high=0.006,
    baseline=0.003,
    candidate=0.004,
    baseline_count=950,
    candidate_count=50,
    fail_evidence=0.1,
    pass_evidence=0.2,
    share=1.0,
    required=True,
    rule="rate of harm, candidate less baseline: below 0.005 to pass, above 0 to fail",
    method="mixture of bets on two arms in blocks",
    error_rate=0.05,
    assumptions=("requests of a block are independent of each other",),
)


def identity(**changes) -> Identity:
    """The identity with another spec, where words of a spec are given."""
    fields = {name: changes.pop(name) for name in list(changes) if hasattr(IDENTITY, name)}
    return replace(IDENTITY, spec=replace(SPEC, **changes), **fields)


def numbers(**changes) -> GuardNumbers:
    return replace(NUMBERS, **changes)
