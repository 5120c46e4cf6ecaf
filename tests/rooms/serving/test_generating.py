"""What becomes of streams whose version loses its route."""

import pytest
from msgspec import structs

from pilotage.contracts.snapshot import PPM, Route, Trial
from simulators.clients import post
from simulators.data_plane import CANDIDATE, STREAM, VERSION, WHOLE, Counting, DataPlane, until

TOLD = b"the version that was answering is served no more"


async def streaming(path: bytes, candidate: Counting, trial: Trial) -> tuple[DataPlane, bytearray]:
    """A plane that has given an answer under way to the candidate, then all traffic back."""
    plane = DataPlane(Counting(1), candidate=candidate, weight_ppm=PPM, trial=trial)
    client = plane.client()
    client.send(post(path, b'{"x": "word"}'))
    await until(lambda: candidate.started)
    plane.swap(structs.replace(plane.endpoint, routes=(Route(VERSION),), trial=None))
    return plane, client.wire.sent


@pytest.mark.parametrize("path", [STREAM, WHOLE])
async def test_streams_of_a_version_without_a_route_are_cut_where_the_trial_said_so(
    path: bytes,
) -> None:
    candidate = Counting(1_000_000_000)
    trial = Trial(CANDIDATE, "r1", "canary", streams="cut")
    plane, sent = await streaming(path, candidate, trial)
    await until(lambda: not plane.generating.open)
    assert candidate.ended
    assert TOLD in sent
    assert (b"503" in sent) is (path == WHOLE)
    assert plane.recording.statuses[-1] == "cancelled"


async def test_streams_are_left_to_their_end_where_the_trial_said_so() -> None:
    candidate = Counting(2, waits=True)
    plane, sent = await streaming(STREAM, candidate, Trial(CANDIDATE, "r1", "canary"))
    await until(lambda: sent.count(b"word") == 2)
    assert plane.generating.open == 1
    candidate.let_go = True
    await until(lambda: not plane.generating.open)
    assert TOLD not in sent
    assert plane.recording.statuses[-1] == "ok"


async def test_the_baselines_streams_go_on_when_its_candidate_goes() -> None:
    baseline = Counting(2, waits=True)
    trial = Trial(CANDIDATE, "r1", "canary", streams="cut")
    plane = DataPlane(baseline, candidate=Counting(1), weight_ppm=1, trial=trial)
    client = plane.client()
    client.send(post(STREAM, b'{"x": "word"}'))
    await until(lambda: baseline.started)
    plane.swap(structs.replace(plane.endpoint, routes=(Route(VERSION),), trial=None))
    assert plane.generating.open == 1
    baseline.let_go = True
    await until(lambda: not plane.generating.open)
    assert plane.recording.statuses[-1] == "ok"
