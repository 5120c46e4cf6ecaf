"""Every procedure sees the same simulated days; when each rolled back or passed is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.decisions.peers import Peer
from benchmarks.decisions.streams import LOOK_S, LOOKS_A_DAY, Array, Counts, Truth, looks
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration

MARGIN: Final = 0.005
OURS: Final = "Pilotage guard"
PASSED: Final = "Pilotage guard, passed"


class Guard:
    """Ours: fails on harm above 0, passes below half a point, 5 % each, from both arms' blocks."""

    def __init__(self, base: float) -> None:
        # A rollout knows its live version's error rate; half of it is a wrong start on purpose.
        self.configuration = TwoArmsConfiguration(margin=MARGIN, baseline_rate=base / 2)

    def start(self, runs: int) -> None:
        self.arms = TwoArms(self.configuration, (runs,))

    def see(self, counts: Counts) -> None:
        self.arms.update(
            counts.baseline, counts.baseline_errors, counts.candidate, counts.candidate_errors
        )
        self.arms.close_block()


@dataclass(frozen=True, slots=True)
class Tally:
    """When something happened to each run: minutes and candidate requests, infinite for never."""

    minutes: Array
    requests: Array

    @property
    def happened(self) -> int:
        return int(np.isfinite(self.minutes).sum())

    @property
    def runs(self) -> int:
        return self.minutes.size

    def part(self, place: int, runs: int) -> "Tally":
        """The runs of one truth among several."""
        mine = slice(place * runs, (place + 1) * runs)
        return Tally(self.minutes[mine], self.requests[mine])


def merged(tallies: Sequence[dict[str, Tally]]) -> dict[str, Tally]:
    """The runs of several calls as one, by procedure."""
    return {
        name: Tally(
            np.concatenate([tally[name].minutes for tally in tallies]),
            np.concatenate([tally[name].requests for tally in tallies]),
        )
        for name in tallies[0]
    }


class _Watch:
    """The first look at which something is true of each run."""

    def __init__(self, runs: int) -> None:
        self.minutes = np.full(runs, np.inf)
        self.requests = np.full(runs, np.inf)

    def note(self, look: int, true: Array, seen: Array) -> None:
        new = true & np.isinf(self.minutes)
        self.minutes[new] = (look + 1) * LOOK_S / 60
        self.requests[new] = seen[new]

    def all(self) -> bool:
        return bool(np.isfinite(self.minutes).all())


def judge(
    truths: Sequence[Truth],
    peers: Sequence[Peer],
    runs: int,
    seed: Sequence[int],
    number: int = LOOKS_A_DAY,
    until: str = "",
) -> list[dict[str, Tally]]:
    """When ours and the peers rolled back, and when ours passed, on the same streams: by truth.

    The truths share their base rate, and are simulated side by side, since many runs at once cost
    little more than one. Stops early once `until` (`OURS` or `PASSED`) happened to every run.
    """
    guard = Guard(truths[0].base)
    days = runs * len(truths)
    guard.start(days)
    for peer in peers:
        peer.start(days)
    watches = {name: _Watch(days) for name in (OURS, PASSED, *(peer.name for peer in peers))}
    seen = np.zeros(days, dtype=np.int64)
    for look, counts in enumerate(looks(truths, runs, seed, number)):
        seen = seen + counts.candidate
        guard.see(counts)
        watches[OURS].note(look, guard.arms.failed(), seen)
        watches[PASSED].note(look, guard.arms.passed(), seen)
        for peer in peers:
            watches[peer.name].note(look, peer.see(look, counts), seen)
        if until and watches[until].all():
            break
    tallies = {name: Tally(watch.minutes, watch.requests) for name, watch in watches.items()}
    return [
        {name: tally.part(place, runs) for name, tally in tallies.items()}
        for place in range(len(truths))
    ]
