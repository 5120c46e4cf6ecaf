"""What a connection does beside reading heads and bodies: declining, inviting, ending."""

import pytest

from pilotage.contracts.limits import Limits
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.reading import Front
from pilotage.serving.refusals import Refusal
from simulators.clients import NOW_NS, Client, Service, cuts, get, post

NO = Refusal(404, "unknown", "there is no such path")
CHUNKED = b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_exchange_carries_plan_body_and_time():
    client = Client()
    for _ in range(3):
        client.send(post(b"/p", b"body"))
    for exchange in client.service.exchanges:
        assert exchange.plan is exchange.planned.plan
        assert exchange.body == b"body"
        assert exchange.received_ns == NOW_NS
        assert exchange.work is None
        assert not exchange.gone


@pytest.mark.parametrize(
    "request_", [post(b"/no", b"body"), CHUNKED.replace(b"/p", b"/no") + b"4\r\nbody\r\n0\r\n\r\n"]
)
def test_the_body_of_a_declined_request_is_passed_over_wherever_it_is_cut(request_: bytes):
    for pieces in cuts(request_ + get(b"/next")):
        client = Client()
        client.service.refuses[b"/no"] = NO
        client.send(*pieces)
        assert client.statuses() == [404, 200]
        assert client.wire.ending == "open"
        assert len(client.service.exchanges) == 1


def test_a_declined_request_is_told_before_its_body_came():
    client = Client()
    client.service.refuses[b"/no"] = NO
    client.send(post(b"/no", b"body")[:-4])
    assert client.statuses() == [404]
    assert client.front.receiving_bytes == 0


def test_refusals_have_the_style_of_the_path_even_when_the_head_cannot_be_read():
    for path, content_type in (
        (b"/v2", "application/json"),
        (b"/v2/models/m/infer", "application/json"),
        (b"/v2?a=b", "application/json"),
        (b"/v22", "application/problem+json"),
        (b"/metrics", "application/problem+json"),
    ):
        for data in (
            get(path),
            get(path, b"A : b"),
            get(path)[:-1] + b"x\x00",
            get(path, b"A: " + b"b" * 20_000),
        ):
            client = Client()
            client.service.refuses[path.partition(b"?")[0]] = NO
            client.send(data)
            (reply,) = client.replies()
            assert reply.headers["content-type"] == content_type


def test_admission_is_asked_only_when_the_body_is_not_here_whole():
    client = Client()
    client.send(post(b"/p", b"body"))
    assert client.service.admitted_bytes == []
    client.send(post(b"/p", b"body")[:-1], b"y")
    client.send(CHUNKED + b"0\r\n\r\n")
    assert client.service.admitted_bytes == [4, 0]
    assert client.statuses() == [200, 200, 200]


def test_a_body_that_is_not_admitted_is_passed_over():
    client = Client()
    client.service.declines = Refusal(503, "overload", "busy", retry_after_s=1)
    request = post(b"/p", b"body")
    client.send(request[:-2], request[-2:] + get(b"/next"))
    assert client.statuses() == [503, 200]
    assert client.replies()[0].headers["retry-after"] == "1"


def test_a_client_that_waits_is_invited_and_then_answered():
    for request in (
        post(b"/p", b"body", b"Expect: 100-Continue"),
        CHUNKED[:-2] + b"Expect: 100-continue\r\n\r\n",
    ):
        head, end, body = request.partition(b"\r\n\r\n")
        client = Client()
        client.send(head + end)
        assert client.statuses() == [100]
        client.send(body or b"4\r\nbody\r\n0\r\n\r\n")
        assert client.statuses() == [100, 200]
        assert client.bodies()[1] == b"POST /p body"


def test_a_client_that_waits_behind_others_is_invited_when_they_are_answered():
    client = Client(service=Service(holds=True))
    client.send(get(b"/0"), get(b"/1"), post(b"/p", b"body", b"Expect: 100-continue")[:-4])
    first, second = client.service.exchanges
    client.service.echo(first)
    assert client.statuses() == [200]
    client.service.echo(second)
    assert client.statuses() == [200, 200, 100]


def test_a_body_that_is_here_needs_no_invitation():
    client = Client()
    client.send(post(b"/p", b"body", b"Expect: 100-continue"))
    request = post(b"/p", b"body", b"Expect: 100-continue")
    client.send(request[:-2], request[-2:])
    assert client.statuses() == [200, 200]


