"""What the supervisor puts together: functions and numbers, given to it from above."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from pilotage.contracts.directing import Direction
from pilotage.contracts.snapshot import Snapshot

Log = Callable[..., None]
"""log(event, **fields)"""


@dataclass(frozen=True)
class Parts:
    """What the supervisor puts together; it knows no more of a worker or recorder than this.

    Attributes:
        run_worker: (worker, how often it was started before, channel, closed counts, snapshot
            path) -> exit code; runs in the child.
        run_recorder: (descriptor whose end of file means "no more", and where `recorder.SEAL` asks
            for a seal) -> exit code, or None where nothing is recorded.
        compose: (revision) -> the snapshot to serve next; runs in a child of its own.
        on_ready: called once, when the first worker serves.
        beat_of: a number of the worker that changes as long as its loop turns.
        run_decider: (its end of the channel of `contracts.directing`) -> exit code; runs in a
            child, and ends when the channel does. None where nobody decides.
        direction: the one that the first snapshot is made by, where it is.
    """

    workers: int
    connections: int
    drain_s: float
    run_worker: Callable[[int, int, socket.socket, memoryview, str], int]
    run_recorder: Callable[[int], int] | None
    compose: Callable[[int], Snapshot]
    changed: Callable[[], bool] | None
    on_ready: Callable[[], None]
    beat_of: Callable[[int], int]
    log: Log
    run_decider: Callable[[socket.socket], int] | None = None
    direction: Direction | None = None
