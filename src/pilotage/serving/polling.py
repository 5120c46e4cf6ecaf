"""Looking again before sleeping: for a short while after traffic the loop does not block.

A loop that sleeps in the kernel is woken late; on a quiet machine that is a third of the median
latency of one connection (0.163 -> 0.105 ms, DESIGN.md). The price is a busy core meanwhile.
"""

import asyncio
import time


class Poller:
    """Keeps the loop awake for `poll_ns` after each `poke`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, poll_ns: int) -> None:
        self._loop = loop
        self._poll_ns = poll_ns
        self._until_ns = 0
        self._looking = False

    def poke(self) -> None:
        """There was traffic, and more of it may come soon."""
        self._until_ns = time.monotonic_ns() + self._poll_ns
        if not self._looking:
            self._looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        if time.monotonic_ns() < self._until_ns:
            self._loop.call_soon(self._look)
        else:
            self._looking = False
