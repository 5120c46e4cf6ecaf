"""The recorder's process, as the supervisor sees it: one pipe that asks for seals and ends it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from socket import socket
from typing import Final

from pilotage.serving.processes.children import Child, fork

SEAL: Final = b"s"
"""Asks the recorder to seal the segment that is open now."""


class RecorderProcess(Child):
    """The recorder; `run` is None where nothing is recorded."""

    def __init__(self, run: Callable[[int], int] | None) -> None:
        super().__init__("recorder")
        self.run = run
        self.pipe = -1
        """The writing end, whose close means that no more comes."""

    def start(self, close: Callable[[], Iterable[socket | int]]) -> None:
        """Forks it. `close` gives what no child may keep.

        Raises:
            OSError: there is no room for another process.
        """
        run = self.run
        if run is None:
            return
        self.end()
        lives, self.pipe = os.pipe()
        os.set_blocking(self.pipe, False)
        try:
            pid = fork(lambda: run(lives), close=close())
        finally:
            os.close(lives)
        self.started(pid, now_s=time.monotonic())

    def seal(self) -> None:
        """Asks for a seal. One that starts again seals what its predecessor left open."""
        if self.pipe >= 0:
            with contextlib.suppress(OSError):
                os.write(self.pipe, SEAL)

    def end(self) -> None:
        """Lets it take what the rings hold, and end then."""
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1
