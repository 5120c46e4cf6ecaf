"""The way of a request through one worker: who may pass when, and how everything ends."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pilotage.contracts.keys import Key, digest_of
from pilotage.contracts.limits import Limits
from pilotage.contracts.snapshot import RecordPolicy
from pilotage.serving.requests import Operation
from simulators.clients import Client, get, post
from simulators.data_plane import (
    STREAM,
    WHOLE,
    Counting,
    DataPlane,
    Doubling,
    Recording,
    infer,
    until,
)

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


@pytest.mark.parametrize(("missing", "statuses"), [(0, []), (1, [503])])
async def test_inflight_bytes_counts_what_waits_and_what_is_received_together(
    missing: int, statuses: list[int]
) -> None:
    request = infer(1.0)
    body_bytes = len(request.partition(b"\r\n\r\n")[2])
    plane = DataPlane(limits=Limits(inflight_bytes=3 * body_bytes - missing))
    clients = [plane.client() for _ in range(3)]
    clients[0].send(request)  # waits for the loop's next turn
    clients[1].send(request[:-1])
    clients[2].send(request[:-1])
    assert clients[1].statuses() == []
    assert clients[2].statuses() == statuses


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


# --- faults of our own -------------------------------------------------------------------------

SECRET = 4711.25
"""A value that no log may show."""


class Odd(np.ndarray[Any, Any]):
    """An array that its encoder stumbles over."""

    @property
    def dtype(self) -> Any:
        raise ValueError(SECRET, self.tolist())


class Unfit(Doubling):
    """Its outputs are nothing that an answer can be made of."""

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        return [inputs[0].view(Odd)]


class Uneven(Doubling):
    """Its outputs have another width each time."""

    def __init__(self) -> None:
        self.width = 0

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        self.width += 1
        return [np.repeat(inputs[0], self.width, axis=1)]


class Wider(Counting):
    """Its second chunk has another output more."""

    def __init__(self) -> None:
        super().__init__(3)
        self._chunks = 0

    def chunk(self, text: str) -> list[Any]:
        self._chunks += 1
        return super().chunk(text) * self._chunks


class Broken(Recording):
    """A recording with a bug."""

    def put(self, *arguments: Any, phase: str = "whole", **named: Any) -> bool:
        raise ValueError(SECRET, arguments, phase, named)


@pytest.mark.parametrize(("engine", "rows"), [(Unfit(), 3), (Uneven(), 6)])
async def test_a_batch_that_cannot_be_answered_is_told_counted_and_logged_without_values(
    engine: Doubling, rows: int
) -> None:
    plane = DataPlane(engine)
    client = plane.client()
    client.send(infer(*[SECRET] * rows))
    await until(client.statuses)
    assert client.statuses() == [500]
    assert ended(plane, "engine_error") == 1
    assert plane.recording.statuses == ["engine_error"]
    assert str(SECRET) not in repr(plane.logged) + repr(client.bodies())
    assert set(map(tuple, plane.recording.rows)) <= {(), (rows,)}, "all rows of the call, or none"
    client.send(infer(1.0))
    await until(lambda: len(client.statuses()) == 2)


async def test_a_fault_names_its_kind_and_place() -> None:
    plane = DataPlane(Unfit())
    client = plane.client()
    client.send(infer(1.0))
    await until(client.statuses)
    ((event, fields),) = plane.logged
    assert (event, fields["doing"]) == ("fault", "answering a batch")
    assert fields["kind"].endswith("Error")
    assert ".py:" in fields["at"]


async def test_a_batch_that_cannot_be_recorded_for_a_bug_is_told_and_counted() -> None:
    plane = DataPlane(recording=Broken())
    client = plane.client()
    client.send(infer(SECRET), infer(SECRET))
    await until(lambda: len(client.statuses()) == 2)
    assert client.statuses() == [500, 500]
    assert ended(plane, "engine_error") == 2
    assert plane.counted("pilotage_recorded_total", recorded="no") == 2
    assert str(SECRET) not in repr(plane.logged)
    assert plane.answering.waiting_bytes == 0


async def test_a_request_that_expired_is_told_although_recording_has_a_bug() -> None:
    plane = DataPlane(recording=Broken())
    client = plane.client()
    plane.later_ns = -(10**9)
    client.send(infer(1.0, headers=[b"Pilotage-Deadline-Ms: 1"]))
    await until(client.statuses)
    assert (client.statuses(), ended(plane, "expired")) == ([503], 1)


async def test_a_face_with_a_bug_answers_and_the_connection_goes_on() -> None:
    plane = DataPlane()

    def broken(*_: object) -> None:
        raise ValueError(SECRET)

    plane.answering.faces[Operation.SERVER] = broken
    client = plane.client()
    client.send(get(b"/v2"), get(b"/v2"), infer(1.0))
    await until(lambda: len(client.statuses()) == 3)
    assert client.statuses() == [500, 500, 200]
    assert str(SECRET) not in repr(plane.logged)


async def test_chunks_that_do_not_fit_together_are_told_and_counted() -> None:
    plane = DataPlane(Wider())
    client = plane.client()
    client.send(post(WHOLE, b'{"x": "word"}'))
    await until(client.statuses)
    assert (client.statuses(), ended(plane, "engine_error")) == ([500], 1)
    assert plane.recording.statuses == ["engine_error"]


async def test_a_stream_whose_chunk_cannot_be_sent_breaks_off_and_is_closed() -> None:
    plane = DataPlane(Wider())
    client = plane.client()
    client.send(post(STREAM, b'{"x": "word"}'))
    await until(lambda: ended(plane, "engine_error"))
    assert plane.recording.phases == ["opened", "closed"]
    assert (client.wire.ending, plane.generating.open) == ("closed", 0)


@pytest.mark.parametrize("path", [WHOLE, STREAM])
async def test_chunks_that_cannot_be_recorded_for_a_bug_are_answered_all_the_same(
    path: bytes,
) -> None:
    plane = DataPlane(Counting(2), recording=Broken())
    client = plane.client()
    client.send(post(path, b'{"x": "word"}'))
    await until(client.statuses)
    assert client.statuses() == [500]
    assert plane.generating.open == 0


# --- the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STREAM, WHOLE])
async def test_what_streams_at_the_end_is_closed_although_its_engine_hangs(path: bytes) -> None:
    engine = Counting(2, waits=True)
    plane = DataPlane(engine)
    client = plane.client()
    client.send(post(path, b'{"x": "word"}'))
    await until(lambda: path == WHOLE or b"word" in client.wire.sent)
    await plane.generating.end_all(0.02)
    assert plane.recording.phases[-1] == ("closed" if path == STREAM else "whole")
    assert plane.recording.statuses[-1] == "cancelled"
    assert (plane.generating.open, ended(plane, "cancelled")) == (0, 1)
    engine.let_go = True
    await until(lambda: engine.ended)
    await asyncio.sleep(0)
    assert ended(plane, "cancelled") == plane.counted("pilotage_requests_total") == 1


async def test_engines_that_end_in_time_end_by_themselves() -> None:
    engine = Counting(1_000_000)
    plane = DataPlane(engine)
    client = plane.client()
    client.send(post(STREAM, b'{"x": "word"}'))
    await until(lambda: b"word" in client.wire.sent)
    await plane.generating.end_all(20.0)
    assert engine.ended
    assert plane.recording.phases == ["opened", "closed"]
