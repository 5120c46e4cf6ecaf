"""A reply in pieces: chunks go in as they are made, with backpressure and cancellation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pilotage.serving.http.responses import with_line

if TYPE_CHECKING:
    from pilotage.serving.http.exchange import Exchange

LAST_CHUNK: Final = b"0\r\n\r\n"


class StreamOut:
    """A reply in pieces, with backpressure and cancellation.

    Attributes:
        on_ready: called when `ready` turns true again.
        on_gone: called once when the client hangs up before `close`.
        ended: `close` or `break_off` was called.
    """

    __slots__ = ("_exchange", "_held", "_held_bytes", "broken", "ended", "on_gone", "on_ready")

    def __init__(self, exchange: Exchange, head: bytes) -> None:
        self._exchange = exchange
        self._held: list[bytes] = [with_line(head, self._framing_line())]
        self._held_bytes = 0
        self.on_ready: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.ended = False
        self.broken = False

    @property
    def gone(self) -> bool:
        """Nobody reads this stream any more."""
        return self._exchange.turns.over

    @property
    def ready(self) -> bool:
        """More may be written: what is produced and not yet sent is within `stream_bytes`."""
        turns = self._exchange.turns
        if turns.over or self.ended:
            return False
        if turns.current is self._exchange:
            return not turns.write_paused
        return self._held_bytes <= turns.limits.stream_bytes

    @property
    def close_delimited(self) -> bool:
        """The end of the connection is the end of the stream (HTTP/1.0)."""
        return self._exchange.planned.http_1_0

    def write(self, chunk: bytes) -> None:
        """Send a piece. It is taken even when not `ready`; whoever goes on then wastes memory."""
        if self.ended:
            raise RuntimeError("the stream has ended")
        if chunk and not self._exchange.planned.head_only:
            self._send(chunk if self.close_delimited else b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def close(self) -> None:
        """The stream is complete."""
        if self.ended:
            return
        if not self.close_delimited and not self._exchange.planned.head_only:
            self._send(LAST_CHUNK)
        self._end()

    def break_off(self) -> None:
        """The stream cannot be completed: the connection is closed so that the client notices."""
        if not self.ended:
            self.broken = True
            self._end()

    def begin_turn(self) -> None:
        """Everything before it was sent: so is what it holds. Called by `Turns` alone."""
        turns = self._exchange.turns
        turns.wire.limit_unsent(turns.limits.stream_bytes)
        held = b"".join(self._held)
        self._held = []
        self._held_bytes = 0
        turns.write(held)

    def tell_ready(self) -> None:
        """Called by `Turns` alone."""
        if self.on_ready is not None and self.ready:
            self.on_ready()

    def tell_gone(self) -> None:
        """Called by `Turns` alone."""
        if self.on_gone is not None and not self.ended:
            self.on_gone()

    def _framing_line(self) -> bytes:
        planned = self._exchange.planned
        if planned.http_1_0:
            return b"Connection: close\r\n"
        closing = b"" if planned.keep_alive else b"Connection: close\r\n"
        return closing + b"Transfer-Encoding: chunked\r\n"

    def _send(self, data: bytes) -> None:
        turns = self._exchange.turns
        if turns.over:
            return
        if turns.current is self._exchange:
            turns.write(data)
        else:
            self._held.append(data)
            self._held_bytes += len(data)

    def _end(self) -> None:
        self.ended = True
        turns = self._exchange.turns
        if not turns.over and turns.current is self._exchange:
            turns.end_stream(self)
