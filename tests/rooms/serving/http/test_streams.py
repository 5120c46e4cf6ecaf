"""Streams: chunks in order, backpressure, cancellation, and the ends of both HTTP versions."""

from pilotage.contracts.limits import Limits
from pilotage.serving.http.responses import stream_head
from pilotage.serving.http.streams import StreamOut
from simulators.clients import Client, Service, get

HEAD = stream_head(content_type=b"text/event-stream")
LIMITS = Limits(stream_bytes=100, unread_bytes=1000)


def _streaming(*pieces: bytes) -> tuple[Client, StreamOut]:
    client = Client(limits=LIMITS, service=Service(holds=True))
    client.send(*pieces or (get(b"/s"),))
    return client, client.service.exchanges[0].open_stream(HEAD)


def test_a_stream_arrives_in_its_chunks_and_the_connection_goes_on():
    client, stream = _streaming(get(b"/s") + get(b"/next"))
    for piece in (b"one ", b"", b"two"):
        stream.write(piece)
    client.service.echo(client.service.exchanges[1])
    assert b"GET /next" not in client.wire.sent
    stream.close()
    first, second = client.replies()
    assert first.body == b"one two"
    assert first.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in first.headers
    assert second.body == b"GET /next "
    assert client.wire.ending == "open"


def test_chunks_leave_at_once():
    client, stream = _streaming()
    stream.write(b"one")
    assert client.wire.sent.endswith(b"\r\n\r\n3\r\none\r\n")


def test_http_1_0_ends_a_stream_with_the_connection():
    client, stream = _streaming(b"GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    stream.write(b"one ")
    stream.write(b"two")
    stream.close()
    head, _, body = bytes(client.wire.sent).partition(b"\r\n\r\n")
    assert body == b"one two"
    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head
    assert client.wire.ending == "closed"


def test_a_client_that_closes_afterwards_is_told_so_in_the_head():
    client, stream = _streaming(get(b"/s", b"Connection: close"))
    stream.close()
    assert client.replies()[0].headers["connection"] == "close"
    assert client.wire.ending == "closed"


def test_head_gets_the_head_of_a_stream_alone():
    client, stream = _streaming(b"HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.write(b"one")
    stream.close()
    (reply,) = client.replies(bodiless=True)
    assert reply.status == 200


def test_a_stream_waits_for_its_turn_up_to_stream_bytes():
    client = Client(limits=LIMITS, service=Service(holds=True))
    client.send(get(b"/0") + get(b"/s"))
    first, second = client.service.exchanges
    stream = second.open_stream(HEAD)
    ready: list[bool] = []
    stream.on_ready = lambda: ready.append(stream.ready)
    stream.write(b"x" * 50)
    assert stream.ready
    stream.write(b"x" * 50)
    assert not stream.ready
    assert client.wire.sent == b""
    client.service.echo(first)
    assert ready == [True]
    stream.close()
    assert client.bodies() == [b"GET /0 ", b"x" * 100]


def test_stream_bytes_holds_on_both_sides_while_a_stream_waits_for_its_turn():
    for more, ready in ((0, True), (1, False)):
        client = Client(limits=LIMITS, service=Service(holds=True))
        client.send(get(b"/0") + get(b"/s"))
        stream = client.service.exchanges[1].open_stream(HEAD)
        framing_bytes = len(b"5e\r\n\r\n")
        stream.write(b"x" * (LIMITS.stream_bytes - framing_bytes + more))
        assert stream.ready is ready


def test_stream_bytes_is_the_wires_limit_while_a_stream_has_its_turn():
    client, stream = _streaming()
    assert client.wire.high_bytes == LIMITS.stream_bytes
    stream.close()
    assert client.wire.high_bytes == LIMITS.unread_bytes


def test_a_client_that_stops_reading_makes_the_stream_wait():
    client, stream = _streaming()
    ready: list[bool] = []
    stream.on_ready = lambda: ready.append(stream.ready)
    assert stream.ready
    client.connection.pause_writing()
    assert not stream.ready
    assert ready == []
    client.connection.resume_writing()
    assert ready == [True]


def test_a_stream_that_was_complete_before_its_turn_is_sent_whole():
    client = Client(service=Service(holds=True))
    client.send(get(b"/0") + get(b"/s") + get(b"/t") + get(b"/1"))
    first, second, third, fourth = client.service.exchanges
    client.service.echo(fourth)
    for exchange in (third, second):
        stream = exchange.open_stream(HEAD)
        stream.write(b"text")
        stream.close()
        stream.close()
    client.service.echo(first)
    assert client.bodies() == [b"GET /0 ", b"text", b"text", b"GET /1 "]


def test_whoever_writes_when_ready_may_end_the_stream_there():
    client = Client(service=Service(holds=True))
    client.send(get(b"/0") + get(b"/s") + get(b"/1"))
    first, second, third = client.service.exchanges
    stream = second.open_stream(HEAD)
    stream.on_ready = stream.close
    client.service.echo(third)
    client.service.echo(first)
    assert client.bodies() == [b"GET /0 ", b"", b"GET /1 "]


def test_a_client_that_hangs_up_is_told_to_the_stream_once():
    client, stream = _streaming()
    told: list[bool] = []
    stream.on_gone = lambda: told.append(stream.gone)
    client.connection.lost()
    client.connection.lost()
    assert told == [True]
    assert not stream.ready
    stream.write(b"one")
    stream.close()
    assert client.service.abandoned == []


def test_a_stream_that_ended_is_not_told_that_its_client_left():
    client, stream = _streaming()
    told: list[bool] = []
    stream.on_gone = lambda: told.append(True)
    stream.close()
    client.connection.lost()
    assert told == []


def test_a_stream_that_breaks_off_has_no_proper_end():
    client, stream = _streaming(get(b"/s") + get(b"/next"))
    stream.write(b"one")
    stream.break_off()
    assert client.wire.sent.endswith(b"3\r\none\r\n")
    assert client.wire.ending == "closed"
    assert client.service.abandoned == client.service.exchanges[1:]


def test_a_half_closed_client_still_gets_its_stream():
    client, stream = _streaming()
    assert client.connection.receive_eof()
    client.connection.tick(0.0)
    client.connection.tick(1000.0)
    stream.write(b"one")
    stream.close()
    assert client.bodies() == [b"one"]
    assert client.wire.ending == "closed"
