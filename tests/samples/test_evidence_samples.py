"""Evidence that a decider of an earlier release had saved goes on for ever."""

import hashlib
import json
from pathlib import Path

import pytest

from pilotage.checks.live.evidence import Evidence
from pilotage.checks.live.numbers import GuardNumbers
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec

FOLDER = Path(__file__).parent / "evidence-1"
DIGESTS = {
    "state": "f6157ae0b7945292de1d5dd62b5dc9f955f09d2b26c4ac4b8a2a4bb422bacc7e",
    "after.json": "09b1539c3a06bc10e4d86df785acdbd6586ee01bc5a50b25e808b4b143921f50",
}
"""SHA-256 of the files, which are never made anew."""
SPEC = RolloutSpec(
    (
        StageSpec("shadow", 0, 600.0, 500),
        StageSpec("canary", 50_000, 600.0, 500),
        StageSpec("canary", 250_000, 600.0, 500),
    ),
    (
        GuardSpec("error_rate", 0.005, 0.0, "error_rate not_worse_by 0.5pp"),
        GuardSpec("disagreement", 0.05, 0.05, "disagreement at_most 5%"),
        GuardSpec("engine_time", 0.2, 0.05, "engine_time not_worse_by 20%"),
        GuardSpec("engine_time_tail", 0.01, 0.0, "engine_time_tail not_worse_by 1pp"),
        GuardSpec("accuracy", 0.02, 0.0, "accuracy not_worse_by 2pp", of="label", required=False),
    ),
    sticky_by="header:x-user-id",
    window_s=25.0,
)


def test_the_samples_are_the_files_that_were_released() -> None:
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in FOLDER.iterdir()}
    assert found == DIGESTS


def test_evidence_of_format_1_goes_on_to_the_same_numbers() -> None:
    state = (FOLDER / "state").read_bytes()
    evidence = Evidence.load(SPEC, state, rollout="rollout-1", endpoint="iris")
    evidence.close_block(10.0)
    after = json.loads((FOLDER / "after.json").read_text())
    assert evidence.counts() == after["counts"]
    for kept, numbers in zip(after["numbers"], evidence.numbers(), strict=True):
        _equal_up_to_rounding(kept, numbers)


def _equal_up_to_rounding(kept: dict, numbers: GuardNumbers) -> None:
    """Processors round logarithms in their own ways; words may be said better."""
    for field, value in kept.items():
        if field in ("rule", "method", "assumptions"):
            continue
        found = getattr(numbers, field)
        if isinstance(value, float):
            found = pytest.approx(found, rel=1e-9, abs=1e-12)
        assert value == found, f"{numbers.name}: {field}"
