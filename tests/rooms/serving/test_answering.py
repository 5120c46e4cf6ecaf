"""The way of a request through one worker: who may pass when, and how everything ends."""

import time

import pytest

from pilotage.contracts.keys import Key, digest_of
from pilotage.contracts.snapshot import RecordPolicy
from simulators.clients import Client, post
from simulators.data_plane import STREAM, WHOLE, Counting, DataPlane, infer, until

HOUR_S = 3600
KEY = (b"Authorization: Bearer secret",)


async def answered(client: Client, *values: float) -> int:
    """The status of one more request on the connection."""
    before = len(client.statuses())
    client.send(infer(*values, headers=KEY))
    await until(lambda: len(client.statuses()) > before)
    return client.statuses()[-1]


@pytest.mark.parametrize(("late_s", "status"), [(-1, 200), (1, 401)])
async def test_a_key_is_refused_from_its_end_on_although_its_head_is_known(
    late_s: int, status: int
) -> None:
    key = Key(digest_of(b"secret"), "ann", expires_at=time.time() + HOUR_S)
    plane = DataPlane(keys=[key])
    client = plane.client()
    for _ in range(3):
        assert await answered(client, 1.0) == 200
    assert plane.heads.known
    plane.later_ns = (HOUR_S + late_s) * 10**9
    assert await answered(client, 1.0) == status


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("late_s", "status"), [(-1, 200), (1, 503)])
async def test_an_expired_snapshot_is_not_served_whether_its_heads_are_known_or_not(
    late_s: int, status: int, known: bool
) -> None:
    plane = DataPlane(expires_at=time.time() + HOUR_S)
    client = plane.client()
    if known:
        for _ in range(3):
            assert await answered(client, 1.0) == 200
        assert plane.heads.known
    plane.later_ns = (HOUR_S + late_s) * 10**9
    assert await answered(client, 1.0) == status
    if status == 503:
        assert b"the snapshot has expired" in client.bodies()[-1]


async def test_what_a_snapshot_that_expired_before_is_asked_for_is_refused_from_the_head() -> None:
    plane = DataPlane(expires_at=time.time() - 1)
    client = plane.client()
    client.send(infer(1.0)[:-10])
    (reply,) = client.replies()
    assert (reply.status, b'"unavailable"' in reply.body) == (503, True)


# --- how requests end is counted ---------------------------------------------------------------


def ended(plane: DataPlane, status: str) -> float:
    return plane.counted("pilotage_requests_total", status=status, endpoint="double")


async def test_a_request_that_expired_in_the_queue_is_counted() -> None:
    plane = DataPlane()
    client = plane.client()
    plane.later_ns = -(10**9)
    client.send(infer(1.0, headers=[b"Pilotage-Deadline-Ms: 1"]))
    await until(client.statuses)
    assert (client.statuses(), ended(plane, "expired")) == ([503], 1)
    assert plane.recording.statuses == ["expired"]


async def test_a_request_whose_client_is_gone_is_counted() -> None:
    plane = DataPlane()
    client = plane.client()
    client.send(infer(1.0))
    client.connection.lost()
    await until(lambda: plane.recording.statuses)
    assert ended(plane, "cancelled") == 1


@pytest.mark.parametrize(("has_room", "status"), [(True, "ok"), (False, "refused")])
async def test_answers_that_must_be_recorded_and_cannot_be_are_counted_as_refused(
    has_room: bool, status: str
) -> None:
    plane = DataPlane(policy=RecordPolicy(when_full="refuse"))
    plane.recording.has_room = has_room
    client = plane.client()
    client.send(infer(1.0), infer(2.0), infer(3.0))
    await until(lambda: len(client.statuses()) == 3)
    assert ended(plane, status) == 3
    assert plane.counted("pilotage_requests_total") == 3
    assert plane.counted("pilotage_batches_total") == 1


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize(("has_room", "status"), [(True, "ok"), (False, "refused")])
async def test_chunks_that_must_be_recorded_and_cannot_be_are_counted_as_refused(
    path: bytes, has_room: bool, status: str
) -> None:
    plane = DataPlane(Counting(2), policy=RecordPolicy(when_full="refuse"))
    plane.recording.has_room = has_room
    client = plane.client()
    client.send(post(path, b'{"x": "word"}'))
    await until(lambda: plane.counted("pilotage_requests_total"))
    assert ended(plane, status) == 1
    assert client.statuses() == [200 if has_room else 503]
