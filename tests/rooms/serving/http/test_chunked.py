"""The chunked coding: what is read, what is refused, and both sides of each limit."""

import pytest

from pilotage.contracts.limits import Limits
from pilotage.serving.http.chunked import FRAMING_BYTES, ChunkedBody
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, cuts, get

HEAD = b"POST /p HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"

TAKEN = {
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "no chunk": (b"0\r\n\r\n", b""),
    "several": (b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
    "hex in both cases": (b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
    "leading zeros": (b"003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "an extension": (b'3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n', b"abc"),
    "line ends in the data": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "trailers": (b"3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", b"abc"),
}

REFUSED = {
    "a size that is no number": b"x\r\nabc\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a size with an underscore": b"1_0\r\nabc\r\n0\r\n\r\n",
    "a size behind space": b" 3\r\nabc\r\n0\r\n\r\n",
    "a size before space": b"3 \r\nabc\r\n0\r\n\r\n",
    "a size of seventeen digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "a size line that ends in LF": b"3\nabc\r\n0\r\n\r\n",
    "a size line with a lone CR": b"3;\ra\r\nabc\r\n0\r\n\r\n",
    "a size line that ends in CR CR LF": b"3\r\r\nabc\r\n0\r\n\r\n",
    "an extension with a NUL": b"3;\x00\r\nabc\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "data that ends in LF": b"3\r\nabc\n0\r\n\r\n",
    "data that ends in CR": b"3\r\nabc\r0\r\n\r\n",
    "data without an end": b"3\r\nabc0\r\n\r\n",
    "a last line that ends in LF": b"3\r\nabc\r\n0\r\n\n",
    "a trailer that ends in LF": b"0\r\nA: b\n\r\n",
    "a trailer without a colon": b"0\r\nA\r\n\r\n",
    "a trailer with space before its colon": b"0\r\nA : b\r\n\r\n",
    "a folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    "a trailer with a NUL": b"0\r\nA: \x00\r\n\r\n",
}


@pytest.mark.parametrize(("data", "body"), TAKEN.values(), ids=TAKEN)
def test_a_chunked_body_is_read_however_it_comes_and_the_next_request_too(data: bytes, body: bytes):
    for pieces in cuts(HEAD + data + get(b"/next")):
        client = Client()
        client.send(*pieces)
        assert client.bodies() == [b"POST /p " + body, b"GET /next "]


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_a_malformed_chunked_body_is_refused_once_however_it_comes(data: bytes):
    for pieces in cuts(HEAD + data):
        for tail in (b"", get(b"/next")):
            client = Client()
            client.send(*pieces, tail)
            assert client.statuses() == [400]
            assert client.wire.ending == "finished"
            assert client.service.exchanges == []
            assert client.front.receiving_bytes == 0


def test_trailers_never_become_headers():
    client = Client()
    client.send(HEAD + b"0\r\nAuthorization: Bearer secret\r\nHost: there\r\n\r\n")
    (head,) = client.service.heads
    assert b"authorization" not in head.headers
    assert head.headers[b"host"] == b"here"


def _receive(data: bytes, limits: Limits) -> ChunkedBody:
    body = ChunkedBody(limits, keep=True)
    assert body.receive(data) == len(data)
    assert body.whole
    return body


def test_chunk_line_bytes_holds_on_both_sides():
    limits = Limits(chunk_line_bytes=10)
    _receive(b"3;45678910\r\nabc\r\n0\r\n\r\n", limits)
    with pytest.raises(Refusal) as refused:
        _receive(b"3;456789101\r\nabc\r\n0\r\n\r\n", limits)
    assert refused.value.status == 400


def test_a_size_line_without_end_is_refused_once_the_limit_is_reached():
    body = ChunkedBody(Limits(), keep=True)
    for _ in range(Limits().chunk_line_bytes + 2):
        body.receive(b"0")
    with pytest.raises(Refusal):
        body.receive(b"0")


def test_trailer_bytes_holds_on_both_sides():
    limits = Limits(trailer_bytes=20)
    _receive(b"0\r\nA: 45678\r\nB: 45678\r\n\r\n", limits)
    for trailers in (b"A: 45678\r\nB: 456789\r\n", b"A: 45678910111213141516\r\n"):
        with pytest.raises(Refusal) as refused:
            _receive(b"0\r\n" + trailers + b"\r\n", limits)
        assert refused.value.status == 431


def test_body_bytes_holds_for_the_sum_of_chunks_and_before_their_data_come():
    limits = Limits(body_bytes=10)
    assert _receive(b"6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n", limits).take() == b"0123456789"
    for sizes in (b"6\r\n012345\r\n5\r\n", b"b\r\n", b"ffffffffffffffff\r\n"):
        with pytest.raises(Refusal) as refused:
            ChunkedBody(limits, keep=True).receive(sizes)
        assert refused.value.status == 413


def test_chunks_of_one_byte_are_read_and_chunks_of_padding_refused():
    plain = b"1\r\na\r\n" * FRAMING_BYTES
    assert _receive(plain + b"0\r\n\r\n", Limits()).take() == b"a" * FRAMING_BYTES
    padded = b"1;" + b"x" * 100 + b"\r\na\r\n"
    with pytest.raises(Refusal):
        ChunkedBody(Limits(), keep=True).receive(padded * (FRAMING_BYTES // 50))


def test_a_body_that_is_not_kept_takes_no_memory():
    body = ChunkedBody(Limits(), keep=False)
    body.receive(b"10000\r\n" + bytes(0x10000) + b"\r\n0\r\n\r\n")
    assert body.whole
    assert body.byte_count == 0
    assert body.take() == b""
