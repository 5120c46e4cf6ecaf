"""From the process's start to its first answer, and the memory of all its processes after load.

Python's own files are warm in the page cache after the first of the rounds; medians count.
"""

import statistics

import msgspec

from benchmarks import load, processes
from benchmarks.contenders import Contender
from benchmarks.models import TINY
from benchmarks.trials import opened, say

WARM_S = 2


class Startup(msgspec.Struct, frozen=True):
    """Medians over rounds; `memory_mb` is PSS by process of the last round, 10^6 bytes."""

    contender: str
    first_answer_s: float
    pss_mb: float
    memory_mb: dict[str, float]


def run(contender: Contender, *, rounds: int) -> Startup:
    """Starts a contender with `tiny` several times."""
    starts: list[float] = []
    sizes: list[float] = []
    memory: dict[str, float] = {}
    for _ in range(rounds):
        with opened(contender, TINY, ("json",)) as running:
            load.run(running.rotations["json"], running.server.port, connections=8, seconds=WARM_S)
            used = running.server.pss_bytes()
            starts.append(running.server.first_answer_s)
            sizes.append(sum(used.values()) / 1e6)
            memory = {
                f"{processes.name_of(pid)} ({number})": round(size / 1e6, 1)
                for number, (pid, size) in enumerate(used.items(), start=1)
            }
    done = Startup(
        contender=contender.name,
        first_answer_s=round(statistics.median(starts), 3),
        pss_mb=round(statistics.median(sizes), 1),
        memory_mb=memory,
    )
    say(f"{done.contender:20} first answer after {done.first_answer_s} s, {done.pss_mb} MB")
    return done