def test_a_client_that_waits_and_is_declined_gets_the_refusal_and_the_end():
    client = Client()
    client.service.declines = Refusal(503, "overload", "busy")
    client.send(post(b"/p", b"body", b"Expect: 100-continue")[:-4], b"body", get(b"/next"))
    (reply,) = client.replies()
    assert reply.status == 503
    assert reply.headers["connection"] == "close"
    assert client.wire.ending == "finished"
    assert not client.service.declines.close


def test_inflight_bytes_holds_on_both_sides_over_all_connections():
    service = Service()
    front = Front(service, Limits(inflight_bytes=10), HeadCache(), now_ns=lambda: NOW_NS)
    clients = [Client(service=service, front=front) for _ in range(3)]
    for client in clients[:2]:
        client.send(post(b"/p", b"01234")[:-1])
    clients[2].send(post(b"/p", b"012345")[:-1])
    assert front.receiving_bytes == 10
    assert clients[2].statuses() == [503]
    clients[0].send(b"4")
    assert front.receiving_bytes == 5
    clients[2].send(b"5", post(b"/p", b"01234")[:-1], b"4")
    assert clients[2].statuses() == [503, 200]
    clients[1].connection.lost()
    assert front.receiving_bytes == 0


def test_inflight_bytes_counts_chunks_as_they_come():
    client = Client(limits=Limits(inflight_bytes=10))
    client.send(CHUNKED + b"a\r\n0123456789")
    assert client.front.receiving_bytes == 10
    client.send(b"\r\n1\r\n0")
    (reply,) = client.replies()
    assert reply.status == 503
    assert reply.headers["connection"] == "close"
    assert client.front.receiving_bytes == 0


def test_after_a_last_reply_input_is_ignored_up_to_a_bound():
    client = Client(limits=Limits(body_bytes=100))
    client.send(b"nonsense\r\n\r\n")
    client.send(get(b"/"), bytes(100 - len(get(b"/"))))
    assert client.wire.ending == "finished"
    client.send(b"x")
    assert client.wire.ending == "aborted"
    assert client.statuses() == [400]


def test_a_client_that_ends_its_side_still_gets_what_it_is_owed():
    client = Client(service=Service(holds=True))
    client.send(get(b"/0") + get(b"/1"))
    assert client.connection.receive_eof()
    first, second = client.service.exchanges
    client.service.echo(second)
    client.service.echo(first)
    assert client.bodies() == [b"GET /0 ", b"GET /1 "]
    assert client.wire.ending == "closed"
    assert client.service.abandoned == []


def test_a_client_that_ends_its_side_with_nothing_owed_is_closed():
    client = Client()
    assert not client.connection.receive_eof()
    client = Client()
    client.send(get(b"/0"))
    assert not client.connection.receive_eof()
    client = Client()
    client.send(post(b"/p", b"body")[:-1])
    assert not client.connection.receive_eof()


def test_requests_that_wait_for_their_turn_survive_the_end_of_the_clients_side():
    client = Client(service=Service(holds=True), limits=Limits(pipelined_requests=1))
    client.send(get(b"/0") + get(b"/1") + get(b"/2")[:-1])
    assert client.connection.receive_eof()
    for number in range(2):
        client.service.echo(client.service.exchanges[number])
    assert client.bodies() == [b"GET /0 ", b"GET /1 "]
    assert client.wire.ending == "closed"


def test_draining_says_so_in_the_last_reply_and_then_ends():
    client = Client(service=Service(holds=True))
    client.send(get(b"/0") + get(b"/1"))
    client.connection.drain()
    client.connection.close_idle()
    for exchange in client.service.exchanges:
        client.service.echo(exchange)
    first, second = client.replies()
    assert "connection" not in first.headers
    assert second.headers["connection"] == "close"
    assert client.wire.ending == "closed"


def test_draining_answers_a_request_that_was_on_its_way_and_closes_the_idle():
    client = Client()
    client.connection.drain()
    client.send(get(b"/0"))
    assert client.replies()[0].headers["connection"] == "close"
    assert client.wire.ending == "closed"
    client = Client()
    client.connection.drain()
    client.connection.close_idle()
    assert client.wire.ending == "closed"
    client.connection.lost()


def test_a_connection_that_is_gone_takes_nothing_more():
    client = Client()
    client.send(get(b"/0"))
    client.connection.lost()
    client.send(get(b"/1"))
    client.connection.resume_writing()
    assert client.bodies() == [b"GET /0 "]
