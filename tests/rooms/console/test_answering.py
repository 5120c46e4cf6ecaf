"""Which request gets which answer: a table."""

import pytest

from pilotage.console.answering import answer, is_local, refused
from pilotage.console.http import Malformed, Request

FILES = {"index.html": b"<html>", "app.css": b"body", "app.js": b"1", "words.js": b"2"}


def asked(path, method="GET", host="localhost:8090", view=b"{}"):
    return answer(Request(method, path, host, keeps=True), FILES, lambda: view)


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<html>"),
        ("/index.html", "text/html; charset=utf-8", b"<html>"),
        ("/app.css", "text/css; charset=utf-8", b"body"),
        ("/words.js", "text/javascript; charset=utf-8", b"2"),
        ("/rollout.json", "application/json", b"{}"),
        ("/health", "text/plain; charset=utf-8", b"ok\n"),
    ],
)
def test_a_page_is_answered_by_its_name(path, kind, body):
    answered = asked(path)
    assert answered is not None
    assert (answered.status, answered.kind, answered.body) == (200, kind, body)


def test_events_are_a_stream():
    assert asked("/events") is None


def test_the_head_of_events_is_no_stream():
    assert asked("/events", method="HEAD").kind == "text/event-stream"


@pytest.mark.parametrize(
    "path", ["/nothing", "//", "/../http.py", "/%2e%2e/http.py", "/app.css/", "/APP.CSS", "*"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_anything_else_is_not_found(path, method):
    assert asked(path, method=method).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/app.js", "/rollout.json", "/events", "/health"])
def test_the_page_takes_no_orders(path, method):
    answered = asked(path, method=method)
    assert answered.status == 405
    assert ("Allow", "GET, HEAD") in answered.headers


def test_a_view_that_is_not_there_yet_is_asked_for_again():
    answered = asked("/rollout.json", view=None)
    assert answered.status == 503
    assert ("Retry-After", "1") in answered.headers


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8090", "127.0.0.1", "127.0.0.1:8090", "127.9.9.9:1", "[::1]:8090"],
)
def test_the_machine_itself_is_answered(host):
    assert is_local(host)
    assert asked("/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8090", "localhost.evil.example", "127.0.0.1.nip.io"),
        *("10.0.0.1", "0.0.0.0", "[::]", "localhost:", "localhost:1:2", "user@localhost"),
        *("127.0.0.1\n", "1270.0.1", "127.0.0.1/"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/events", "/rollout.json", "/nothing"])
def test_a_name_that_somebody_else_pointed_here_is_turned_away(path, host):
    assert not is_local(host)
    answered = asked(path, host=host)
    assert answered.status == 421
    assert b"{}" not in answered.body


def test_what_could_not_be_read_is_told_so():
    assert (
        refused(Malformed(431, "a head is at most 8 bytes")).body == b"A head is at most 8 bytes.\n"
    )
