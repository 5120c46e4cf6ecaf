"""The thread beside the loop: one piece of work at a time, with less right to a core than the rest.

On Linux a thread has a niceness of its own, so `LOWERED` costs the loop and the engines nothing;
elsewhere the thread runs like any other. Work is to be an engine's call and little else: while a
thread of low priority holds the GIL, everybody waits for it, and it may wait for a core.
"""

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pilotage.serving.scheduling import Scheduler

LOWERED: Final = 10
"""How much nicer the thread is than its process: where a core is contended, a ninth of the weight
of each of the others."""


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        do: runs in the thread; does not raise.
        done: runs on the loop, with what `do` gave.
        schedulers: whose replicas `do` runs; they are not closed meanwhile.
    """

    do: Callable[[], Any]
    done: Callable[[Any], None]
    schedulers: tuple[Scheduler, ...]


class Beside:
    """The thread, started with its first work. Lives on the loop; only `_serve` runs elsewhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
        self.running: Work | None = None
        self._loop = loop
        self._then = then
        self._jobs: queue.SimpleQueue[Work | None] | None = None

    def start(self, work: Work) -> bool:
        """Takes work on, while none is running; False when there is no room for a thread."""
        if self._jobs is None:
            jobs: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
            thread = threading.Thread(target=self._serve, args=(jobs,), name="beside", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._jobs = jobs
        self.running = work
        self._jobs.put(work)
        return True

    def close(self) -> None:
        """Ends the thread after the work that it has."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None

    def _serve(self, jobs: "queue.SimpleQueue[Work | None]") -> None:
        _lower()
        while (work := jobs.get()) is not None:
            given = work.do()
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody asks any more
                self._loop.call_soon_threadsafe(self._ended, work, given)

    def _ended(self, work: Work, given: Any) -> None:
        self.running = None
        try:
            work.done(given)
        finally:
            self._then()


def _lower() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            nice = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, nice + LOWERED)
