"""Every procedure sees the same simulated days; what each did is counted."""

from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.peers import Peer
from benchmarks.decisions.streams import LOOK_S, LOOKS_A_DAY, Array, Counts, Truth, looks
from pilotage.statistics.fixed.proportions import clopper_pearson
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration

MARGIN = 0.005


class Guard:
    """Ours: fails on harm above 0, passes below half a point, 5 % each, from both arms' blocks."""

    name = "Pilotage guard"

    def __init__(self, base: float) -> None:
        # A rollout knows its live version's error rate; half of it is a wrong start on purpose.
        self.configuration = TwoArmsConfiguration(margin=MARGIN, baseline_rate=base / 2)

    def start(self, runs: int) -> None:
        self.arms = TwoArms(self.configuration, (runs,))

    def see(self, look: int, counts: Counts) -> Array:  # noqa: ARG002
        self.arms.update(
            counts.baseline, counts.baseline_errors, counts.candidate, counts.candidate_errors
        )
        self.arms.close_block()
        return self.arms.failed()

    def passed(self) -> Array:
        return self.arms.passed()


@dataclass(frozen=True, slots=True)
class Tally:
    """What one procedure did in many runs. `minutes`, `requests`: of the runs that rolled back."""

    name: str
    runs: int
    rolled_back: int
    minutes: Array
    requests: Array
    passed: int | None = None
    pass_requests: Array | None = None

    def rate(self) -> tuple[float, float, float]:
        """The share of runs rolled back, with its exact 95 % interval."""
        interval = clopper_pearson(self.rolled_back, self.runs, confidence=0.95)
        return self.rolled_back / self.runs, interval.low, interval.high


class Watch:
    """The first look at which something is true of each run, and its candidate requests by then."""

    def __init__(self, runs: int) -> None:
        self.look = np.full(runs, -1)
        self.requests = np.zeros(runs, dtype=np.int64)

    def note(self, look: int, true: Array, seen: Array) -> None:
        new = true & (self.look < 0)
        self.look[new] = look
        self.requests[new] = seen[new]

    @property
    def happened(self) -> Array:
        return self.look >= 0


def judge(
    truth: Truth, peers: list[Peer], *, runs: int, seed: int, number: int = LOOKS_A_DAY
) -> list[Tally]:
    """Ours first, then the peers, on the same streams."""
    guard = Guard(truth.base)
    everyone = [guard, *peers]
    for one in everyone:
        one.start(runs)
    watches = [Watch(runs) for _ in everyone]
    passes = Watch(runs)
    seen = np.zeros(runs, dtype=np.int64)
    for look, counts in enumerate(looks(truth, runs, seed, number)):
        seen = seen + counts.candidate
        for one, watch in zip(everyone, watches, strict=True):
            watch.note(look, one.see(look, counts), seen)
        passes.note(look, guard.passed(), seen)
    return [
        Tally(
            one.name,
            runs,
            int(watch.happened.sum()),
            (watch.look[watch.happened] + 1) * LOOK_S / 60,
            watch.requests[watch.happened],
            int(passes.happened.sum()) if one is guard else None,
            passes.requests[passes.happened] if one is guard else None,
        )
        for one, watch in zip(everyone, watches, strict=True)
    ]
