"""How calls end on an endpoint with two arms: each queue keeps its limits, one cost decides."""

import json

import pytest

from pilotage.contracts.limits import Limits
from pilotage.contracts.snapshot import PPM
from simulators.clients import post
from simulators.data_plane import CANDIDATE, VERSION, WHOLE, DataPlane, Doubling, infer, until


def two_arms(limits: Limits, **options: float) -> DataPlane:
    """Every request is drawn to the candidate."""
    return DataPlane(candidate=Doubling(), weight_ppm=PPM, limits=limits, **options)


@pytest.mark.parametrize(
    ("limits", "rows", "statuses"),
    [
        (Limits(queue_requests=3), 1, [200, 200, 200]),
        (Limits(queue_requests=2), 1, [200, 200, 503]),
        (Limits(queue_rows=6), 2, [200, 200, 200]),
        (Limits(queue_rows=5), 2, [200, 200, 503]),
    ],
)
async def test_the_queue_of_the_arm_that_was_drawn_holds_as_much_as_it_may(
    limits: Limits, rows: int, statuses: list[int]
) -> None:
    plane = two_arms(limits)
    client = plane.client()
    for _ in range(3):
        client.send(infer(*[1.0] * rows))
    await until(lambda: len(client.statuses()) == 3)
    assert client.statuses() == statuses
    ended = plane.counted("pilotage_requests_total", version=CANDIDATE, status="refused")
    assert ended == statuses.count(503)
    assert plane.recording.statuses.count("refused") == statuses.count(503)


@pytest.mark.parametrize("generates", [False, True])
async def test_a_dear_candidate_refuses_nobody_whom_the_baseline_would_take(
    generates: bool,
) -> None:
    plane = two_arms(Limits())
    cost = plane.schedulers[CANDIDATE].replica.cost
    client = plane.client()
    body = json.dumps({"x": [1.0]}).encode()
    late = b"Pilotage-Deadline-Ms: 5000"
    for _ in range(2):
        client.send(post(WHOLE, body, late) if generates else infer(1.0, headers=[late]))
        cost.fixed_ns = 4e9  # the second one would be refused by it
    cost.fixed_ns = 1000.0
    await until(lambda: len(client.statuses()) == 2)
    assert client.statuses() == [200, 200]
    assert plane.schedulers[VERSION].waiting_rows == 0
