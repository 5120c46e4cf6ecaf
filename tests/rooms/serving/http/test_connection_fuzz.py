"""Spoilt requests: nothing raises, cuts change nothing, and another parser reads the same."""

import random

import h11
from hypothesis import given, settings
from hypothesis import strategies as some

from pilotage.contracts.limits import Limits
from simulators.clients import Client, Reply, get, post

LIMITS = Limits(
    head_bytes=400,
    header_count=8,
    body_bytes=300,
    inflight_bytes=300,
    pipelined_requests=3,
    chunk_line_bytes=20,
    trailer_bytes=40,
)
CHUNKED = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
SEEDS = [
    get(b"/a"),
    post(b"/p", b"body"),
    post(b"/v2/models/m/infer", b'{"inputs":[]}', b"Content-Type: application/json"),
    post(b"/e", b"body", b"Expect: 100-continue"),
    post(b"/u", b"body", b"Connection: Upgrade", b"Upgrade: h2c"),
    CHUNKED + b"\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    CHUNKED + b"Trailer: A\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n",
    b"GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n",
    post(b"/g", b"not gzip", b"Content-Encoding: gzip"),
]
SPLINTERS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"\x00", b"\xff", b"0", b"1", b"-1",
    b"+1",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"HTTP/1.1",
    b"0\r\n\r\n", b"f\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"a" * 300,
]  # fmt: skip


@some.composite
def spoilt(draw: some.DrawFn, seeds: list[bytes] = SEEDS) -> bytes:
    """A few requests one behind the other, with a few random edits."""
    data = b"".join(draw(some.lists(some.sampled_from(seeds), min_size=1, max_size=4)))
    for _ in range(draw(some.integers(0, 4))):
        at = draw(some.integers(0, len(data)))
        length = draw(some.integers(0, 3))
        piece = draw(some.sampled_from(SPLINTERS) | some.binary(max_size=3) | some.just(b""))
        data = data[:at] + piece + data[at + length :]
    return data


def _outcome(*pieces: bytes) -> tuple[list[tuple[bytes, bytes, bytes]], list[int], Client]:
    client = Client(limits=LIMITS)
    client.send(*pieces)
    client.connection.tick(0.0)
    taken = [
        (exchange.plan.method, exchange.plan.path, exchange.body)
        for exchange in client.service.exchanges
    ]
    return taken, _statuses(client), client


def _statuses(client: Client) -> list[int]:
    """The statuses without invitations, which depend on how the bytes were cut."""
    lines = bytes(client.wire.sent).split(b"HTTP/1.1 ")[1:]
    return [int(line[:3]) for line in lines if not line.startswith(b"100")]


@settings(max_examples=400, derandomize=True, deadline=None)
@given(spoilt(), some.randoms(use_true_random=False))
def test_spoilt_requests_end_alike_however_they_are_cut(data: bytes, chance: random.Random):
    whole = _outcome(data)
    each = _outcome(*(data[at : at + 1] for at in range(len(data))))
    marks = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    some_cut = _outcome(*(data[a:b] for a, b in zip([0, *marks], [*marks, len(data)], strict=True)))
    for taken, statuses, client in (each, some_cut):
        assert (taken, statuses) == whole[:2]
        client.connection.lost()
        assert client.front.receiving_bytes == 0


@settings(max_examples=400, derandomize=True, deadline=None)
@given(spoilt(SEEDS[:-1]))
def test_another_parser_reads_every_request_that_is_taken_in_the_same_way(data: bytes):
    taken, _, _ = _outcome(data)
    assert _read_by_h11(data, len(taken)) == [(method, path, body) for method, path, body in taken]


def _read_by_h11(data: bytes, count: int) -> list[tuple[bytes, bytes, bytes]]:
    read: list[tuple[bytes, bytes, bytes]] = []
    while len(read) < count:
        parser = h11.Connection(h11.SERVER)
        parser.receive_data(data.lstrip(b"\r\n"))
        request = parser.next_event()
        assert isinstance(request, h11.Request)
        body = b""
        while isinstance(event := parser.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        read.append((request.method, request.target.partition(b"?")[0], body))
        data, _ = parser.trailing_data
    return read


@settings(max_examples=200, derandomize=True, deadline=None)
@given(some.lists(some.sampled_from(SEEDS[:8]), max_size=6))
def test_a_spoilt_request_does_not_touch_the_ones_before_it(requests: list[bytes]):
    client = Client(limits=LIMITS)
    client.send(b"".join(requests) + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + get(b"/never"))
    assert _statuses(client) == [200] * len(requests) + [400]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(some.binary(max_size=600))
def test_noise_gets_at_most_one_refusal(data: bytes):
    client = Client(limits=LIMITS)
    client.send(data, data)
    assert len(_statuses(client)) <= 1
    assert all(isinstance(reply, Reply) for reply in client.replies())
