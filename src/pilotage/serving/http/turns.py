"""Whose turn it is: replies leave a connection in the order of its requests.

A reply that is ready before its turn waits here; one that nobody will read any more is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pilotage.contracts.limits import Limits
from pilotage.serving.http.head import HEAD_END
from pilotage.serving.http.head_cache import Planned
from pilotage.serving.http.responses import with_line
from pilotage.serving.http.streams import StreamOut

if TYPE_CHECKING:
    from pilotage.serving.http.exchange import Exchange


class Wire(Protocol):
    """The socket's side of a connection, as the pure side sees it."""

    def write(self, data: bytes) -> None:
        """Send behind everything written before; never blocks."""
        ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def limit_unsent(self, high_bytes: int) -> None:
        """Unsent bytes above which `Connection.pause_writing` is called."""
        ...

    def finish(self) -> None:
        """Send what is written and say that no more comes; go on reading."""
        ...

    def close(self) -> None:
        """Send what is written, then close."""
        ...

    def abort(self) -> None:
        """Close at once; unsent bytes are lost."""
        ...


class Reply:
    """A whole response that waits for its turn."""

    __slots__ = ("close", "data")

    def __init__(self, data: bytes, *, close: bool) -> None:
        self.data = data
        self.close = close


class Turns:
    """Whose turn it is to be answered on one connection.

    Attributes:
        current: the exchange whose reply is next; None when nothing is owed.
        waiting: the exchanges behind it, in order.
        unusual: a reply needs more than writing it: somebody waits, or the connection ends.
        over: nothing is written any more.
        write_paused: the client has not taken what was written.
        draining: the last reply owed says that the connection ends.
        watched: the connection waits for a reply to leave, to go on reading or to close.
    """

    __slots__ = (
        "_abandon",
        "_moving",
        "_on_change",
        "current",
        "draining",
        "limits",
        "on_refused",
        "over",
        "unusual",
        "waiting",
        "watched",
        "wire",
        "write",
        "write_paused",
    )

    def __init__(
        self,
        wire: Wire,
        limits: Limits,
        *,
        abandon: Callable[[Exchange], None],
        on_change: Callable[[bool], None],
        on_refused: Callable[[str], None],
    ) -> None:
        """`on_change(ended)` is called after each unusual reply; `ended` says it was the last.

        `on_refused(reason)` is called for each refusal, whoever refuses.
        """
        self.wire = wire
        self.write = wire.write
        self.limits = limits
        self.current: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self.unusual = False
        self.over = False
        self.write_paused = False
        self.draining = False
        self.watched = False
        self._abandon = abandon
        self._on_change = on_change
        self.on_refused = on_refused
        self._moving = False

    @property
    def owed(self) -> int:
        """Requests that were taken and not yet answered."""
        return len(self.waiting) + (self.current is not None)

    def take(self, exchange: Exchange) -> None:
        """Give the next request its place."""
        if self.current is None:
            self.current = exchange
        else:
            self.waiting.append(exchange)
            self.unusual = True

    def settle(self, exchange: Exchange, held: Reply | StreamOut) -> None:
        """A reply is there: send it if it is its turn, else keep it."""
        if self.over:
            return
        if exchange.held is not None or (
            exchange is not self.current and exchange not in self.waiting
        ):
            raise RuntimeError("the exchange was answered before")
        exchange.held = held
        if exchange is self.current:
            self._move()

    def end_stream(self, stream: StreamOut) -> None:
        """The stream whose turn it is has ended."""
        exchange = self.current
        assert exchange is not None
        self.wire.limit_unsent(self.limits.unread_bytes)
        ends = stream.broken or stream.close_delimited or self._ends_after(exchange)
        self._pass_on(ends)
        self._move()

    def resume(self) -> None:
        """The client took what was written."""
        stream = self._open_stream()
        if stream is not None:
            stream.tell_ready()

    @property
    def streaming(self) -> bool:
        """The exchange whose turn it is sends a stream."""
        return self._open_stream() is not None

    def lose(self) -> None:
        """The connection is gone: tell everybody who still works for it."""
        if self.over:
            return
        self.over = True
        self.unusual = True
        orphans = [] if self.current is None else [self.current, *self.waiting]
        self.current = None
        self.waiting.clear()
        for exchange in orphans:
            if isinstance(exchange.held, StreamOut):
                exchange.held.tell_gone()
            elif exchange.held is None:
                self._abandon(exchange)

    def _open_stream(self) -> StreamOut | None:
        held = None if self.current is None else self.current.held
        return held if isinstance(held, StreamOut) else None

    def _ends_after(self, exchange: Exchange) -> bool:
        return not exchange.planned.keep_alive or (self.draining and not self.waiting)

    def _move(self) -> None:
        """Send replies as long as the one whose turn it is is there."""
        if self._moving:
            return
        self._moving = True
        try:
            while not self.over and self.current is not None and self.current.held is not None:
                held = self.current.held
                if isinstance(held, Reply):
                    self._send_reply(self.current, held)
                elif not self._begin_stream(held):
                    break
        finally:
            self._moving = False

    def _begin_stream(self, stream: StreamOut) -> bool:
        stream.begin_turn()
        if stream.ended:  # it was complete before its turn came
            self.end_stream(stream)
            return True
        stream.tell_ready()
        return stream.ended

    def _send_reply(self, exchange: Exchange, reply: Reply) -> None:
        ends = reply.close or self._ends_after(exchange)
        self.write(_fitted(reply.data, exchange.planned, ends=ends))
        self._pass_on(ends)

    def _pass_on(self, ends: bool) -> None:
        self.current = self.waiting.popleft() if self.waiting else None
        if ends:
            self.lose()
        else:
            self.unusual = bool(self.waiting) or self.draining or self.watched
        self._on_change(ends)


def _fitted(data: bytes, planned: Planned, *, ends: bool) -> bytes:
    """A response as this client and this moment need it."""
    if planned.head_only:
        data = data[: data.index(HEAD_END) + 4]
    if ends:
        return with_line(data, b"Connection: close\r\n")
    return with_line(data, b"Connection: keep-alive\r\n") if planned.http_1_0 else data
