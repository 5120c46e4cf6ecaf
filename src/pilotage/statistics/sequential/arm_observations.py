"""What a block saw of two arms when an observation is somebody's mean, not a request's outcome."""

from typing import Literal, NamedTuple

Arm = Literal["baseline", "candidate"]
PARTS = 1 << 20
"""Means are multiples of 1/PARTS, rounded down, so that sums are exact in any order."""
IDENTITY_BYTES = 8


class ArmObservations(NamedTuple):
    """One block, in the order in which guards take it: `guard.update(*observations)`.

    Trials count means, events add them up.
    """

    baseline_trials: int
    baseline_events: float
    candidate_trials: int
    candidate_events: float


class Means:
    """Counts and sums of means by arm, until the block is taken."""

    def __init__(self) -> None:
        self.numbers = [0, 0, 0, 0]
        """Trials and parts of the baseline, then of the candidate."""

    def add(self, arm: Arm, parts: int, outcomes: int) -> None:
        """Count one mean: `outcomes` outcomes with `parts` in all."""
        place = 0 if arm == "baseline" else 2
        self.numbers[place] += 1
        self.numbers[place + 1] += parts // outcomes

    def take(self) -> ArmObservations:
        """What was counted since the last time."""
        trials_b, parts_b, trials_c, parts_c = self.numbers
        self.numbers = [0, 0, 0, 0]
        return ArmObservations(trials_b, parts_b / PARTS, trials_c, parts_c / PARTS)


def parts_of(value: float) -> int:
    """An outcome in [0, 1] as parts of PARTS.

    Raises:
        ValueError: outside, or no number.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError("an outcome lies between 0 and 1")
    return int(value * PARTS)


def number_of(identity: bytes) -> int:
    """The digest of a unit or principal as a number of 64 bits.

    Raises:
        ValueError: not IDENTITY_BYTES long.
    """
    if len(identity) != IDENTITY_BYTES:
        raise ValueError(f"{len(identity)} bytes, expected a digest of {IDENTITY_BYTES}")
    return int.from_bytes(identity, "big")
