"""Which heads are kept, for how long, and that a refusal never is."""

import random

from pilotage.serving.http.head_cache import HEADS, HEADS_BYTES, ONE_HEAD_BYTES
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, get, post


def _known(client: Client) -> int:
    return len(client.front.heads.known)


def test_a_head_is_planned_twice_and_then_known():
    client = Client()
    for _ in range(5):
        client.send(get(b"/a"))
    assert len(client.service.heads) == 2
    assert client.bodies() == [b"GET /a "] * 5


def test_a_known_head_is_planned_again_after_the_snapshot_changed():
    client = Client()
    for _ in range(3):
        client.send(get(b"/a"))
    client.service.refuses[b"/a"] = Refusal(404, "unknown", "gone")
    client.send(get(b"/a"))
    client.front.heads.clear()
    client.send(get(b"/a"))
    assert client.statuses() == [200, 200, 200, 200, 404]


def test_a_refusal_is_decided_afresh_each_time():
    client = Client()
    client.service.refuses[b"/a"] = Refusal(401, "unauthenticated", "no key")
    for _ in range(4):
        client.send(get(b"/a"))
    del client.service.refuses[b"/a"]
    client.send(get(b"/a"))
    assert client.statuses() == [401] * 4 + [200]
    assert len(client.service.heads) == 5


def test_heads_that_cannot_come_again_or_need_more_are_not_kept():
    client = Client()
    trace = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for _ in range(4):
        client.send(get(b"/a", trace))
        client.send(post(b"/c", b"body", b"Expect: 100-continue"))
        client.send(get(b"/long", b"A: " + b"b" * ONE_HEAD_BYTES))
        client.send(b"POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert _known(client) == 0
    assert set(client.statuses()) == {200}


def test_heads_that_come_once_do_not_push_out_those_that_come_again():
    client = Client()
    for number in range(5 * HEADS):
        client.send(get(b"/%d" % number))
        client.send(get(b"/a"))
    assert _known(client) == 1
    assert len(client.service.heads) == 5 * HEADS + 2


def test_the_number_of_heads_holds_on_both_sides():
    client = Client()
    for number in range(HEADS + 1):
        client.send(get(b"/%d" % number), get(b"/%d" % number))
        assert _known(client) == min(number + 1, HEADS)
    client.service.heads.clear()
    client.send(get(b"/%d" % HEADS), get(b"/0"))
    assert [head.path for head in client.service.heads] == [b"/0"]


def test_the_bytes_of_all_heads_are_bounded():
    client = Client()
    longest = ONE_HEAD_BYTES - 200
    for number in range(2 * HEADS_BYTES // longest):
        head = get(b"/%d" % number, b"A: " + b"b" * longest)
        client.send(head, head)
    assert 0 < sum(map(len, client.front.heads.known)) <= HEADS_BYTES


def test_a_known_head_with_other_bodies_in_other_cuts_answers_the_same():
    chance = random.Random(3)
    client = Client()
    sent: list[bytes] = []
    for _ in range(300):
        body = chance.randbytes(20)
        request = post(b"/p", body)
        at = chance.randrange(len(request))
        client.send(*chance.choice([(request,), (request[:at], request[at:])]))
        sent.append(b"POST /p " + body)
    assert client.bodies() == sent
