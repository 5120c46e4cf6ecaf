"""Requests sent at a stated rate whatever comes back: an open loop.

Gaps between requests are drawn from the exponential distribution, as many callers who know nothing
of each other make them. A request never waits for an answer to another: each goes out on a
connection that is free, or on a new one. Its time runs from its first byte on the way to the last
byte of its answer; an answer that is no 200, or none within the patience, takes for ever.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httptools
import numpy as np

CONNECTIONS: Final = 512
"""Requests under way at once; one more counts as refused."""
SPARE_CONNECTIONS: Final = 8
LOOK_S: Final = 0.25
"""Between two looks at the memory, and two reports of progress."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    Attributes:
        requests: whole HTTP requests, taken in turn.
        rate_per_s: how many a second, on average.
        count: how many count; `warm_up` go before them and do not.
        patience_s: how long the last answer is waited for.
        seed: of the gaps.
    """

    requests: Sequence[bytes]
    rate_per_s: float
    count: int
    warm_up: int
    patience_s: float
    seed: int = 0


@dataclass(slots=True)
class Outcome:
    """What came back.

    Attributes:
        times: seconds, (count,), in the order of sending; infinite for what was refused or late.
        behind: seconds by which the sender was behind its schedule, (count,).
        seconds: from the first request that counts to the last.
        statuses: answers by HTTP status; 0 for connections that broke, -1 for no answer.
        looks: what `look` said along the way.
    """

    times: Array
    behind: Array
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    looks: list[int] = field(default_factory=list[int])


def run(
    load: Load,
    host: str,
    port: int,
    *,
    look: Callable[[], int | None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Sends the load and waits for its answers.

    Args:
        look: called along the way; what it says is kept (memory, say).
        progress: told requests sent and requests in all.
    """
    return asyncio.run(_Sender(load, host, port).run(look, progress))


class _Sender:
    """Sends one load over as many connections as it takes."""

    def __init__(self, load: Load, host: str, port: int) -> None:
        self.load = load
        self.host = host
        self.port = port
        total = load.warm_up + load.count
        self.times = np.full(total, np.inf)
        self.behind = np.zeros(total)
        self.statuses: dict[int, int] = {}
        self.free: list[_Connection] = []
        self.open = 0
        self.waiting = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(
        self,
        look: Callable[[], int | None] | None,
        progress: Callable[[int, int], None] | None,
    ) -> Outcome:
        load = self.load
        total = load.warm_up + load.count
        for _ in range(SPARE_CONNECTIONS):
            self.free.append(await self._connect())
        chance = np.random.default_rng(load.seed)
        schedule = np.cumsum(chance.exponential(1 / load.rate_per_s, total)).tolist()
        looks: list[int] = []
        begin = time.perf_counter()
        next_look = begin
        for index, at in enumerate(schedule):
            await _until(begin + at)
            now = time.perf_counter()
            self.behind[index] = now - begin - at
            self._send(index, load.requests[index % len(load.requests)])
            if now >= next_look:
                next_look = now + LOOK_S
                if look is not None and index >= load.warm_up and (seen := look()) is not None:
                    looks.append(seen)
                if progress is not None:
                    progress(index + 1, total)
        seconds = schedule[-1] - (schedule[load.warm_up - 1] if load.warm_up else 0.0)
        await self._drain()
        if look is not None and (seen := look()) is not None:
            looks.append(seen)
        if self.waiting:
            self.statuses[-1] = self.statuses.get(-1, 0) + self.waiting
        counted = slice(load.warm_up, None)
        return Outcome(self.times[counted], self.behind[counted], seconds, self.statuses, looks)

    async def _drain(self) -> None:
        until = time.perf_counter() + self.load.patience_s
        while self.waiting and time.perf_counter() < until:
            await asyncio.sleep(0.005)
        for task in self.tasks:
            task.cancel()
        for connection in self.free:
            connection.close()

    def _send(self, index: int, request: bytes) -> None:
        if self.free:
            self.waiting += 1
            self.free.pop().send(index, request, time.perf_counter())
        elif self.open < CONNECTIONS:
            self.waiting += 1
            task = asyncio.create_task(self._send_on_new(index, request, time.perf_counter()))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self._count(0)

    async def _send_on_new(self, index: int, request: bytes, began: float) -> None:
        try:
            connection = await self._connect()
        except OSError:
            self.waiting -= 1
            self._count(0)
            return
        connection.send(index, request, began)

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        self.open += 1
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self), self.host, self.port
            )
        except BaseException:
            self.open -= 1
            raise
        return connection

    def answered(self, connection: "_Connection", index: int, status: int, seconds: float) -> None:
        """An answer is whole."""
        self.waiting -= 1
        if status == 200:
            self.times[index] = seconds
        self._count(status)
        if connection.lasting:
            self.free.append(connection)
        else:
            connection.close()

    def lost(self, connection: "_Connection", index: int | None) -> None:
        """A connection ended."""
        self.open -= 1
        if connection in self.free:
            self.free.remove(connection)
        if index is not None:
            self.waiting -= 1
            self._count(0)

    def _count(self, status: int) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1


class _Connection(asyncio.Protocol):
    """One connection, with one request under way at most."""

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._index: int | None = None
        self._began = 0.0
        self.lasting = True

    def send(self, index: int, request: bytes, began: float) -> None:
        """Sends one request whose time began at `began`."""
        self._index, self._began = index, began
        self._parser = httptools.HttpResponseParser(self)
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        index, self._index = self._index, None
        if index is None:
            return
        status = int(self._parser.get_status_code())
        self.lasting = bool(self._parser.should_keep_alive())
        self._sender.answered(self, index, status, time.perf_counter() - self._began)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        index, self._index = self._index, None
        self._sender.lost(self, index)


async def _until(at: float) -> None:
    """Sleeps until a moment; past ones let the loop read what came, and go on."""
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
