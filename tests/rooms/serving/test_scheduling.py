"""Who runs next: batches of what is there, in order, and nothing that nobody waits for."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from msgspec import structs

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Step, Version
from pilotage.serving.calls import Batch, Call
from pilotage.serving.cost import Cost
from pilotage.serving.engines.engine import Array, EngineFailureError
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.refusals import Refusal
from pilotage.serving.replica import Replica
from pilotage.serving.scheduling import INLINE_NS, Scheduler

SIGNATURE = Signature(
    inputs=(Tensor("x", "INT64", ("rows", 1)),), outputs=(Tensor("y", "INT64", ("rows", 1)),)
)
ALONE = Signature(inputs=(Tensor("x", "INT64", (2, 1)),), outputs=(Tensor("y", "INT64", (2, 1)),))


class Engine:
    """Doubles its input and remembers the batches; may be held up, and fails on the number 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def run(self, inputs: Sequence[Array | None]) -> list[Array]:
        self.gate.wait(10)
        values = cast(Array, inputs[0])
        self.batches.append(values.ravel().tolist())
        self.threads.add(threading.get_ident())
        if 13 in values:
            raise EngineFailureError("thirteen")
        return [values * 2]

    def close(self) -> None:
        self.batches.append([])


class Exchange:
    """A caller who may be gone."""

    def __init__(self) -> None:
        self.gone = False
        self.received_ns = time.monotonic_ns()


class Desk:
    """A scheduler with everything that comes out of it."""

    def __init__(self, *, max_rows: int = 4, cost_ns: float = 1_000.0, **limits: int) -> None:
        self.engine = Engine()
        self.answers: dict[int, list[int] | str] = {}
        signature = SIGNATURE if max_rows else ALONE
        version = Version("v", "m", "d", signature, (Step("fake", "a", "b"),))
        self.replica = Replica(version, self.engine, None, Cost(cost_ns, 0.0), max_rows)
        self.scheduler = Scheduler(
            self.replica,
            Limits(**limits),
            asyncio.get_running_loop(),
            finish=self._finish,
            give_up=self._give_up,
        )
        self.done = asyncio.Event()

    def call(self, *values: int, group: Any = None, deadline_ns: int | None = None) -> Call:
        rows = len(values) if self.replica.max_rows else 0
        inference = Inference(
            buffers=(np.array(values, np.int64).tobytes(),),
            shapes=((len(values), 1),),
            rows=rows,
            group=group,
        )
        call = Call(cast(Any, Exchange()), cast(Any, None), inference, deadline_ns, 0)
        call.id_text = str(values[0]).encode()
        return call

    def submit(self, *values: int, **options: Any) -> Call:
        call = self.call(*values, **options)
        self.scheduler.submit(call)
        return call

    async def settled(self, answers: int) -> None:
        while len(self.answers) < answers:
            self.done.clear()
            await asyncio.wait_for(self.done.wait(), 10)

    def _finish(self, batch: Batch) -> None:
        start = 0
        for call in batch.calls:
            count = max(1, call.rows) if self.replica.max_rows else 2
            if batch.failure is not None:
                self._answer(call, "failed")
            else:
                rows = batch.outputs[0][start : start + count]
                self._answer(call, rows.ravel().tolist())
            start += count

    def _give_up(self, call: Call, refusal: Refusal | None) -> None:
        self._answer(call, "gone" if refusal is None else refusal.reason)

    def _answer(self, call: Call, answer: list[int] | str) -> None:
        assert int(call.id_text) not in self.answers
        self.answers[int(call.id_text)] = answer
        self.done.set()


async def test_what_came_together_runs_together() -> None:
    desk = Desk()
    for value in (1, 2, 3):
        desk.submit(value)
    await desk.settled(3)
    assert desk.engine.batches == [[1, 2, 3]]
    assert desk.answers == {1: [2], 2: [4], 3: [6]}


