"""Bytes of a connection to requests, and answers to bytes. Pure.

A request here is a head and nothing else: what comes with a body is refused, unread. The heads are
cut at their blank line and read, strictly, by the same function as those of the inference port.

Source: RFC 9112 (HTTP/1.1), sections 2 and 3.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pilotage.contracts.limits import Limits
from pilotage.serving.http.head import HEAD_END, read_head
from pilotage.serving.refusals import Refusal

HEAD_BYTES: Final = 8192
"""Request line and headers of one request, blank line included, in bytes; more is refused (431)."""
LIMITS: Final = Limits(head_bytes=HEAD_BYTES)
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
"""What a page from here may load and where it may go: nothing but its own files, and nowhere."""
GUARDING: Final = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""Stand in every answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """A head that was received whole.

    Attributes:
        path: as it was sent, without its query.
        host: the machine that is asked for, by its Host header; "" where an old client names none.
        keeps: the connection may be used again after the answer.
    """

    method: str
    path: str
    host: str
    keeps: bool


@dataclass(frozen=True, slots=True)
class Malformed:
    """What cannot be read, or has a body; the connection ends with the answer `status`."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer; `kind` is its media type."""

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Reader:
    """Requests of one connection, from its bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = False

    def receive(self, data: bytes) -> list[Request | Malformed]:
        """What became whole by these bytes, in order; nothing any more behind a `Malformed`."""
        found: list[Request | Malformed] = []
        if self._ended:
            return found
        self._buffer += data
        while (head := self._next_head()) is not None:
            found.append(head)
            if isinstance(head, Malformed):
                self._ended = True
                self._buffer.clear()
                break
        return found

    def _next_head(self) -> Request | Malformed | None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # an empty line before a request is let pass
            del buffer[:2]
        end = buffer.find(HEAD_END, 0, HEAD_BYTES)
        if end < 0:
            if len(buffer) >= HEAD_BYTES:
                return Malformed(431, f"a head is at most {HEAD_BYTES} bytes")
            return None
        head = bytes(buffer[: end + len(HEAD_END)])
        del buffer[: len(head)]
        return _read(head)


def _read(raw: bytes) -> Request | Malformed:
    try:
        head = read_head(raw, LIMITS)
    except Refusal as refusal:
        return Malformed(refusal.status, refusal.what)
    if head.chunked or head.content_length:
        return Malformed(413, "a request to this page has no body")
    return Request(
        method=head.method.decode("latin-1"),
        path=head.path.decode("latin-1"),
        host=head.headers.get(b"host", b"").decode("latin-1"),
        keeps=head.keep_alive,
    )


def encoded(response: Response, *, keeps: bool, without_body: bool = False) -> bytes:
    """The answer on the wire; `without_body` for HEAD, which is told the length alone."""
    headers = [
        ("Content-Type", response.kind),
        ("Content-Length", str(len(response.body))),
        *response.headers,
        *_connection(keeps),
    ]
    head = _head(response.status, headers)
    return head if without_body else head + response.body


def stream_head() -> bytes:
    """The head of a stream of events, which ends with its connection."""
    return _head(200, [("Content-Type", "text/event-stream"), *_connection(False)])


def event(name: str, data: bytes) -> bytes:
    """One event of a stream; `data` has no line ends, as JSON without indents has none.

    Source: WHATWG HTML, section 9.2.5, "Parsing an event stream".
    """
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def comment(text: str) -> bytes:
    """What readers of a stream pass over: it keeps the connection in use."""
    return b": %b\n\n" % text.encode()


def _connection(keeps: bool) -> list[tuple[str, str]]:
    return [] if keeps else [("Connection", "close")]


def _head(status: int, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in (*headers, *GUARDING)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
