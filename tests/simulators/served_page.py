"""The rollout's page, served from a loop of its own thread, for tests that drive a browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pilotage.console import server
from pilotage.control.rollouts.view import RolloutView

WAIT_S = 10.0


class ServedPage:
    """What a decider does with the page, from another thread; can be stopped and started again."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._page: server.Page | None = None
        self.url = ""

    def start(self) -> None:
        """At the same address as before."""
        port = urlsplit(self.url).port or 0
        serving = asyncio.run_coroutine_threadsafe(server.serve("127.0.0.1", port), self._loop)
        self._page = serving.result(WAIT_S)
        self.url = self._page.url

    def show(self, view: RolloutView) -> None:
        assert self._page is not None
        self._call(lambda page: page.show(view))

    def stop(self) -> None:
        self._call(lambda page: page.close())

    def end(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def _call(self, do) -> None:
        done = threading.Event()

        async def act() -> None:
            do(self._page)
            done.set()

        asyncio.run_coroutine_threadsafe(act(), self._loop)
        assert done.wait(WAIT_S)


@contextmanager
def served_page() -> Iterator[ServedPage]:
    served = ServedPage()
    served.start()
    try:
        yield served
    finally:
        served.end()
