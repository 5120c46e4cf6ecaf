"""Every limit of time, on both sides."""

import pytest

from pilotage.contracts.limits import Limits
from pilotage.serving.http.patience import HALF_CLOSED_S, LINGER_S
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, Service, get, post

LIMITS = Limits(idle_s=75.0, head_s=30.0, body_s=20.0, unread_s=10.0)


def _wait(client: Client, seconds: float, *, start_s: float = 1000.0) -> None:
    """Two ticks that far apart: the first sees the phase, the second its length."""
    client.connection.tick(start_s)
    client.connection.tick(start_s + seconds)


def _client(*pieces: bytes, holds: bool = False) -> Client:
    client = Client(limits=LIMITS, service=Service(holds=holds))
    client.send(*pieces)
    return client


def test_idle_s_holds_on_both_sides():
    for pieces in ((), (get(b"/"),)):
        client = _client(*pieces)
        _wait(client, 75.0)
        assert client.wire.ending == "open"
        client = _client(*pieces)
        _wait(client, 75.1)
        assert client.wire.ending == "closed"
        assert 408 not in client.statuses()


def test_head_s_holds_on_both_sides():
    client = _client(b"GET / HT")
    _wait(client, 30.0)
    client.send(b"T")
    assert client.statuses() == []
    client = _client(b"GET / HT")
    _wait(client, 30.1)
    (reply,) = client.replies()
    assert reply.status == 408
    assert reply.headers["connection"] == "close"
    assert client.wire.ending == "finished"


def test_a_head_that_comes_byte_by_byte_gains_no_time():
    client = _client()
    for second in range(32):
        client.send(get(b"/longer/than/that")[second : second + 1])
        client.connection.tick(float(second))
    assert client.statuses() == [408]


@pytest.mark.parametrize(
    "head",
    [
        post(b"/p", b"x" * 100)[:-100],
        b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_body_s_holds_on_both_sides(head: bytes):
    client = _client(head)
    _wait(client, 20.0)
    assert client.statuses() == []
    _wait(client, 20.1, start_s=1000.0)
    assert client.statuses() == [408]
    assert client.front.receiving_bytes == 0
    assert client.wire.ending == "finished"


def test_a_body_that_comes_byte_by_byte_gains_no_time():
    client = _client(post(b"/p", b"x" * 100)[:-100])
    for second in range(22):
        client.send(b"x")
        client.connection.tick(float(second))
    assert client.statuses() == [408]


def test_a_late_body_of_a_declined_request_ends_without_a_second_reply():
    client = Client(limits=LIMITS)
    client.service.refuses[b"/no"] = Refusal(404, "unknown", "no")
    client.send(post(b"/no", b"body")[:-1])
    _wait(client, 20.1)
    assert client.statuses() == [404]
    assert client.wire.ending == "closed"


def test_a_late_head_behind_an_unanswered_request_waits_for_its_turn():
    client = _client(get(b"/0") + b"GET /1", holds=True)
    _wait(client, 30.1)
    assert client.statuses() == []
    client.service.echo(client.service.exchanges[0])
    assert client.statuses() == [200, 408]


def test_an_answer_of_ours_has_no_limit_here():
    client = _client(get(b"/0"), holds=True)
    _wait(client, 1e6)
    client.service.echo(client.service.exchanges[0])
    assert client.statuses() == [200]
    assert client.wire.ending == "open"


def test_unread_s_holds_on_both_sides():
    client = _client(get(b"/0"))
    client.connection.pause_writing()
    _wait(client, 10.0)
    assert client.wire.ending == "open"
    client = _client(get(b"/0"), get(b"/1"), holds=True)
    client.service.echo(client.service.exchanges[0])
    client.connection.pause_writing()
    _wait(client, 10.1)
    assert client.wire.ending == "aborted"
    assert client.service.abandoned == client.service.exchanges[1:]


def test_a_client_that_takes_answers_now_and_then_is_kept():
    client = _client(get(b"/0"))
    for second in range(0, 60, 5):
        client.connection.pause_writing()
        client.connection.tick(float(second))
        client.connection.resume_writing()
    assert client.wire.ending == "open"


def test_reading_that_we_paused_costs_the_client_no_time():
    client = Client(limits=Limits(pipelined_requests=1, head_s=30.0), service=Service(holds=True))
    client.send(get(b"/0") + b"GET /1")
    _wait(client, 1e6)
    client.service.echo(client.service.exchanges[0])
    client.connection.tick(1e6)
    client.send(get(b"/1")[6:])
    client.service.echo(client.service.exchanges[1])
    assert client.statuses() == [200, 200]


def test_a_half_closed_client_is_waited_for_so_long():
    client = _client(get(b"/0"), holds=True)
    client.connection.receive_eof()
    _wait(client, HALF_CLOSED_S)
    assert client.wire.ending == "open"
    _wait(client, HALF_CLOSED_S + 0.1)
    assert client.wire.ending == "aborted"
    assert client.service.abandoned == client.service.exchanges


def test_a_client_that_does_not_notice_the_end_is_cut():
    client = _client(b"nonsense\r\n\r\n")
    _wait(client, LINGER_S)
    assert client.wire.ending == "finished"
    _wait(client, LINGER_S + 0.1)
    assert client.wire.ending == "aborted"


def test_last_bytes_that_do_not_leave_are_given_up():
    client = _client(get(b"/", b"Connection: close"))
    assert client.wire.ending == "closed"
    _wait(client, 10.0)
    assert client.wire.ending == "closed"
    _wait(client, 10.1)
    assert client.wire.ending == "aborted"
