"""The way of a request through one worker: who may pass when, and how everything ends."""

import time

import pytest

from pilotage.contracts.keys import Key, digest_of
from simulators.clients import Client
from simulators.data_plane import DataPlane, infer, until

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
