"""`POST /v1/outcomes` through one worker: who may report, what is recorded, how it is refused."""

import json
from typing import Any, cast

import pytest

from pilotage.contracts.keys import Key, digest_of
from pilotage.contracts.predictions import Ids
from pilotage.contracts.records import Outcome
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.protocols.outcomes import OUTCOMES_BYTES
from simulators.clients import Client, get, post
from simulators.data_plane import DataPlane, Recording

PATH = b"/v1/outcomes"
BEARER = b"Authorization: Bearer secret"


def report(said: Any, *headers: bytes) -> bytes:
    return post(PATH, json.dumps(said).encode(), *headers)


def problem_of(client: Client) -> dict[str, Any]:
    head, _, body = bytes(client.wire.sent).partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    return json.loads(body)


def key_for(*endpoints: str) -> Key:
    return Key(digest_of(b"secret"), "ann", endpoints=endpoints)


async def test_outcomes_are_recorded_before_they_are_accepted() -> None:
    plane = DataPlane()
    client = plane.client()
    client.send(report([{"key": "a", "value": 1}, {"key": "b", "value": "x", "kind": "stars"}]))
    assert client.statuses() == [202]
    assert bytes(client.wire.sent).endswith(b'{"accepted":2}')
    first, second = plane.recording.outcomes
    assert (first.key, first.value, first.kind, first.source) == ("a", 1, "label", "")
    assert (second.key, second.value, second.kind) == ("b", "x", "stars")
    assert plane.counted("pilotage_outcomes_total", recorded="yes") == 2


async def test_one_wrong_outcome_refuses_all() -> None:
    plane = DataPlane()
    client = plane.client()
    client.send(report([{"key": "a", "value": 1}, {"key": "b"}]))
    problem = problem_of(client)
    assert (problem["status"], problem["where"]) == (400, "[1].value")
    assert plane.recording.outcomes == []
    assert plane.counted("pilotage_refusals_total", reason="invalid") == 1


async def test_the_callers_key_says_who_reports() -> None:
    plane = DataPlane(keys=[key_for()])
    client = plane.client()
    client.send(report({"key": "a", "value": 1}, BEARER))
    assert client.statuses() == [202]
    assert [outcome.source for outcome in plane.recording.outcomes] == ["ann"]


async def test_without_a_key_that_is_asked_for_nothing_is_taken() -> None:
    client = DataPlane(keys=[key_for()]).client()
    client.send(report({"key": "a", "value": 1}))
    assert problem_of(client)["status"] == 401


@pytest.mark.parametrize(
    ("allowed", "said", "status"),
    [
        (("double",), "double", 202),
        (("double",), "", 202),
        (("other",), "double", 403),
        (("double", "other"), "", 403),
        ((), "nowhere", 400),
    ],
)
async def test_a_key_limited_to_endpoints_reports_on_those(
    allowed: tuple[str, ...], said: str, status: int
) -> None:
    plane = DataPlane(keys=[key_for(*allowed)])
    client = plane.client()
    client.send(report({"key": "a", "value": 1, "endpoint": said}, BEARER))
    assert client.statuses() == [status]
    endpoints = [outcome.endpoint for outcome in plane.recording.outcomes]
    assert endpoints == (["double"] if status == 202 else [])


async def test_what_cannot_be_recorded_is_not_accepted() -> None:
    recording = Recording()
    recording.has_room = False
    plane = DataPlane(recording=recording)
    client = plane.client()
    client.send(report({"key": "a", "value": 1}))
    assert problem_of(client)["status"] == 503
    assert b"Retry-After: 5" in client.wire.sent
    assert plane.counted("pilotage_outcomes_total", recorded="no") == 1


async def test_a_body_that_is_too_large_is_refused_from_its_head() -> None:
    client = DataPlane().client()
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    client.send(head % (PATH, OUTCOMES_BYTES + 1))
    assert problem_of(client)["status"] == 413


async def test_outcomes_are_only_posted() -> None:
    client = DataPlane().client()
    client.send(get(PATH))
    assert problem_of(client)["status"] == 405


def test_books_without_a_record_keep_no_outcome() -> None:
    books = Bookkeeping(Ids(1, 1, 1), None)
    assert not books.records
    assert not books.put_outcomes([Outcome("label", 1, 0, "", key="a")])
    assert Bookkeeping(Ids(1, 1, 1), cast(Any, Recording())).records
