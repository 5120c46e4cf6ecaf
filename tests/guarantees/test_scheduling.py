"""What is run, and what never is: deadlines, hung-up clients, poison, full queues.

The engine waits at a gate that the test holds, and writes down every call it gets, so nothing
here depends on how fast the machine is.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

import models
from pilotage.contracts.records import Record
from pilotage.records.store import Query
from servers import Reply, Server, infer_body, outputs_of, serving, until
from simulators.gated_engine import BUG, Gate
from simulators.raw import Raw, post

PATH = "/v2/models/gated/infer"
Ask = Callable[..., "Future[Reply]"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Gate]]:
    folder = tmp_path_factory.mktemp("gated")
    gate = Gate(folder)
    numbers = ("queue_requests=4", "queue_rows=20", "request_rows=20")
    limits = [word for number in numbers for word in ("--limit", number)]
    with serving(
        folder,
        {"floats": models.identity("FP32")},
        *limits,
        engines="gated_engine",
        environment={"GATE": str(folder)},
    ) as server:
        yield server, gate


@pytest.fixture
def server(running: tuple[Server, Gate]) -> Server:
    return running[0]


@pytest.fixture
def gate(running: tuple[Server, Gate]) -> Iterator[Gate]:
    yield running[1]
    running[1].open()


@pytest.fixture
def ask(server: Server, gate: Gate) -> Iterator[Ask]:
    """Asks in the background, with rows of the given values."""
    with ThreadPoolExecutor(16) as pool:

        def send(*values: float, **headers: str) -> "Future[Reply]":
            return pool.submit(server.call, "POST", PATH, _body(*values), **headers)

        yield send
        gate.open()


def _body(*values: float) -> bytes:
    named = f"request {values[0]:g}"
    return infer_body({"x": np.array(values, np.float32).reshape(-1, 1)}, id=named)


def _block(ask: Ask, gate: Gate, value: float) -> "Future[Reply]":
    """The engine is busy with this request until the gate opens."""
    gate.close()
    blocker = ask(value)
    until(lambda: gate.has_run(value))
    return blocker


def _wait_for_queue(server: Server, rows: int) -> None:
    until(lambda: server.metric("pilotage_queue_rows", version="gated0000001") == rows)


def _record_of(server: Server, client_id: str) -> Record:
    def found() -> list[Record]:
        return [each for each in server.store().records(Query()) if each.client_id == client_id]

    (record,) = until(found)
    return record


def test_what_cannot_make_its_deadline_is_refused_while_the_engine_is_busy(
    gate: Gate, ask: Ask
) -> None:
    blocker = _block(ask, gate, 1)
    refused = ask(2, Pilotage_Deadline_Ms="1").result()  # the gate is still closed
    assert (refused.status, refused.json["reason"]) == (503, "deadline")
    assert int(refused.headers["retry-after"]) >= 1
    assert not blocker.done()
    gate.open()
    assert outputs_of(blocker.result()) == {"y": [[2.0]]}
    assert not gate.has_run(2)


def test_what_expired_in_the_queue_is_never_run(server: Server, gate: Gate, ask: Ask) -> None:
    blocker = _block(ask, gate, 11)
    sent_s = time.monotonic()
    late = ask(12, Pilotage_Deadline_Ms="400")
    patient = ask(13)
    _wait_for_queue(server, 2)
    until(lambda: time.monotonic() > sent_s + 1.0)
    gate.open()
    assert (late.result().status, late.result().json["reason"]) == (503, "deadline")
    assert "retry-after" in late.result().headers
    assert blocker.result().status == patient.result().status == 200
    assert not gate.has_run(12)
    assert _record_of(server, "request 12").status == "expired"


def test_what_its_client_gave_up_is_never_run(server: Server, gate: Gate, ask: Ask) -> None:
    blocker = _block(ask, gate, 21)
    with Raw(server.port) as raw:
        raw.send(post(PATH, _body(22)))
        _wait_for_queue(server, 1)
        open_before = server.metric("pilotage_connections")
    until(lambda: server.metric("pilotage_connections") < open_before)
    gate.open()
    assert blocker.result().status == 200
    assert ask(23).result().status == 200
    assert not gate.has_run(22)
    assert _record_of(server, "request 22").status == "cancelled"


@pytest.mark.parametrize("value", [-34.0, BUG], ids=["failure", "bug"])
def test_one_poisonous_request_fails_alone(
    server: Server, gate: Gate, ask: Ask, value: float
) -> None:
    blocker = _block(ask, gate, 31 - value)
    others = [ask(32), ask(33)]
    poison = ask(value)
    _wait_for_queue(server, 3)
    gate.open()
    assert blocker.result().status == 200
    assert [outputs_of(each.result())["y"] for each in others] == [[[64.0]], [[66.0]]]
    assert (poison.result().status, poison.result().json["reason"]) == (500, "engine")
    assert any({32, 33, value} == set(call) for call in gate.calls())  # they were in one batch
    assert _record_of(server, f"request {value:g}").status == "engine_error"


def test_a_large_request_lets_others_pass_between_its_slices(
    server: Server, gate: Gate, ask: Ask
) -> None:
    blocker = _block(ask, gate, 41)
    large = ask(*range(1001, 1013))
    _wait_for_queue(server, 12)
    small = ask(42)
    _wait_for_queue(server, 13)
    gate.open()
    assert outputs_of(large.result()) == {"y": [[2.0 * value] for value in range(1001, 1013)]}
    assert small.result().status == blocker.result().status == 200
    calls = gate.calls()
    slices = [calls.index([*map(float, range(at, at + 4))]) for at in (1001, 1005, 1009)]
    assert slices[0] < calls.index([42.0]) < slices[1] < slices[2]


@pytest.mark.parametrize(
    ("fills", "value"),
    [([[51], [52], [53], [54]], 55), ([[*range(61, 71)], [*range(71, 81)]], 81)],
    ids=["queue_requests", "queue_rows"],
)
def test_a_queue_takes_what_its_limit_says_and_no_more(
    server: Server, gate: Gate, ask: Ask, fills: list[list[float]], value: float
) -> None:
    blocker = _block(ask, gate, value + 100)
    waiting = [ask(*fill) for fill in fills]
    _wait_for_queue(server, sum(map(len, fills)))
    refused = ask(value).result()
    assert (refused.status, refused.json["reason"]) == (503, "overload")
    assert "retry-after" in refused.headers
    gate.open()
    assert [each.result().status for each in [blocker, *waiting]] == [200] * (1 + len(fills))
    assert not gate.has_run(value)


def test_one_slow_call_does_not_shut_the_door_for_good(gate: Gate, ask: Ask) -> None:
    """After it every estimate is far too high, and only requests with a deadline come."""
    blocker = _block(ask, gate, 91)
    closed_s = time.monotonic()
    until(lambda: time.monotonic() > closed_s + 2.0)
    gate.open()
    assert blocker.result().status == 200
    first = ask(92, Pilotage_Deadline_Ms="300").result()
    assert (first.status, first.json["reason"]) == (503, "deadline")
    until(lambda: ask(93, Pilotage_Deadline_Ms="300").result().status == 200)