async def test_a_batch_counts_rows_and_not_requests() -> None:
    desk = Desk(max_rows=4)
    desk.submit(1, 2, 3)
    desk.submit(4, 5)
    desk.submit(6)
    await desk.settled(3)
    assert desk.engine.batches == [[1, 2, 3], [4, 5, 6]]


async def test_a_request_with_more_rows_than_a_batch_is_split_and_lets_others_in_between() -> None:
    desk = Desk(max_rows=2)
    desk.submit(1, 2, 3, 4, 5)
    desk.submit(10)
    await desk.settled(2)
    assert desk.engine.batches == [[1, 2], [10], [3, 4], [5]]
    assert desk.answers == {1: [2, 4, 6, 8, 10], 10: [20]}
    assert desk.scheduler.waiting_rows == 0


async def test_requests_of_another_shape_wait_for_a_batch_of_their_own() -> None:
    desk = Desk()
    desk.submit(1, group=((1,),))
    desk.submit(2, group=((9,),))
    desk.submit(3, group=((1,),))
    await desk.settled(3)
    assert desk.engine.batches == [[1, 3], [2]]


async def test_a_model_without_rows_runs_one_request_at_a_time() -> None:
    desk = Desk(max_rows=0)
    desk.submit(1, 2)
    desk.submit(3, 4)
    await desk.settled(2)
    assert desk.engine.batches == [[1, 2], [3, 4]]
    assert desk.scheduler.waiting_rows == 0


async def test_a_cheap_batch_runs_on_the_loop_and_a_dear_one_elsewhere() -> None:
    cheap, dear = Desk(), Desk(cost_ns=2 * INLINE_NS)
    for desk in (cheap, dear):
        desk.submit(1)
        await desk.settled(1)
    assert cheap.engine.threads == {threading.get_ident()}
    assert threading.get_ident() not in dear.engine.threads
    dear.scheduler.close()


async def test_while_a_batch_runs_the_others_queue_and_then_run_together() -> None:
    desk = Desk(cost_ns=2 * INLINE_NS)
    desk.engine.gate.clear()
    desk.submit(1)
    await asyncio.sleep(0)
    for value in (2, 3, 4):
        desk.submit(value)
    await asyncio.sleep(0)
    assert desk.scheduler.busy
    desk.engine.gate.set()
    await desk.settled(4)
    assert desk.engine.batches == [[1], [2, 3, 4]]
    assert not desk.scheduler.busy


async def test_what_expired_in_the_queue_is_never_run() -> None:
    desk = Desk()
    desk.submit(1, deadline_ns=time.monotonic_ns() - 1)
    desk.submit(2, deadline_ns=time.monotonic_ns() + 10**10)
    await desk.settled(2)
    assert desk.engine.batches == [[2]]
    assert desk.answers == {1: "deadline", 2: [4]}


async def test_what_the_client_abandoned_is_dropped() -> None:
    desk = Desk()
    desk.submit(1)
    gone = desk.submit(2)
    cast(Any, gone.exchange).gone = True
    await desk.settled(2)
    assert desk.engine.batches == [[1]]
    assert desk.answers[2] == "gone"
    assert desk.scheduler.waiting_rows == 0


async def test_one_bad_request_does_not_spoil_its_batch() -> None:
    desk = Desk()
    for value in (1, 13, 3):
        desk.submit(value)
    await desk.settled(3)
    assert desk.answers == {1: [2], 13: "failed", 3: [6]}
    assert desk.engine.batches == [[1, 13, 3], [1], [13], [3]]
    assert desk.scheduler.waiting_rows == 0


async def test_a_large_request_that_fails_halfway_is_answered_once() -> None:
    desk = Desk(max_rows=2)
    desk.submit(1, 2, 13, 4, 5)
    await desk.settled(1)
    assert desk.answers == {1: "failed"}
    assert desk.scheduler.waiting_rows == 0


