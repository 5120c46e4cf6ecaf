"""Requests of the rollout's page: heads are cut from bytes wherever those are torn."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.console.http import (
    GUARDING,
    HEAD_BYTES,
    Malformed,
    Reader,
    Request,
    Response,
    comment,
    encoded,
    event,
    stream_head,
)

HEAD = b"GET /rollout.json?x=1 HTTP/1.1\r\nHost: localhost:8090\r\nAccept: */*\r\n\r\n"
REQUEST = Request("GET", "/rollout.json", "localhost:8090", keeps=True)
LAST = b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def head_of(size):
    """A head of exactly so many bytes."""
    start, end = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


def test_a_whole_head_is_a_request_without_its_query():
    assert Reader().receive(HEAD) == [REQUEST]


def test_a_head_that_comes_byte_by_byte_is_whole_with_its_last_byte():
    reader = Reader()
    assert [reader.receive(HEAD[at : at + 1]) for at in range(len(HEAD))] == [
        *[[]] * (len(HEAD) - 1),
        [REQUEST],
    ]


@given(cuts=st.lists(st.integers(0, 2 * len(HEAD) + len(LAST)), max_size=4))
@settings(max_examples=60, derandomize=True)
def test_requests_are_the_same_wherever_their_bytes_are_cut(cuts):
    data, reader, found = HEAD + HEAD + LAST, Reader(), []
    ends = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(ends):
        found += reader.receive(data[start:end])
    assert found == [REQUEST, REQUEST, Request("HEAD", "/", "127.0.0.1", keeps=False)]


def test_what_follows_a_head_is_kept_until_it_is_whole():
    reader = Reader()
    assert reader.receive(HEAD + LAST[:9]) == [REQUEST]
    assert reader.receive(LAST[9:]) == [Request("HEAD", "/", "127.0.0.1", keeps=False)]


def test_empty_lines_before_a_request_are_let_pass():
    assert Reader().receive(b"\r\n\r\n" + HEAD) == [REQUEST]


def test_a_head_of_the_limit_is_read_and_one_byte_more_is_refused():
    (read,) = Reader().receive(head_of(HEAD_BYTES))
    assert isinstance(read, Request)
    (refused,) = Reader().receive(head_of(HEAD_BYTES + 1))
    assert isinstance(refused, Malformed)
    assert refused.status == 431


def test_a_head_that_never_ends_is_refused_at_the_limit():
    reader = Reader()
    endless = head_of(2 * HEAD_BYTES)
    assert reader.receive(endless[: HEAD_BYTES - 1]) == []
    (refused,) = reader.receive(endless[HEAD_BYTES - 1 : HEAD_BYTES])
    assert isinstance(refused, Malformed)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
    ],
    ids=["tls", "0.9", "no host", "two hosts", "folded", "2.0", "length", "chunked"],
)
def test_what_is_no_request_is_refused_and_nothing_is_read_behind_it(data, status):
    reader = Reader()
    (refused,) = reader.receive(data + HEAD)
    assert isinstance(refused, Malformed)
    assert refused.status == status
    assert reader.receive(HEAD) == []


def test_a_target_that_names_a_host_is_held_to_that_host():
    data = b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert Reader().receive(data) == [Request("GET", "/", "elsewhere.example", keeps=True)]


def test_an_old_client_names_no_host_and_is_closed_behind_the_answer():
    assert Reader().receive(b"GET / HTTP/1.0\r\n\r\n") == [Request("GET", "/", "", keeps=False)]


def test_an_answer_tells_its_length_and_guards_the_page():
    wire = encoded(Response(200, "text/plain", b"ok\n"), keeps=True)
    head, _, body = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[:3] == ["HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 3"]
    assert {f"{name}: {value}" for name, value in GUARDING} <= set(lines)
    assert body == b"ok\n"
    assert not [line for line in lines if "access-control" in line.lower()]


def test_head_is_told_the_length_of_what_it_does_not_get():
    wire = encoded(Response(200, "text/plain", b"ok\n"), keeps=False, without_body=True)
    assert b"Content-Length: 3\r\n" in wire
    assert b"Connection: close\r\n" in wire
    assert wire.endswith(b"\r\n\r\n")


def test_a_stream_ends_with_its_connection_and_is_parted_by_empty_lines():
    assert b"Content-Length" not in stream_head()
    assert b"Connection: close\r\n" in stream_head()
    assert event("view", b'{"a":1}') == b'event: view\ndata: {"a":1}\n\n'
    assert comment("beat") == b": beat\n\n"
