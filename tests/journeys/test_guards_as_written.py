"""Whatever guard may be written can be judged: the ends of every margin, confidence and block."""

import pytest

from pilotage.checks.live.evidence import Evidence
from pilotage.spec.guard_words import GUARDS
from pilotage.spec.guards import MARGIN_LOW, read_guard, text_of
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec

STAGES = (StageSpec("shadow", 0, 600.0, 500), StageSpec("canary", 50_000, 600.0, 500))


def guards_at_the_ends() -> list[GuardSpec]:
    """Each metric with its smallest and largest margin, tolerating nothing and all of it."""
    found: list[GuardSpec] = []
    for word in GUARDS.values():
        like = read_guard(word.example)
        high = 0.999 * (like.high - like.low) if word.amount == "number" else word.high
        low = MARGIN_LOW * (like.high - like.low) if word.amount == "number" else MARGIN_LOW
        for margin in (low, high):
            for tolerated in (0.0, margin):
                made = GuardSpec(
                    *(word.name, margin, tolerated, "", like.of),
                    beyond=like.beyond,
                    low=like.low,
                    high=like.high,
                )
                found.append(read_guard(text_of(made)))
    return found


@pytest.mark.parametrize("guard", guards_at_the_ends(), ids=lambda guard: guard.text)
@pytest.mark.parametrize(("confidence", "block_s"), [(0.5, 0.1), (0.95, 10.0), (0.9999, 3600.0)])
def test_a_guard_that_can_be_written_can_be_judged(guard, confidence, block_s):
    spec = RolloutSpec(STAGES, (guard,), confidence=confidence, block_s=block_s)
    evidence = Evidence(spec, rollout="r", endpoint="m")
    for _ in range(3):
        looked = evidence.close_block(block_s)
        assert not looked.failed
        assert not looked.passed
    (numbers,) = evidence.numbers()
    assert numbers.name == guard.text
