"""Heads that are refused, however they come, and heads that look odd and are not."""

import pytest

from pilotage.contracts.limits import Limits
from pilotage.serving.http.head import read_head
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, cuts, get, post

HEAD = b"POST /p HTTP/1.1\r\nHost: here\r\n"

REFUSED = {
    "no host": (b"GET / HTTP/1.1\r\nAccept: a\r\n\r\n", 400),
    "two hosts": (get(b"/", b"Host: there"), 400),
    "two equal hosts": (get(b"/", b"Host: here"), 400),
    "a host that is no host": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a host of two": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "absolute target without a host": (b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
    "absolute target with a user": (b"GET http://me@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "version 1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "version 2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "version 0.9": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no version": (b"GET /\r\nHost: a\r\n\r\n", 400),
    "version in lower case": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a tab for a space": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a space in the target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target without a slash": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target in Latin-1": (b"GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a star with GET": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an unknown method": (b"FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a method with odd letters": (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "both lengths": (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1", 400),
    "both, the other way": (
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1",
        400,
    ),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", 400),
    "two equal lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n1", 400),
    "a list of lengths": (HEAD + b"Content-Length: 1, 1\r\n\r\n1", 400),
    "a length with plus": (HEAD + b"Content-Length: +1\r\n\r\n1", 400),
    "a length with minus": (HEAD + b"Content-Length: -1\r\n\r\n1", 400),
    "a length in hex": (HEAD + b"Content-Length: 0x1\r\n\r\n1", 400),
    "a length with an underscore": (HEAD + b"Content-Length: 1_0\r\n\r\n1", 400),
    "a length with a point": (HEAD + b"Content-Length: 1.0\r\n\r\n1", 400),
    "an empty length": (HEAD + b"Content-Length:\r\n\r\n", 400),
    "a length of other digits": (HEAD + b"Content-Length: \xb2\r\n\r\n11", 400),
    "a length past the limit": (HEAD + b"Content-Length: 67108865\r\n\r\n", 413),
    "a length past every number": (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    "gzip, chunked": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "gzip and chunked": (
        HEAD + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "chunked, gzip": (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in two headers": (
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "identity": (HEAD + b"Transfer-Encoding: identity\r\n\r\n", 400),
    "xchunked": (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "chunked with a vertical tab": (HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "an empty coding": (HEAD + b"Transfer-Encoding:\r\n\r\n", 400),
    "chunks in HTTP/1.0": (
        b"POST /p HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "an expectation": (HEAD + b"Expect: 200-ok\r\nContent-Length: 1\r\n\r\n1", 417),
    "a folded header": (get(b"/", b"A: b", b" c"), 400),
    "a header folded by a tab": (get(b"/", b"A: b", b"\tc"), 400),
    "a folded first line": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "space before the colon": (get(b"/", b"A : b"), 400),
    "a tab before the colon": (get(b"/", b"A\t: b"), 400),
    "a header without a colon": (get(b"/", b"A"), 400),
    "a header without a name": (get(b"/", b": b"), 400),
    "a header name with odd letters": (get(b"/", b"A(b): c"), 400),
    "a NUL in a value": (get(b"/", b"A: b\x00c"), 400),
    "a bell in a value": (get(b"/", b"A: b\x07c"), 400),
    "a delete in a value": (get(b"/", b"A: b\x7fc"), 400),
    "a lone CR in a value": (get(b"/", b"A: b\rc"), 400),
    "a lone LF in a value": (get(b"/", b"A: b\nC: d"), 400),
    "a lone CR before the end": (b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400),
    "lines that end in LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "a last line that ends in LF": (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
    "an end of LF LF": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    "an end of LF CR LF": (b"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", 400),
    "a line that begins with LF": (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two keys": (get(b"/", b"Authorization: Bearer a", b"Authorization: Bearer b"), 400),
    "two content types": (get(b"/", b"Content-Type: a", b"Content-Type: b"), 400),
}

TAKEN = {
    "no headers but the host": (get(b"/"), b"GET / "),
    "HTTP/1.0 without a host": (b"GET /old HTTP/1.0\r\n\r\n", b"GET /old "),
    "an empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", b"GET / "),
    "an address with a port": (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", b"GET / "),
    "an absolute target": (b"GET http://a:1/b?c HTTP/1.1\r\nHost: a:1\r\n\r\n", b"GET /b "),
    "an absolute target without a path": (b"GET HTTP://a?c HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / "),
    "a star with OPTIONS": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * "),
    "an empty line before": (b"\r\n" + get(b"/"), b"GET / "),
    "no space behind the colon": (
        b"POST /p HTTP/1.1\r\nHost:a\r\nContent-Length:1\r\n\r\nb",
        b"POST /p b",
    ),
    "leading zeros": (HEAD + b"Content-Length: 0001\r\n\r\nb", b"POST /p b"),
    "names in any case": (
        b"POST /p HTTP/1.1\r\nHOST: a\r\nconTENT-length: 1\r\n\r\nb",
        b"POST /p b",
    ),
    "chunked in any case": (
        HEAD + b"Transfer-Encoding: CHUNKED\r\n\r\n1\r\nb\r\n0\r\n\r\n",
        b"POST /p b",
    ),
    "an empty value": (get(b"/", b"A:"), b"GET / "),
    "Latin-1 in a value": (get(b"/", b"A: \xe9"), b"GET / "),
    "an offer of h2c": (
        post(
            b"/p",
            b"body",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABk",
        ),
        b"POST /p body",
    ),
    "an offer of a websocket": (
        get(b"/", b"Connection: upgrade", b"Upgrade: websocket"),
        b"GET / ",
    ),
    "a GET with a body": (
        b"GET /g HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        b"GET /g hi",
    ),
    "an expectation in HTTP/1.0": (b"GET / HTTP/1.0\r\nExpect: more\r\n\r\n", b"GET / "),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_a_malformed_head_is_refused_once_however_it_comes_and_ends_the_connection(
    data: bytes, status: int
):
    tails = (b"", get(b"/next"))
    for pieces in cuts(data) if len(data) < 1000 else [(data,)]:
        for tail in tails:
            client = Client()
            client.send(*pieces, tail)
            (reply,) = client.replies()
            assert reply.status == status
            assert reply.headers["connection"] == "close"
            assert client.wire.ending == "finished"
            assert client.service.exchanges == []


@pytest.mark.parametrize(("data", "echo"), TAKEN.values(), ids=TAKEN)
def test_an_odd_but_right_request_is_answered_however_it_comes(data: bytes, echo: bytes):
    for pieces in cuts(data):
        client = Client()
        client.send(*pieces)
        assert client.bodies() == [echo]


@pytest.mark.parametrize(
    "data", [get(b"/a"), post(b"/b", b"body"), TAKEN["chunked in any case"][0]]
)
def test_a_request_behind_another_is_answered_too_wherever_the_bytes_are_cut(data: bytes):
    for pieces in cuts(data + get(b"/next")):
        client = Client()
        client.send(*pieces)
        assert client.statuses() == [200, 200]
        assert client.bodies()[1] == b"GET /next "


def test_a_head_is_read_into_its_parts():
    head = read_head(get(b"/v2/m?a=b&c", b"X-Y: 1", b"x-y:  2 ", b"Connection: close"), Limits())
    assert (head.method, head.path, head.query) == (b"GET", b"/v2/m", b"a=b&c")
    assert head.headers[b"x-y"] == b"1, 2"
    assert head.content_length is None
    assert not head.keep_alive


def test_the_host_of_an_absolute_target_wins():
    head = read_head(b"GET http://a:1/ HTTP/1.1\r\nHost: b\r\n\r\n", Limits())
    assert head.headers[b"host"] == b"a:1"


@pytest.mark.parametrize(
    ("version", "wish", "goes_on"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Close", False),
        (b"1.1", b"TE, close", False),
        (b"1.1", b"keep-alive", True),
        (b"1.0", b"", False),
        (b"1.0", b"Keep-Alive", True),
        (b"1.0", b"keep-alive, close", False),
    ],
)
def test_the_client_says_whether_it_goes_on(version: bytes, wish: bytes, goes_on: bool):
    line = b"Connection: " + wish + b"\r\n" if wish else b""
    raw = b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + line + b"\r\n"
    assert read_head(raw, Limits()).keep_alive is goes_on


def test_head_bytes_holds_on_both_sides():
    raw = get(b"/", b"A: " + b"b" * 100)
    for pieces in ((raw,), (raw[:-1], raw[-1:])):
        client = Client(limits=Limits(head_bytes=len(raw)))
        client.send(*pieces)
        assert client.statuses() == [200]
        client = Client(limits=Limits(head_bytes=len(raw) - 1))
        client.send(*pieces)
        assert client.statuses() == [431]


def test_a_head_without_end_is_refused_once_the_limit_is_reached():
    client = Client(limits=Limits(head_bytes=1000))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nA: ", *[b"b"] * 2000)
    assert client.statuses() == [431]


def test_header_count_holds_on_both_sides():
    limits = Limits(header_count=5)
    read_head(get(b"/", *[b"A: b"] * 4), limits)
    with pytest.raises(Refusal) as refused:
        read_head(get(b"/", *[b"A: b"] * 5), limits)
    assert refused.value.status == 431


def test_body_bytes_holds_on_both_sides_from_the_head_alone():
    limits = Limits(body_bytes=10)
    client = Client(limits=limits)
    client.send(HEAD + b"Content-Length: 10\r\n\r\n", b"0123456789")
    assert client.statuses() == [200]
    client = Client(limits=limits)
    client.send(HEAD + b"Content-Length: 11\r\n\r\n")
    assert client.statuses() == [413]


def test_a_refusal_says_the_field_and_never_what_came():
    secret = b"se-cret"
    for data in (
        get(b"/", b"A : " + secret),
        HEAD + b"Content-Length: " + secret + b"\r\n\r\n",
        get(b"/" + secret, b"Host: " + secret),
        b"GET / HTTP/1.1\r\nHost: /" + secret + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: " + secret + b"\r\n\r\n",
    ):
        client = Client()
        client.send(data)
        (reply,) = client.replies()
        assert secret not in reply.body
        assert b'"where"' in reply.body
