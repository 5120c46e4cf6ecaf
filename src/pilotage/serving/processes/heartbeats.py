"""Which workers hang: those whose heartbeat stands still. Pure.

A worker writes the steady clock at each tick of its loop. Only whether it changed counts, measured
on the supervisor's own clock: after a pause of the whole machine or group (Ctrl-Z, a debugger),
when nobody could beat or look, the count begins anew.
"""

from collections.abc import Callable
from typing import Final

HUNG_S: Final = 60.0
"""Seconds without a heartbeat after which a worker is killed. Far above what a loop is held up by:
a batch that is run on it is expected to take 0.2 ms, and may take long once."""
LOOK_S: Final = 1.0
"""Seconds between two looks at all workers."""
UNWATCHED_S: Final = 10.0
"""After so many seconds without a look nothing is known of what happened meanwhile."""


class Heartbeats:
    """The supervisor's view of its workers' beats; a beat is any number that changes."""

    def __init__(self, workers: int, *, hung_s: float = HUNG_S) -> None:
        self._hung_s = hung_s
        self._beats = [0] * workers
        self._since_s: list[float | None] = [None] * workers
        self._looked_s = 0.0

    def started(self, worker: int, beat: int) -> None:
        """A worker was started, over the last beat of the one before. It is judged from its first
        own beat on: loading a model takes as long as it takes."""
        self._beats[worker] = beat
        self._since_s[worker] = None

    def hung(self, beat_of: Callable[[int], int], *, now_s: float) -> list[tuple[int, float]]:
        """(worker, seconds of silence) of those that hang; nobody between two looks."""
        if now_s - self._looked_s < LOOK_S:
            return []
        if now_s - self._looked_s > UNWATCHED_S:
            self._since_s = [None if since_s is None else now_s for since_s in self._since_s]
        self._looked_s = now_s
        workers = range(len(self._beats))
        silent = [(each, self._silent_s(each, beat_of(each), now_s=now_s)) for each in workers]
        return [(worker, seconds) for worker, seconds in silent if seconds > self._hung_s]

    def _silent_s(self, worker: int, beat: int, *, now_s: float) -> float:
        """How long this worker has not beaten; 0 for one that has not begun to."""
        since_s = self._since_s[worker]
        if beat != self._beats[worker]:
            self._beats[worker] = beat
            self._since_s[worker] = now_s
            return 0.0
        return 0.0 if since_s is None else now_s - since_s
