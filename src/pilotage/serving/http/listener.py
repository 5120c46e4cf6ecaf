"""The socket around `Connection`: accepted sockets go in, their bytes go to the protocol and back.

Acting, and thin: asyncio calls in, every decision is made by `Connection`.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from pilotage.serving.http.connection import Connection
from pilotage.serving.http.reading import Front

TICKS_A_SECOND: Final = 8
"""The once-a-second look at all connections is done in so many parts, so that thousands of idle
ones never stop the loop for long."""
DRAIN_IDLE_S: Final = 0.5
"""Seconds in which a draining listener still answers on connections that owe nothing, so that a
request already on its way is not met by a closed door."""
HANDSHAKE_S: Final = 10.0
"""Seconds for a TLS handshake."""
LOW_SHARE: Final = 4
"""Writing resumes when a quarter of the limit is left unsent."""


class _Socket(asyncio.Protocol):
    """A `Wire` that leaves sending to the transport: for TLS, and as the plain version."""

    def __init__(self, listener: "Listener", accepted: socket.socket) -> None:
        self._listener = listener
        self._accepted = accepted
        self._transport: asyncio.Transport | None = None
        self.made = False
        self.connection = Connection(listener.front, self)
        self.data_received = self.connection.receive  # no frame of our own between

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.made = True
        self.limit_unsent(self._listener.front.limits.unread_bytes)
        self._listener.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.connection.lost()
        self._listener.remove(self)

    def eof_received(self) -> bool:
        return self.connection.receive_eof() and self._can_half_close()

    def pause_writing(self) -> None:
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        self.connection.resume_writing()

    # -- what `Connection` calls

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def limit_unsent(self, high_bytes: int) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.set_write_buffer_limits(high_bytes, high_bytes // LOW_SHARE)

    def finish(self) -> None:
        if self._transport is not None and self._can_half_close():
            self._transport.write_eof()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _can_half_close(self) -> bool:
        return self._transport is not None and self._transport.can_write_eof()


class _DirectSocket(_Socket):
    """A `Wire` that sends on the socket itself as long as nothing is queued.

    A reply leaves when it is written, not when the loop's turn ends behind the work that follows
    it. The CPU is the same: 4.80 µs a reply against the transport's 4.83 at 64 a turn, 7.55
    against 7.60 at one (2 shared cores, Python 3.11; `benchmarks/parts/http_write.py`).
    """

    def __init__(self, listener: "Listener", accepted: socket.socket) -> None:
        self._send = accepted.send
        self._spilled = False
        super().__init__(listener, accepted)

    def write(self, data: bytes) -> None:
        if self._spilled and self._queued():
            super().write(data)
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return
        if sent != len(data):
            self._spilled = True
            super().write(bytes(memoryview(data)[sent:]))

    def _queued(self) -> bool:
        """Bytes wait in the transport; what comes now goes behind them."""
        transport = self._transport
        self._spilled = transport is not None and transport.get_write_buffer_size() > 0
        return self._spilled


def _nothing() -> None:
    return None


class Listener:
    """All connections of one worker.

    Attributes:
        front: what they share.
    """

    def __init__(
        self,
        front: Front,
        *,
        tls: ssl.SSLContext | None = None,
        direct: bool = True,
        on_closed: Callable[[], None] | None = None,
    ) -> None:
        """Use inside a running loop.

        `direct` off sends by the transport alone; `on_closed` is called once for each socket that
        was accepted, when it is let go.
        """
        self.front = front
        self._tls = tls
        self._on_closed = on_closed or _nothing
        self._kind = _DirectSocket if direct and tls is None else _Socket
        self._loop = asyncio.get_running_loop()
        self._groups: list[set[_Socket]] = [set() for _ in range(TICKS_A_SECOND)]
        self._next_group = 0
        self._beginning = 0  # accepted, not yet made
        self._tasks: set[asyncio.Task[None]] = set()
        self._emptied = asyncio.Event()
        self._draining = False
        self._timer = self._loop.call_later(1 / TICKS_A_SECOND, self._tick)

    @property
    def open_connections(self) -> int:
        return sum(len(group) for group in self._groups) + self._beginning

    def accept(self, accepted: socket.socket) -> None:
        """Take over a connected socket; closed at once past `Limits.connections`."""
        if self.open_connections >= self.front.limits.connections or self._draining:
            accepted.close()
            self._on_closed()
            return
        self._beginning += 1
        task = self._loop.create_task(self._take_over(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def renew_tls(self, tls: ssl.SSLContext) -> None:
        """Connections accepted from now on use this context."""
        self._tls = tls

    async def drain(self, timeout_s: float) -> bool:
        """Answer what is owed, then close; True when all was done in time.

        Replies say that the connection ends. Whatever is left after `timeout_s` is cut.
        """
        self._draining = True
        for member in self._members():
            member.connection.drain()
        await self._wait_until_empty(min(DRAIN_IDLE_S, timeout_s))
        for member in self._members():
            member.connection.close_idle()
        done = await self._wait_until_empty(max(0.0, timeout_s - DRAIN_IDLE_S))
        self.close()
        return done

    def close(self) -> None:
        """Cut every connection and stop."""
        self._draining = True
        self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        for member in self._members():
            member.abort()

    def add(self, member: _Socket) -> None:
        self._beginning -= 1
        smallest = min(self._groups, key=len)
        smallest.add(member)
        if self._draining:
            member.connection.drain()

    def remove(self, member: _Socket) -> None:
        for group in self._groups:
            group.discard(member)
        self._let_go()

    def _let_go(self) -> None:
        self._on_closed()
        if self.open_connections == 0:
            self._emptied.set()

    async def _take_over(self, accepted: socket.socket) -> None:
        member = self._kind(self, accepted)
        try:
            accepted.setblocking(False)
            if accepted.family in (socket.AF_INET, socket.AF_INET6):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
                lambda: member,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_S,
            )
        except OSError:  # the client hung up, or its handshake failed (ssl.SSLError among them)
            accepted.close()
        finally:
            if not member.made:
                self._beginning -= 1
                self._let_go()

    async def _wait_until_empty(self, timeout_s: float) -> bool:
        if self.open_connections == 0:
            return True
        self._emptied.clear()
        try:
            await asyncio.wait_for(self._emptied.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def _members(self) -> list[_Socket]:
        return [member for group in self._groups for member in group]

    def _tick(self) -> None:
        now_s = self._loop.time()
        for member in list(self._groups[self._next_group]):
            member.connection.tick(now_s)
        self._next_group = (self._next_group + 1) % TICKS_A_SECOND
        self._timer = self._loop.call_later(1 / TICKS_A_SECOND, self._tick)
