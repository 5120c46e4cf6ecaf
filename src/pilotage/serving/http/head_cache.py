"""Heads that were read before, by their bytes: the same head is not parsed twice.

Clients send the same few heads again and again. A head is kept only when its plan succeeded, so a
refusal is always decided afresh; and only when it is seen a second time, so that clients with a
header that changes each time (an id, a date) do not push out the others. The service clears the
cache when its snapshot changes: a plan holds a key's verdict and a route.
"""

from typing import Final

from pilotage.serving.http.compression import Encoding
from pilotage.serving.http.head import Head

HEADS: Final = 1024
"""Heads kept; the oldest leaves when one more comes."""
HEADS_BYTES: Final = 1024 * 1024
"""Bytes of all heads kept."""
ONE_HEAD_BYTES: Final = 4096
"""A longer head is never kept."""
SEEN_ONCE: Final = 4096
"""Heads (their hashes) remembered as seen once; forgotten all together when more come."""


class Planned:
    """A head that was read, with the service's plan for it.

    Attributes:
        plan: what the service made of the head; None when it refused.
        whole_bytes: length of head and body where one buffer of exactly this length is the whole
            request and needs nothing more (no compression, no chunks, connection goes on); else -1.
        content_length: bytes of the body; 0 where there is none or it is chunked.
        chunked, keep_alive, http_1_0, expect_continue: as in `Head`.
        head_only: the reply carries no body (method HEAD).
        encoding: how the body is compressed.
        v2: refusals are told in the style of the v2 routes.
        ordinary: replies go out as they are.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "encoding",
        "expect_continue",
        "head_only",
        "http_1_0",
        "keep_alive",
        "ordinary",
        "plan",
        "v2",
        "whole_bytes",
    )

    def __init__(self, head: Head) -> None:
        self.plan: object = None
        self.whole_bytes = -1
        self.content_length = head.content_length or 0
        self.chunked = head.chunked
        self.keep_alive = head.keep_alive
        self.http_1_0 = head.http_1_0
        self.expect_continue = head.expect_continue
        self.head_only = head.method == b"HEAD"
        self.encoding: Encoding | None = None
        self.v2 = head.path == b"/v2" or head.path.startswith(b"/v2/")
        self.ordinary = self.keep_alive and not self.http_1_0 and not self.head_only

    def finish(self, plan: object, encoding: Encoding | None, head_bytes: int) -> None:
        """Add what the service and the content encoding say."""
        self.plan = plan
        self.encoding = encoding
        if encoding is None and self.keep_alive and not self.chunked and not self.expect_continue:
            self.whole_bytes = head_bytes + self.content_length


class HeadCache:
    """A bounded dictionary from a head's bytes to its plan.

    Attributes:
        known: the heads; read by the connections, changed only here, never another object.
    """

    __slots__ = ("_bytes", "_seen_once", "known")

    def __init__(self) -> None:
        self.known: dict[bytes, Planned] = {}
        self._seen_once: set[int] = set()
        self._bytes = 0

    def offer(self, raw: bytes, planned: Planned, head: Head) -> None:
        """Keep a head that was planned, if it is one that comes again and again."""
        if (
            planned.chunked
            or planned.expect_continue
            or len(raw) > ONE_HEAD_BYTES
            or b"traceparent" in head.headers
        ):
            return
        mark = hash(raw)
        if mark not in self._seen_once:
            if len(self._seen_once) >= SEEN_ONCE:
                self._seen_once.clear()
            self._seen_once.add(mark)
            return
        self._seen_once.discard(mark)
        self._bytes += len(raw)
        self.known[raw] = planned
        while len(self.known) > HEADS or self._bytes > HEADS_BYTES:
            oldest = next(iter(self.known))
            del self.known[oldest]
            self._bytes -= len(oldest)

    def clear(self) -> None:
        """Forget every plan: the snapshot changed."""
        self.known.clear()
        self._seen_once.clear()
        self._bytes = 0
