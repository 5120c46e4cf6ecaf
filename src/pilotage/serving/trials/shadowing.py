"""Copies of one endpoint's requests, answered by its candidate and recorded as pairs.

The engine's call, what it is stacked from and what it is compared with are work for the thread
beside the loop; the loop takes copies in, and writes the record, since the ring has one producer.

Budget on the loop: a batch of 32 tiny requests is copied in 14 us and recorded in 32 us; without
room it costs 1.5 us. In the thread it takes 50 us besides the engine.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from pilotage.contracts.records import Entry, Status, digest_unit
from pilotage.contracts.snapshot import Trial
from pilotage.serving.accounts import Accounts
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch, Call
from pilotage.serving.engines.engine import Array
from pilotage.serving.faults import Faults
from pilotage.serving.plan import RoutePlan
from pilotage.serving.replica import Replica
from pilotage.serving.replies import Replies
from pilotage.serving.trials.beside import Work
from pilotage.serving.trials.budget import Budget
from pilotage.serving.trials.comparison import Comparison, compare
from pilotage.serving.trials.copies import Copies, Pair, Waiting, joined

LONGEST_NS: Final = 20_000_000.0
"""A call is made of no more rows than are expected to take this long (but of one at least): what
comes meanwhile runs beside it, and the next call looks again whether anything runs."""


@dataclass(slots=True)
class Answered:
    """What became of copies in the thread.

    Attributes:
        failed: the engine failed on them, and there are no outputs.
        fault: what of ours failed on them, if anything did.
        sound: for each pair whether an answer could have been given.
        comparisons: for each pair; None where one side has no outputs.
        units: for each pair, as a reader works it out for the baseline's record.
        started_ns, engine_ns: of the engine's calls; took_ns: with all that belongs to them.
    """

    copies: Copies
    outputs: list[Array] = field(default_factory=list[Array])
    failed: bool = False
    fault: Exception | None = None
    sound: Sequence[bool] = ()
    comparisons: Sequence[Comparison | None] = ()
    units: Sequence[bytes] = ()
    started_ns: int = 0
    engine_ns: int = 0
    took_ns: int = 0


def answer(several: Sequence[Copies], pause: Callable[[], None]) -> Answered:
    """Runs the candidate on copies that join each other. For the thread beside the loop.

    `pause` waits between two engine calls until the next may start.
    """
    began_ns = time.monotonic_ns()
    answered = Answered(several[0])
    try:
        answered.copies = copies = joined(several)
        answered.units = [pair.unit or _own_unit(pair) for pair in copies.pairs]
        _run(answered, copies.to.replica, pause)
        if not answered.failed:
            inferences = [pair.inference for pair in copies.pairs]
            answered.sound = copies.to.codec.could_encode(answered.outputs, inferences)
            answered.comparisons = _compared(copies, answered.outputs)
    except Exception as fault:
        answered.fault = fault
    answered.took_ns = time.monotonic_ns() - began_ns
    return answered


def _run(answered: Answered, replica: Replica, pause: Callable[[], None]) -> None:
    """One engine call, or several for a request with more rows than one may have."""
    copies = answered.copies
    rows, most = copies.rows, rows_at_once(replica)
    pieces: list[list[Array]] = []
    answered.started_ns = time.monotonic_ns()
    for start in range(0, max(rows, 1), most):
        if pieces:
            pause()
        stop = min(start + most, rows)
        inputs = copies.inputs
        if stop - start < rows:
            inputs = [None if array is None else array[start:stop] for array in inputs]
        began_ns = time.monotonic_ns()
        try:
            pieces.append(replica.run(inputs, stop - start))
        except Exception:  # whatever an engine raises is its failure
            answered.failed = True
        answered.engine_ns += time.monotonic_ns() - began_ns
        if answered.failed:
            return
    try:
        whole = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
    except ValueError:  # pieces that do not fit together
        answered.failed = True
        return
    answered.outputs = pieces[0] if len(pieces) == 1 else whole


def _own_unit(pair: Pair) -> bytes:
    """See `records.unit_of`."""
    client_id = pair.inference.client_id
    return digest_unit(client_id.encode() if client_id else pair.id)


def rows_at_once(replica: Replica) -> int:
    """Rows of one call on copies; 1 where the model has no row axis."""
    cost = replica.cost
    most = replica.max_rows or 1
    while most > 1 and cost.usually(most) > LONGEST_NS:
        most //= 2
    return most


def _compared(copies: Copies, outputs: list[Array]) -> Sequence[Comparison | None]:
    if copies.outputs is None:
        return [None for _ in copies.pairs]
    tensors = copies.to.replica.signature.outputs
    return compare(copies.outputs, outputs, tensors, [pair.rows for pair in copies.pairs])


class Shadow:
    """One endpoint's copies, on the loop."""

    def __init__(
        self,
        trial: Trial,
        to: RoutePlan,
        books: Bookkeeping,
        accounts: Accounts,
        replies: Replies,
        faults: Faults,
    ) -> None:
        self.waiting = Waiting(trial.queue_requests, trial.queue_bytes)
        self.budget = Budget(trial.shadow_budget_ppm, now_ns=time.monotonic_ns())
        self._to = to
        self._books = books
        self._accounts = accounts
        self._replies = replies
        self._faults = faults

    def renew(self, trial: Trial, to: RoutePlan) -> None:
        """The same candidate under another snapshot; what waits is recorded as it was copied."""
        self.waiting.most_requests = trial.queue_requests
        self.waiting.most_bytes = trial.queue_bytes
        self.budget.share_ppm = trial.shadow_budget_ppm
        self._to = to

    def take(
        self,
        calls: Sequence[Call],
        ids: Sequence[bytes],
        statuses: Sequence[Status] | None,
        inputs: list[Array | None],
        outputs: list[Array] | None,
    ) -> None:
        """Copies the calls of one batch, as far as there is room."""
        waiting = self.waiting
        took = 0
        if inputs and waiting.requests < waiting.most_requests and not self._books.full:
            epoch_ns = self._replies.epoch_ns
            pairs = [
                Pair(
                    id,
                    statuses[index] if statuses else "ok",
                    call.inference,
                    call.received_ns + epoch_ns,
                    call.plan.unit,
                    call.plan.asked.trace,
                    call.plan.principal,
                )
                for index, (call, id) in enumerate(zip(calls, ids, strict=True))
            ]
            took = waiting.add(Copies(self._to, pairs, inputs, outputs))
        self.drop(len(calls) - took)

    def drop(self, times: int) -> None:
        """So many copies are not made."""
        self._count("dropped", times)

    def work(self, pause: Callable[[], None]) -> Work:
        """The next engine call; to be asked for while something waits."""
        several = self.waiting.take(rows_at_once(self._to.replica))
        do = partial(answer, several, pause)
        return Work(do, self._done, (several[0].to.scheduler,))

    def drop_all(self) -> None:
        """Nobody is going to answer them any more."""
        for copies in self.waiting.clear():
            self._count("dropped", len(copies.pairs))

    def _done(self, answered: Answered) -> None:
        self.budget.spend(answered.took_ns, time.monotonic_ns())
        copies = answered.copies
        if answered.fault is not None:
            self._faults.note("answering copies", answered.fault)
            self._count("dropped", len(copies.pairs))
        elif answered.failed and len(copies.pairs) > 1:
            # One request must not spoil its neighbours': each is tried again by itself.
            self.waiting.put_back(copies.each_alone())
        else:
            self._record(answered)

    def _record(self, answered: Answered) -> None:
        copies, pairs = answered.copies, answered.copies.pairs
        route = copies.to
        statuses: list[Status] = ["engine_error"]
        if not answered.failed:
            statuses = ["ok" if sound else "invalid_output" for sound in answered.sound]
        _, ids = self._books.ids.take(len(pairs), self._replies.now_ms())
        epoch_ns = self._replies.epoch_ns
        entries = [
            Entry(
                id,
                pair.received_ns,
                pair.rows,
                (answered.started_ns + epoch_ns - pair.received_ns) // 1000,
                trace=pair.trace,
                principal=pair.principal,
                unit=unit,
                status=status,
                pair_id=pair.id,
                comparison=comparison,
                pair_status=pair.status,
            )
            for id, pair, status, unit, comparison in zip(
                ids, pairs, statuses, answered.units, answered.comparisons or [None], strict=True
            )
        ]
        ended_ns = answered.started_ns + answered.engine_ns
        batch = Batch(
            route.replica, [], copies.rows, started_ns=answered.started_ns, ended_ns=ended_ns
        )
        # Its inputs are in the baseline's record, which the pair's id leads to.
        recorded = self._books.put(route, batch, entries, [], answered.outputs)
        self._accounts.recorded(len(pairs), recorded=recorded)
        good = statuses.count("ok")
        self._count("answered", good)
        self._count("failed", len(pairs) - good)

    def _count(self, ended: str, times: int) -> None:
        if times:
            self._accounts.tried("pilotage_shadow_copies_total", self._to, ended, times)