@pytest.mark.parametrize(("rows", "taken"), [(3, True), (4, False)])
async def test_the_queue_holds_as_many_rows_as_it_may(rows: int, taken: bool) -> None:
    desk = Desk(queue_rows=5)
    desk.scheduler.submit(desk.call(1, 2))
    refusal = desk.scheduler.admit(rows, None, now_ns=0)
    assert (refusal is None) is taken
    await desk.settled(1)


async def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    desk = Desk(queue_rows=5)
    assert desk.scheduler.admit(9, None, now_ns=0) is None


@pytest.mark.parametrize(("limit", "taken"), [(2, False), (3, True)])
async def test_the_queue_holds_as_many_requests_as_it_may(limit: int, taken: bool) -> None:
    desk = Desk(queue_requests=limit)
    desk.submit(1)
    desk.submit(2)
    assert (desk.scheduler.admit(1, None, now_ns=0) is None) is taken
    await desk.settled(2)


async def test_a_request_that_cannot_make_its_deadline_is_refused_at_once() -> None:
    desk = Desk(cost_ns=10_000_000.0)
    desk.engine.gate.clear()
    desk.submit(1)
    await asyncio.sleep(0)
    now_ns = time.monotonic_ns()
    refusal = desk.scheduler.admit(1, 15_000_000, now_ns=now_ns)
    assert refusal is not None
    assert refusal.reason == "deadline"
    assert desk.scheduler.admit(1, 100_000_000, now_ns=now_ns) is None
    desk.engine.gate.set()
    await desk.settled(1)


async def test_an_idle_engine_takes_whatever_comes() -> None:
    desk = Desk(cost_ns=10_000_000.0)
    assert desk.scheduler.admit(1, 1, now_ns=time.monotonic_ns()) is None


async def test_many_requests_of_many_sizes_each_get_their_own_rows() -> None:
    desk = Desk(max_rows=8, cost_ns=2 * INLINE_NS)
    chance = np.random.default_rng(5)
    expected: dict[int, list[int]] = {}
    at = 100
    for _ in range(400):
        values = list(range(at, at + int(chance.integers(1, 20))))
        at += 20
        expected[values[0]] = [2 * value for value in values]
        desk.submit(*values)
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    await desk.settled(len(expected))
    assert desk.answers == expected
    assert desk.scheduler.waiting_rows == 0
    desk.scheduler.close()


async def test_a_kept_version_takes_what_the_new_snapshot_says_of_it() -> None:
    desk = Desk(max_rows=4)
    version = structs.replace(desk.replica.version, max_batch_rows=2)
    desk.scheduler.renew(version, Limits(queue_requests=3))
    for value in (1, 2, 3):
        desk.submit(value)
    assert desk.scheduler.admit(1, None, now_ns=0) is not None
    await desk.settled(3)
    assert desk.engine.batches == [[1, 2], [3]]


async def test_a_request_under_way_in_slices_stays_so_when_batches_grow() -> None:
    desk = Desk(max_rows=2)
    desk.submit(1, 2, 3, 4, 5)
    await asyncio.sleep(0)
    assert desk.engine.batches == [[1, 2]]
    version = structs.replace(desk.replica.version, max_batch_rows=9)
    desk.scheduler.renew(version, Limits())
    await desk.settled(1)
    assert desk.engine.batches == [[1, 2], [3, 4, 5]]
    assert desk.answers == {1: [2, 4, 6, 8, 10]}
    assert desk.scheduler.waiting_rows == 0


@pytest.mark.parametrize("cost_ns", [1_000.0, 2 * INLINE_NS])
async def test_inputs_that_cannot_be_made_fail_their_request_alone(cost_ns: float) -> None:
    desk = Desk(cost_ns=cost_ns)
    desk.submit(1)
    odd = desk.call(2)
    odd.inference = structs.replace(odd.inference, buffers=(b"odd",))
    desk.scheduler.submit(odd)
    await desk.settled(2)
    assert desk.answers == {1: [2], 2: "failed"}
    desk.submit(3)
    await desk.settled(3)
    assert desk.scheduler.waiting_rows == 0
