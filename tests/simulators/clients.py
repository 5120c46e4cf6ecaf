"""One HTTP connection without a socket: a client, a wire that keeps what was sent, a service."""

from collections.abc import Iterator
from typing import NamedTuple

from pilotage.contracts.limits import Limits
from pilotage.serving.http.connection import Connection
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.head import Head
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.reading import Front
from pilotage.serving.http.responses import json_response
from pilotage.serving.refusals import Refusal

NOW_NS = 1_700_000_000_000_000_000


class Reply(NamedTuple):
    """One response as a client reads it; header names are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """Keeps what was written, and what else the connection asked for."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.reading = True
        self.ending = "open"  # or finished, closed, aborted
        self.high_bytes: int | None = None

    def write(self, data: bytes) -> None:
        assert self.ending == "open"
        self.sent += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def limit_unsent(self, high_bytes: int) -> None:
        self.high_bytes = high_bytes

    def finish(self) -> None:
        assert self.ending == "open"
        self.ending = "finished"

    def close(self) -> None:
        assert self.ending in ("open", "finished")
        self.ending = "closed"

    def abort(self) -> None:
        self.ending = "aborted"


class Service:
    """Answers with method, path and body of the request: at once, or when a test says so.

    Attributes:
        holds: exchanges wait in `exchanges` until a test answers them.
        refuses: what is said to a path, from the head alone.
        declines: what is said when a body is to come.
    """

    def __init__(self, *, holds: bool = False) -> None:
        self.holds = holds
        self.refuses: dict[bytes, Refusal] = {}
        self.declines: Refusal | None = None
        self.heads: list[Head] = []
        self.admitted_bytes: list[int] = []
        self.exchanges: list[Exchange] = []
        self.abandoned: list[Exchange] = []

    def plan(self, head: Head) -> object:
        self.heads.append(head)
        if head.path in self.refuses:
            raise self.refuses[head.path]
        return head

    def admit(self, plan: object, body_bytes: int) -> None:
        assert isinstance(plan, Head)
        self.admitted_bytes.append(body_bytes)
        if self.declines is not None:
            raise self.declines

    def answer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if not self.holds:
            self.echo(exchange)

    def abandon(self, exchange: Exchange) -> None:
        self.abandoned.append(exchange)

    def echo(self, exchange: Exchange) -> None:
        assert isinstance(exchange.plan, Head)
        exchange.reply(json_response(200, echo_of(exchange.plan, exchange.body)))


def echo_of(head: Head, body: bytes) -> bytes:
    return b"%b %b %b" % (head.method, head.path, body)


class Client:
    """A connection with its simulated surroundings, from the client's point of view."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        service: Service | None = None,
        front: Front | None = None,
    ) -> None:
        self.service = service or Service()
        self.front = front or Front(
            self.service, limits or Limits(), HeadCache(), now_ns=lambda: NOW_NS
        )
        self.wire = Wire()
        self.connection = Connection(self.front, self.wire)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.receive(piece)

    def replies(self, *, bodiless: bool = False) -> list[Reply]:
        """Everything received so far; it must consist of whole responses."""
        return list(read_replies(bytes(self.wire.sent), bodiless=bodiless))

    def statuses(self) -> list[int]:
        return [reply.status for reply in self.replies()]

    def bodies(self) -> list[bytes]:
        return [reply.body for reply in self.replies()]


def read_replies(data: bytes, *, bodiless: bool = False) -> Iterator[Reply]:
    """Split responses that declare their length or come in chunks."""
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, "a response without an end"
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            assert colon, line
            assert name.lower() not in headers, name
            headers[name.lower()] = value
        if status == "100" or bodiless:
            yield Reply(int(status), headers, b"")
        elif "transfer-encoding" in headers:
            body, data = _read_chunks(data)
            yield Reply(int(status), headers, body)
        else:
            length = int(headers["content-length"])
            assert len(data) >= length, "a response cut short"
            yield Reply(int(status), headers, data[:length])
            data = data[length:]


def _read_chunks(data: bytes) -> tuple[bytes, bytes]:
    body: list[bytes] = []
    at = 0
    while True:
        line_end = data.index(b"\r\n", at)
        begin = line_end + 2
        end = begin + int(data[at:line_end], 16)
        assert data[end : end + 2] == b"\r\n"
        at = end + 2
        if begin == end:
            return b"".join(body), data[at:]
        body.append(data[begin:end])


def post(path: bytes, body: bytes, *lines: bytes) -> bytes:
    """A POST with its body; further header lines without their ends."""
    extra = b"".join(line + b"\r\n" for line in lines)
    return b"POST %b HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n%b\r\n%b" % (
        path,
        len(body),
        extra,
        body,
    )


def get(path: bytes, *lines: bytes) -> bytes:
    extra = b"".join(line + b"\r\n" for line in lines)
    return b"GET %b HTTP/1.1\r\nHost: here\r\n%b\r\n" % (path, extra)


def cuts(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """The ways in which bytes may come: whole, one by one, cut in two anywhere."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data)):
        yield data[:at], data[at:]
