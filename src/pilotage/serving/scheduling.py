"""Who runs next on one replica: work-conserving batches, deadlines kept or given up early.

Never wait for company: while one batch runs, requests queue; when it ends, the next batch takes
what is there, up to `max_rows` rows. A batch that costs less than a hop to another thread runs on
the loop; a dearer one runs in the replica's own thread, where the engine lets go of the GIL.

Invariant: at most one engine call of a replica runs at any time, and between two of them a call is
in exactly one place: the queue, a batch, or answered.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from pilotage.contracts.limits import Limits
from pilotage.contracts.snapshot import Version
from pilotage.serving import admission
from pilotage.serving.batching import stack
from pilotage.serving.calls import Batch, Call
from pilotage.serving.engines.engine import Array, EngineFailureError
from pilotage.serving.refusals import Refusal
from pilotage.serving.replica import Replica

INLINE_NS: Final = 200_000.0
"""A batch expected to take less runs on the loop: a thread costs +11 % CPU at 64 connections and
+31 % at one (measured on `tiny`), and nobody waits longer than this for it."""
REST_S: Final = 0.002
"""How long the loop rests after refusals while a batch runs: each refusal beside a running matrix
product costs 50-80 us of its core, so they are better dealt with a handful at a time."""

PASSED_OVER: Final = 64
"""Requests of another shape that the search for a batch passes over before it is content."""

Finish = Callable[[Batch], None]
"""Answers the calls of a batch that ran (outputs or a failure are in it)."""
GiveUp = Callable[[Call, Refusal | None], None]
"""Ends a call that will not be run: with a refusal, or without one when its client is gone."""


class Scheduler:
    """The queue of one replica. Lives on the loop; only `_serve` runs elsewhere."""

    def __init__(
        self,
        replica: Replica,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        finish: Finish,
        give_up: GiveUp,
    ) -> None:
        self.replica = replica
        self.waiting_rows = 0
        self._limits = limits
        self._loop = loop
        self._finish = finish
        self._give_up = give_up
        self._queue: deque[Call] = deque()
        self._turn_due = False
        self._running: Batch | None = None
        self._running_until_ns = 0.0
        self._jobs: queue.SimpleQueue[Batch | None] | None = None
        self._idle = threading.Event()
        self._rest_due = False

    # --- taking in -------------------------------------------------------------------------

    def admit(self, rows: int, budget_ns: float | None, *, now_ns: int) -> Refusal | None:
        """Whether a request of so many rows may wait here; None means yes.

        Called before the body is read, with one row, and again once the rows are known.
        """
        waiting = self.waiting_rows + rows
        if waiting > self._limits.queue_rows and self._queue:
            return self._refused(
                admission.queue_full("waiting rows", self._limits.queue_rows, "rows")
            )
        if len(self._queue) >= self._limits.queue_requests:
            return self._refused(
                admission.queue_full("waiting requests", self._limits.queue_requests, "requests")
            )
        if budget_ns is None:
            return None
        running_ns = max(0.0, self._running_until_ns - now_ns) if self._running else 0.0
        replica = self.replica
        expected = admission.expected_ns(waiting, replica.max_rows or 1, running_ns, replica.cost)
        if admission.too_late(budget_ns, expected):
            # An idle engine takes anything: an estimate that is too high must not shut the door
            # for good, since only running batches can correct it.
            if self._running is None and not self._queue:
                return None
            return self._refused(admission.overdue(expected, budget_ns))
        return None

    def submit(self, call: Call) -> None:
        """Queues an admitted call."""
        self._queue.append(call)
        self.waiting_rows += call.rows or 1
        self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        if not self._turn_due and self._running is None:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _refused(self, refusal: Refusal) -> Refusal:
        if self._running is not None and not self._rest_due:
            self._rest_due = True
            self._loop.call_soon(self._rest)
        return refusal

    def _rest(self) -> None:
        self._rest_due = False
        if self._running is not None:
            self._idle.wait(REST_S)

    # --- running ---------------------------------------------------------------------------

    def _turn(self) -> None:
        """Starts the next batch, if there is one and the engine is free."""
        self._turn_due = False
        if self._running is not None:
            return
        batch = self._next_batch()
        if batch is None:
            return
        cost = self.replica.cost
        if cost.usually(batch.rows or 1) < INLINE_NS:
            self._run(batch)
            if self._queue:
                self._ask_for_turn()
            self._finish_batch(batch)
        else:
            self._running = batch
            self._running_until_ns = time.monotonic_ns() + cost.of(batch.rows or 1)
            self._idle.clear()
            with contextlib.suppress(Exception):  # the thread tries it again, and fails the batch
                batch.inputs = self._inputs_of(batch)
            try:
                self._thread().put(batch)
            except RuntimeError:  # no room for a thread: the loop is held up, and nobody is lost
                self._run(batch)
                self._loop.call_soon(self._ran_elsewhere, batch)
                return
            # Lets go of the GIL, so that the engine begins now and not when the loop next sends.
            time.sleep(0)

    def _next_batch(self) -> Batch | None:
        """What is there, in order, up to `max_rows`: requests that can be stacked and are in time.

        A request with more rows than a batch may have goes alone, a slice at a time, and lines up
        again behind the others after each slice.
        """
        waiting = self._queue
        max_rows = self.replica.max_rows
        now_ns = time.monotonic_ns()
        calls: list[Call] = []
        passed_over: list[Call] = []
        rows = 0
        group: Any = None
        doubted = False
        while waiting and len(passed_over) < PASSED_OVER:
            call = waiting[0]
            if call.exchange.gone or (
                call.deadline_ns is not None
                and admission.hopeless(
                    call.deadline_ns - now_ns, self.replica.cost.of(rows + call.rows)
                )
            ):
                waiting.popleft()
                doubted = doubted or not call.exchange.gone
                self._end_unrun(call)
                continue
            if not calls:
                group = call.inference.group
                if call.alone or not max_rows or call.rows > max_rows or call.done_rows:
                    waiting.popleft()
                    return self._alone(call, max_rows)
            elif call.alone or rows + call.rows > max_rows:
                break
            elif call.inference.group != group:
                passed_over.append(waiting.popleft())
                continue
            calls.append(waiting.popleft())
            rows += call.rows
        if passed_over:
            waiting.extendleft(reversed(passed_over))
        self.waiting_rows -= rows
        if doubted and not calls:
            self.replica.cost.doubt()
        return Batch(self.replica, calls, rows) if calls else None

    def _alone(self, call: Call, max_rows: int) -> Batch:
        """The batch of one call: all of it, or its next slice."""
        if not max_rows or (call.rows <= max_rows and not call.done_rows):
            self.waiting_rows -= call.rows or 1
            return Batch(self.replica, [call], call.rows)
        start = call.done_rows
        rows = min(max_rows, call.rows - start)
        self.waiting_rows -= rows
        return Batch(self.replica, [call], rows, slice(start, start + rows))

    def _end_unrun(self, call: Call) -> None:
        self.waiting_rows -= (call.rows or 1) - call.done_rows
        refusal = None
        if not call.exchange.gone:
            refusal = Refusal(
                503,
                "deadline",
                "the deadline passed while the request waited",
                where="header pilotage-deadline-ms",
                retry_after_s=1.0,
            )
        self._give_up(call, refusal)

    def _run(self, batch: Batch) -> None:
        """One engine call. A failure is a value that the finisher must handle."""
        try:
            if batch.inputs is None:
                batch.inputs = self._inputs_of(batch)
            batch.started_ns = time.monotonic_ns()
            batch.outputs = batch.replica.run(batch.inputs, batch.rows)
        except EngineFailureError as failure:
            batch.failure = failure
        except Exception as error:  # an engine's own bug must not end the replica's thread
            batch.failure = EngineFailureError(repr(error))
        batch.ended_ns = time.monotonic_ns()
        if not batch.started_ns:
            batch.started_ns = batch.ended_ns

    def _inputs_of(self, batch: Batch) -> list[Array | None]:
        signature = batch.replica.signature
        if batch.piece is None:
            return stack([call.inference for call in batch.calls], signature)
        call = batch.calls[0]
        if call.stacked is None:
            call.stacked = stack([call.inference], signature)
        return [None if array is None else array[batch.piece] for array in call.stacked]

    def _thread(self) -> "queue.SimpleQueue[Batch | None]":
        if self._jobs is None:
            jobs: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
            threading.Thread(target=self._serve, args=(jobs,), name="engine", daemon=True).start()
            self._jobs = jobs
        return self._jobs

    def _serve(self, jobs: "queue.SimpleQueue[Batch | None]") -> None:
        """The replica's thread: runs what it is given, one after the other."""
        while (batch := jobs.get()) is not None:
            self._run(batch)
            self._idle.set()
            self._loop.call_soon_threadsafe(self._ran_elsewhere, batch)

    def _ran_elsewhere(self, batch: Batch) -> None:
        self._running = None
        # The engine gets its next batch before the answers of this one are made.
        self._turn()
        self._finish_batch(batch)

    def _finish_batch(self, batch: Batch) -> None:
        if batch.failure is None:
            self.replica.cost.learn(batch.rows or 1, batch.ended_ns - batch.started_ns)
            if batch.piece is None:
                self._finish(batch)
            else:
                self._finish_piece(batch)
        elif len(batch.calls) > 1:
            # One request must not spoil its neighbours': each is tried again by itself.
            for call in reversed(batch.calls):
                call.alone = True
                self._queue.appendleft(call)
                self.waiting_rows += call.rows or 1
            self._ask_for_turn()
        else:
            call = batch.calls[0]
            if batch.piece is not None:
                self.waiting_rows -= call.rows - call.done_rows - batch.rows
                batch = batch.unanswered()
            self._finish(batch)

    def _finish_piece(self, batch: Batch) -> None:
        """Keeps a slice of a large request; the last one answers it."""
        call = batch.calls[0]
        call.pieces.append(batch.outputs)
        call.done_rows += batch.rows
        call.engine_ns += batch.ended_ns - batch.started_ns
        if call.done_rows < call.rows:
            self._queue.append(call)
            self._ask_for_turn()
            return
        try:
            whole = batch.whole()
        except Exception as error:  # pieces that do not fit together
            batch.failure = EngineFailureError(repr(error))
            whole = batch.unanswered()
        self._finish(whole)

    def renew(self, version: Version, limits: Limits) -> None:
        """The same version under a new snapshot: what is not part of its digest may differ."""
        self._limits = limits
        self.replica.version = version
        if self.replica.max_rows:
            self.replica.max_rows = version.max_batch_rows

    # --- ending ----------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """True while anything waits or runs here."""
        return bool(self._queue) or self._running is not None

    def close(self) -> None:
        """Ends the thread and lets go of the model. To be called when no longer busy."""
        if self._jobs is not None:
            self._jobs.put(None)
        self.replica.close()
