"""Replies leave in the order of their requests; reading pauses when too much is owed or unread."""

import itertools

import pytest

from pilotage.contracts.limits import Limits
from pilotage.serving.http.responses import json_response
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, Service, get, post


def _paths(count: int) -> list[bytes]:
    return [b"GET /%d " % number for number in range(count)]


def _pipeline(count: int) -> bytes:
    return b"".join(get(b"/%d" % number) for number in range(count))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_pipelined_requests_are_answered_in_order_whatever_is_ready_first(order: tuple[int, ...]):
    client = Client(service=Service(holds=True))
    client.send(_pipeline(4))
    exchanges = list(client.service.exchanges)
    for number in order:
        client.service.echo(exchanges[number])
    assert client.bodies() == _paths(4)


def test_a_refusal_takes_its_turn_too():
    client = Client(service=Service(holds=True))
    client.service.refuses[b"/1"] = Refusal(404, "unknown", "no")
    client.send(_pipeline(3))
    first, third = client.service.exchanges
    client.service.echo(third)
    assert client.replies() == []
    client.service.echo(first)
    assert client.statuses() == [200, 404, 200]


def test_thousands_of_pipelined_requests_are_answered_in_one_go():
    client = Client()
    client.send(_pipeline(5000))
    assert client.bodies() == _paths(5000)


def test_pipelined_requests_holds_on_both_sides_and_reading_goes_on_later():
    client = Client(service=Service(holds=True), limits=Limits(pipelined_requests=3))
    client.send(_pipeline(2))
    assert client.wire.reading
    client.send(_pipeline(6))
    assert len(client.service.exchanges) == 3
    assert not client.wire.reading
    for number in range(8):
        client.service.echo(client.service.exchanges[number])
    assert client.wire.reading
    assert client.bodies() == _paths(2) + _paths(6)


def test_one_at_a_time_works_too():
    client = Client(service=Service(holds=True), limits=Limits(pipelined_requests=1))
    client.send(_pipeline(3))
    for number in range(3):
        assert len(client.service.exchanges) == number + 1
        client.service.echo(client.service.exchanges[number])
    assert client.bodies() == _paths(3)
    client.send(get(b"/0"))
    client.service.echo(client.service.exchanges[3])
    assert client.bodies() == _paths(3) + _paths(1)


def test_a_client_that_does_not_read_is_not_read():
    client = Client()
    client.send(get(b"/0"))
    client.connection.pause_writing()
    assert not client.wire.reading
    client.send(get(b"/1"), get(b"/2"))
    assert client.bodies() == _paths(1)
    client.connection.resume_writing()
    assert client.wire.reading
    assert client.bodies() == _paths(3)


def test_a_pause_in_the_middle_of_a_pipeline_stops_it_there():
    client = Client(service=Service(holds=True))
    client.send(_pipeline(4))
    client.connection.pause_writing()
    for exchange in list(client.service.exchanges):
        client.service.echo(exchange)
    client.send(get(b"/4"))
    assert len(client.service.exchanges) == 4
    client.connection.resume_writing()
    assert len(client.service.exchanges) == 5


def test_a_client_that_hangs_up_leaves_only_unanswered_work_to_abandon():
    client = Client(service=Service(holds=True))
    client.service.refuses[b"/2"] = Refusal(404, "unknown", "no")
    client.send(_pipeline(4))
    first, second, fourth = client.service.exchanges
    client.service.echo(first)
    client.service.echo(fourth)
    client.connection.lost()
    assert client.service.abandoned == [second]
    assert second.gone
    client.service.echo(second)
    assert client.bodies() == _paths(1)


def test_a_body_that_never_becomes_whole_is_nobodys_work():
    client = Client()
    client.send(post(b"/p", b"body")[:-1])
    assert client.front.receiving_bytes == 4
    client.connection.lost()
    assert client.front.receiving_bytes == 0
    assert client.service.abandoned == []


def test_nothing_is_answered_twice():
    client = Client(service=Service(holds=True))
    client.send(_pipeline(3))
    first, second, _ = client.service.exchanges
    client.service.echo(second)
    for exchange in (first, second):
        if exchange is first:
            client.service.echo(first)
        with pytest.raises(RuntimeError):
            client.service.echo(exchange)


def test_a_reply_that_ends_the_connection_drops_what_is_behind_it():
    client = Client(service=Service(holds=True))
    client.send(_pipeline(3))
    first, second, third = client.service.exchanges
    client.service.echo(third)
    first.reply(json_response(200, b"{}"), close=True)
    (reply,) = client.replies()
    assert reply.headers["connection"] == "close"
    assert client.wire.ending in ("finished", "closed")
    assert client.service.abandoned == [second]


def test_a_client_that_wants_to_close_gets_its_answer_and_the_end():
    for tail, ending in ((b"", "closed"), (get(b"/b"), "finished")):
        client = Client(service=Service(holds=True))
        client.send(get(b"/a", b"Connection: close") + tail)
        (exchange,) = client.service.exchanges
        client.service.echo(exchange)
        (reply,) = client.replies()
        assert reply.headers["connection"] == "close"
        assert client.wire.ending == ending


def test_http_1_0_is_told_whether_the_connection_goes_on():
    client = Client()
    client.send(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 3)
    assert [reply.headers["connection"] for reply in client.replies()] == ["keep-alive"] * 3
    client.send(b"GET /a HTTP/1.0\r\n\r\n")
    assert client.replies()[-1].headers["connection"] == "close"
    assert client.wire.ending == "closed"


def test_head_gets_the_head_alone_of_answers_and_refusals():
    client = Client()
    client.service.refuses[b"/no"] = Refusal(404, "unknown", "no")
    head = b"HEAD %b HTTP/1.1\r\nHost: a\r\n\r\n"
    client.send(head % b"/a", head % b"/no", head % b"/a", head % b"/a")
    first, second, *_ = client.replies(bodiless=True)
    assert (first.status, first.headers["content-length"]) == (200, "8")
    assert second.status == 404
    assert len(client.replies(bodiless=True)) == 4
