"""An exchange: one request as the service gets it, and the three ways to answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pilotage.serving.http.head import Head
from pilotage.serving.http.head_cache import Planned
from pilotage.serving.http.responses import refusal_response
from pilotage.serving.http.streams import StreamOut
from pilotage.serving.http.turns import Reply
from pilotage.serving.refusals import Refusal

if TYPE_CHECKING:
    from pilotage.serving.http.turns import Turns


class Service(Protocol):
    """What the HTTP layer asks of the data plane."""

    def plan(self, head: Head) -> object:
        """What to do with a request, from its head and the snapshot alone.

        The result is kept under the head's bytes until the service clears the `HeadCache`.
        Raises Refusal; that is never kept.
        """
        ...

    def admit(self, plan: object, body_bytes: int) -> None:
        """May this body be received? Asked only when it is not yet here whole.

        `body_bytes` is the declared length, 0 for a chunked one. Raises Refusal.
        """
        ...

    def answer(self, exchange: Exchange) -> None:
        """The request is whole: reply, refuse or open a stream, now or later."""
        ...

    def abandon(self, exchange: Exchange) -> None:
        """The client hung up before the reply; a later reply is dropped."""
        ...


class Exchange:
    """One request and its reply.

    Attributes:
        plan: what `Service.plan` returned for the head.
        body: the body, whole and decompressed.
        received_ns: wall clock when the request was whole, in ns since 1970.
        work: for the service's own use.
        planned: how the head wants to be answered.
    """

    __slots__ = ("body", "held", "plan", "planned", "received_ns", "turns", "work")

    def __init__(self, planned: Planned, body: bytes, turns: Turns, received_ns: int) -> None:
        self.planned = planned
        self.plan: Any = planned.plan
        self.body = body
        self.turns = turns
        self.received_ns = received_ns
        self.work: object = None
        self.held: Reply | StreamOut | None = None

    @property
    def gone(self) -> bool:
        """The client hung up, or the connection was closed: nobody reads a reply."""
        return self.turns.over

    @property
    def answered(self) -> bool:
        """It was answered, or is being so, or nobody reads an answer any more."""
        turns = self.turns
        if self.held is not None:
            return True
        return turns.current is not self and self not in turns.waiting

    def reply(self, data: bytes, *, close: bool = False) -> None:
        """Answer with a whole HTTP response; `close` ends the connection after it."""
        turns = self.turns
        if turns.current is self and not turns.unusual and self.planned.ordinary and not close:
            turns.current = None
            turns.write(data)
        else:
            turns.settle(self, Reply(data, close=close))

    def refuse(self, refusal: Refusal, *, close: bool = False) -> None:
        """Answer with a refusal, in the style of the path, and count it; `close` as in `reply`."""
        self.turns.on_refused(refusal.reason)
        data = refusal_response(
            refusal, v2=self.planned.v2, error_bytes=self.turns.limits.error_bytes
        )
        self.reply(data, close=close or refusal.close)

    def open_stream(self, head: bytes) -> StreamOut:
        """Answer with a stream.

        Args:
            head: status line and headers with the blank line, without a length
                (`responses.stream_head`).
        """
        stream = StreamOut(self, head)
        self.turns.settle(self, stream)
        return stream
