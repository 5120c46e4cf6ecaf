"""What a connection is reading: a head, then its body, then the next head.

Bytes go in as they come; heads and bodies come out whole. A body that is under way gets its bytes
without a detour through the buffer, and is counted among the bytes in flight.
"""

from collections.abc import Callable
from typing import Final

from pilotage.contracts.limits import Limits
from pilotage.serving.http.bodies import Body, SizedBody
from pilotage.serving.http.chunked import ChunkedBody
from pilotage.serving.http.exchange import Service
from pilotage.serving.http.head import HEAD_END, Head, check_beginning
from pilotage.serving.http.head_cache import HeadCache, Planned
from pilotage.serving.refusals import Refusal

RETRY_AFTER_S: Final = 1.0


def _uncounted(reason: str) -> None:
    del reason


class Front:
    """What all connections of one worker share.

    Attributes:
        service: who answers.
        limits: of the wire; the service may put new ones here, for connections opened later.
        heads: heads read before; the service clears it when its snapshot changes.
        now_ns: the wall clock, in ns since 1970.
        receiving_bytes: bodies that are being received, over all connections (a declared length
            counts from its head on). The service adds what waits in its own queues.
        on_refused: told the reason of each refusal, whoever refuses; for counting.
    """

    __slots__ = ("heads", "limits", "now_ns", "on_refused", "receiving_bytes", "service")

    def __init__(
        self, service: Service, limits: Limits, heads: HeadCache, *, now_ns: Callable[[], int]
    ) -> None:
        self.service = service
        self.limits = limits
        self.heads = heads
        self.now_ns = now_ns
        self.receiving_bytes = 0
        self.on_refused: Callable[[str], None] = _uncounted


class Reading:
    """The input of one connection, as far as it came.

    Attributes:
        planned: the head whose body is under way; None between two requests.
        in_body: a body is under way.
        skipping: the body under way belongs to a request that was refused, and is not kept.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_checked",
        "_front",
        "_limits",
        "_reserved_bytes",
        "planned",
        "skipping",
    )

    def __init__(self, front: Front) -> None:
        self._front = front
        self._limits = front.limits
        self._buffer = bytearray()
        self._checked = 0  # bytes of the buffer that hold neither a head's end nor an error
        self._body: Body | None = None
        self._reserved_bytes = 0
        self.planned: Planned | None = None
        self.skipping = False

    @property
    def in_body(self) -> bool:
        return self._body is not None

    @property
    def between(self) -> bool:
        """Nothing of a next request is here."""
        return self._body is None and not self._buffer

    @property
    def buffered_bytes(self) -> int:
        return len(self._buffer)

    def add(self, data: bytes) -> None:
        """Take what came. May raise Refusal, for a body."""
        if self._body is not None and not self._buffer:
            data = data[self._feed(self._body, data) :]
        self._buffer += data

    def next_head(self) -> bytes | None:
        """The bytes of the next head, when they are here whole; only between two requests.

        Raises:
            Refusal: it cannot become a head (400), or is longer than the limit (431).
        """
        buffer = self._buffer
        while self._checked == 0 and buffer.startswith(b"\r\n"):
            del buffer[:2]  # RFC 9112, section 2.2: empty lines before a request are passed over
        end = buffer.find(HEAD_END, max(0, self._checked - 3)) + 4
        longest = self._limits.head_bytes
        if end > longest or (end < 4 and len(buffer) >= longest):
            check_beginning(buffer[:longest], 0)  # the same refusal, however the bytes were cut
            raise Refusal(
                431,
                "too_large",
                "the head is larger than the limit",
                where="headers",
                expected=f"at most {longest} bytes",
                close=True,
            )
        if end < 4:
            if not buffer.startswith(b"\r", 0, 1) or len(buffer) > 1:
                check_beginning(buffer, self._checked)
                self._checked = len(buffer)
            return None
        raw = bytes(buffer[:end])
        del buffer[:end]
        self._checked = 0
        return raw

    def begin_body(self, planned: Planned, *, keep: bool) -> None:
        """Expect the body that a head declares; without `keep` it is passed over."""
        self.planned = planned
        self.skipping = not keep
        if planned.chunked:
            self._body = ChunkedBody(self._limits, keep=keep)
        else:
            self._body = SizedBody(planned.content_length, keep=keep)

    def body_whole(self) -> bool:
        """Whether the body under way is here whole. May raise Refusal."""
        body = self._body
        assert body is not None
        if self._buffer and not body.whole:
            del self._buffer[: self._feed(body, self._buffer)]
        return body.whole

    def take_body(self) -> bytes:
        """The body, once it is whole; the next head follows."""
        body = self._body
        assert body is not None
        self._end_body()
        return body.take()

    def reserve(self, byte_count: int) -> None:
        """Count bytes of a body among those in flight, until it is whole or given up.

        Raises:
            Refusal: 503, it would be more than `Limits.inflight_bytes` over all connections.
        """
        front = self._front
        if front.receiving_bytes + byte_count > self._limits.inflight_bytes:
            raise Refusal(
                503,
                "overload",
                "too many bytes are being received",
                expected=f"at most {self._limits.inflight_bytes} bytes in flight",
                retry_after_s=RETRY_AFTER_S,
            )
        front.receiving_bytes += byte_count
        self._reserved_bytes += byte_count

    def stop(self) -> Planned:
        """Give up what is under way; returns its head, or what can be told of one."""
        planned = self.planned or unread(self._buffer)
        self._end_body()
        self._buffer.clear()
        self._checked = 0
        return planned

    def _feed(self, body: Body, data: bytes | bytearray) -> int:
        used = body.receive(data)
        more_bytes = body.byte_count - self._reserved_bytes
        if more_bytes > 0 and not body.whole:  # chunks: their sum was not known from the head
            self.reserve(more_bytes)
        return used

    def _end_body(self) -> None:
        self._body = None
        self.planned = None
        self.skipping = False
        self._front.receiving_bytes -= self._reserved_bytes
        self._reserved_bytes = 0


def unread(raw: bytes | bytearray) -> Planned:
    """A stand-in for a head that could not be read: enough for a refusal in its style."""
    method, _, rest = bytes(raw[:256]).partition(b" ")
    head = Head(method, rest.split(b" ", 1)[0].partition(b"?")[0], b"", http_1_0=False)
    head.keep_alive = False
    return Planned(head)
