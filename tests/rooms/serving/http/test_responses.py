"""Replies as bytes: refusals in their two styles, bounded, and safe with any text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pilotage.contracts.limits import Limits
from pilotage.serving.http.responses import (
    answer_head,
    json_response,
    refusal_response,
    stream_head,
)
from pilotage.serving.refusals import Refusal
from simulators.clients import Reply, read_replies

ERROR_BYTES = Limits().error_bytes


def _read(data: bytes) -> Reply:
    (reply,) = read_replies(data)
    return reply


def _refused(refusal: Refusal, *, v2: bool = True, error_bytes: int = ERROR_BYTES) -> Reply:
    return _read(refusal_response(refusal, v2=v2, error_bytes=error_bytes))


def test_a_refusal_on_the_v2_routes_is_plain_json_with_an_error_sentence():
    refusal = Refusal(
        400,
        "invalid",
        "the shape does not fit",
        where="inputs[0].shape",
        expected="[-1, 30]",
        came="[1, 31]",
        fix="Send 30 columns.",
    )
    reply = _refused(refusal)
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body) == {
        "error": "inputs[0].shape: the shape does not fit; expected [-1, 30], came [1, 31]. "
        "Send 30 columns.",
        "reason": "invalid",
        "where": "inputs[0].shape",
        "expected": "[-1, 30]",
        "came": "[1, 31]",
        "fix": "Send 30 columns.",
    }


def test_a_refusal_elsewhere_is_a_problem_as_rfc_9457_has_it():
    reply = _refused(Refusal(404, "unknown", "there is no such path"), v2=False)
    assert reply.headers["content-type"] == "application/problem+json"
    assert json.loads(reply.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no such path",
        "reason": "unknown",
    }


@pytest.mark.parametrize(
    ("retry_after_s", "header"),
    [
        (0.0, "0"),
        (0.2, "1"),
        (1.0, "1"),
        (1.1, "2"),
        (-1.0, "0"),
        (1e9, "86400"),
        (float("inf"), "86400"),
        (float("nan"), "0"),
    ],
)
def test_the_time_to_retry_is_in_whole_seconds(retry_after_s: float, header: str):
    refusal = Refusal(503, "overload", "busy", retry_after_s=retry_after_s)
    assert _refused(refusal).headers["retry-after"] == header


def test_headers_that_a_status_needs_are_there():
    assert _refused(Refusal(401, "unauthenticated", "no key")).headers["www-authenticate"] == (
        'Bearer realm="pilotage"'
    )
    other = Refusal(401, "unauthenticated", "no", headers=(("WWW-Authenticate", "Basic"),))
    assert _refused(other).headers["www-authenticate"] == "Basic"
    allow = Refusal(405, "method", "not so", headers=(("Allow", "GET, HEAD"),))
    assert _refused(allow).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("v2", [True, False])
@pytest.mark.parametrize("letter", ["a", "é", "\x00", "\ud800", "𝄞", '"'])
def test_error_bytes_is_never_passed_whatever_the_text(letter: str, v2: bool):
    text = letter * 100_000
    refusal = Refusal(400, "invalid", text, where=text, expected=text, came=text, fix=text)
    for error_bytes in (ERROR_BYTES, 1000):
        reply = _refused(refusal, v2=v2, error_bytes=error_bytes)
        assert len(reply.body) <= error_bytes
        assert json.loads(reply.body)["reason"] == "invalid"


def test_an_error_as_long_as_error_bytes_is_not_cut():
    refusal = Refusal(400, "invalid", "x" * 3000)
    body = _refused(refusal).body
    assert _refused(refusal, error_bytes=len(body)).body == body
    assert len(_refused(refusal, error_bytes=len(body) - 1).body) < len(body)


@settings(max_examples=100, derandomize=True)
@given(some.text(), some.text(), some.floats() | some.none(), some.booleans())
def test_no_text_breaks_a_refusal_or_its_head(what: str, value: str, after: float | None, v2: bool):
    refusal = Refusal(
        503, "overload", what, where=value, retry_after_s=after, headers=(("X-Odd", value),)
    )
    reply = _refused(refusal, v2=v2)
    assert reply.status == 503
    json.loads(reply.body)
    assert set(reply.headers) <= {"content-type", "content-length", "retry-after", "x-odd"}


def test_an_answer_has_its_length_and_type():
    reply = _read(answer_head(2, headers=b"Pilotage-Prediction-Id: 1\r\n") + b"{}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["pilotage-prediction-id"] == "1"
    assert reply.body == b"{}"
    assert _read(json_response(200, b"[]", (("A", "b"),))).headers["a"] == "b"
    assert b"content-length" not in stream_head(content_type=b"text/event-stream").lower()
