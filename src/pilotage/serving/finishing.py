"""A request's way back: from a batch that ran, or a call that never will, to record and answer.

The record comes before the answer: what a client was told is in the ring, or the answer says that
it is not. One route at a time; mostly there is one.

Budget on `tiny` at 64 connections, a batch of about 32: see `benchmarks/budget.py`.
"""

import time
from typing import Any, Final

from pilotage.contracts.records import Entry, Status
from pilotage.serving import faults
from pilotage.serving.accounts import Accounts
from pilotage.serving.batching import rows_of_each
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch, Call
from pilotage.serving.faults import Faults
from pilotage.serving.plan import RoutePlan
from pilotage.serving.protocols.v2_encoding import Encoded
from pilotage.serving.refusals import Refusal
from pilotage.serving.replies import Replies
from pilotage.serving.requests import Operation

_FAILED: Final = Refusal(500, "engine", "the model failed on this request")
_UNRECORDED: Final = Refusal(
    503,
    "unavailable",
    "the answer could not be recorded, and this endpoint answers nothing that it cannot record",
    retry_after_s=5.0,
)


class Finishing:
    """Answers the calls of one worker once the engine is done with them."""

    def __init__(
        self, books: Bookkeeping, accounts: Accounts, replies: Replies, faults: Faults
    ) -> None:
        self._books = books
        self._faults = faults
        self._accounts = accounts
        self._replies = replies

    def give_up(self, call: Call, refusal: Refusal | None) -> None:
        """A call that will not be run: recorded as expired or cancelled, refused if one listens."""
        id = self._end_unrun(call, "cancelled" if refusal is None else "expired")
        if refusal is not None:
            call.exchange.refuse(refusal.of_prediction(id))

    def turn_away(self, call: Call, refusal: Refusal) -> Refusal:
        """A call that its arm has no room for: recorded, since arms are compared by records."""
        return refusal.of_prediction(self._end_unrun(call, "refused"))

    def _end_unrun(self, call: Call, status: Status) -> bytes:
        """Its prediction id."""
        now_ns = time.monotonic_ns()
        batch = Batch(call.route.replica, [call], call.rows, started_ns=now_ns, ended_ns=now_ns)
        ids = self._ids_of([call])
        self._record_without_answers(call.route, batch, [call], ids, status)
        self._accounts.ended(call.route, status)
        return ids[0][0]

    def finish(self, batch: Batch) -> None:
        """Answers a batch: encode, record, reply; one route at a time (mostly there is one)."""
        calls = batch.calls
        route = calls[0].route
        if not [call for call in calls if call.route is not route]:
            self._finish_group(route, batch, calls, None)
            return
        groups: dict[int, list[int]] = {}
        for index, call in enumerate(calls):
            groups.setdefault(id(call.route), []).append(index)
        for indices in groups.values():
            chosen = [calls[index] for index in indices]
            self._finish_group(chosen[0].route, batch, chosen, indices)

    def _finish_group(
        self, route: RoutePlan, batch: Batch, calls: list[Call], indices: list[int] | None
    ) -> None:
        """The calls of one route, every one of which is answered, come what may."""
        try:
            self._finish_route(route, batch, calls, indices)
        except Exception as error:  # a bug of ours, or outputs that no answer can be made of
            self._faults.note("answering a batch", error)
            if batch.settled is not route:
                ids = self._ids_of(calls)
                self._record_without_answers(route, batch, calls, ids, "engine_error")
                self._accounts.failed(route, batch, calls, "engine_error")
            for call in calls:
                if not call.exchange.answered:
                    call.exchange.refuse(faults.refusal())

    def _finish_route(
        self, route: RoutePlan, batch: Batch, calls: list[Call], indices: list[int] | None
    ) -> None:
        ids = self._ids_of(calls)
        if batch.failure is not None:
            self._finish_failed(route, batch, calls, ids)
            return
        inputs, outputs = batch.inputs or [], batch.outputs
        if indices is not None:
            rows = _rows_of(batch.calls, indices)
            inputs = [None if array is None else array[rows] for array in inputs]
            outputs = [array[rows] for array in outputs]
        inferences = [call.inference for call in calls]
        encoded = route.codec.encode(outputs, inferences, ids[0])
        if [call for call in calls if call.generates]:
            encoded = [
                _generated(call, route, rows, id) if call.generates else answer
                for call, rows, id, answer in zip(
                    calls, rows_of_each(outputs, inferences), ids[0], encoded, strict=True
                )
            ]
        statuses: list[Status] | None = None
        if Refusal in set(map(type, encoded)):
            statuses = [
                "invalid_output" if isinstance(answer, Refusal) else "ok" for answer in encoded
            ]
        encode_ns = time.monotonic_ns() - batch.ended_ns
        recorded = self._record(
            route, batch, calls, ids, statuses or "ok", inputs, outputs, encode_ns // 1000
        )
        if not recorded and route.record is not None and route.record.when_full == "refuse":
            self._accounts.failed(route, batch, calls, "refused")
            for call in calls:
                call.exchange.refuse(_UNRECORDED)
            return
        self._accounts.answered(route, batch, calls, statuses, encode_ns)
        self._replies.send(batch, calls, encoded, ids[0], recorded=recorded or route.record is None)
        if route.tap is not None:
            route.tap.answered(batch, calls, ids[1], statuses, inputs, outputs)

    def _finish_failed(
        self,
        route: RoutePlan,
        batch: Batch,
        calls: list[Call],
        ids: tuple[list[bytes], list[bytes]],
    ) -> None:
        """The engine failed on the batch's only call."""
        self._record(route, batch, calls, ids, "engine_error", batch.inputs or [], [])
        self._accounts.failed(route, batch, calls, "engine_error")
        for call, id in zip(calls, ids[0], strict=True):
            call.exchange.refuse(_FAILED.of_prediction(id))
        if route.tap is not None:
            route.tap.answered(batch, calls, ids[1], ["engine_error"], batch.inputs or [], None)

    def _record_without_answers(
        self,
        route: RoutePlan,
        batch: Batch,
        calls: list[Call],
        ids: tuple[list[bytes], list[bytes]],
        status: Status,
    ) -> None:
        """Records how calls ended that got no answer; their refusal does not depend on it."""
        try:
            self._record(route, batch, calls, ids, status, [], [])
        except Exception as error:
            self._faults.note("recording", error)
            self._accounts.recorded(len(calls), recorded=False)

    def _ids_of(self, calls: list[Call]) -> tuple[list[bytes], list[bytes]]:
        """Prediction ids of the calls: as text, and as the 16 bytes that records hold."""
        texts, ids = self._books.ids.take(len(calls), self._replies.now_ms())
        for index, call in enumerate(calls):
            if call.id_text:
                texts[index], ids[index] = call.id_text, bytes.fromhex(call.id_text.decode())
        return texts, ids

    def _record(
        self,
        route: RoutePlan,
        batch: Batch,
        calls: list[Call],
        ids: tuple[list[bytes], list[bytes]],
        status: Status | list[Status],
        inputs: list[Any],
        outputs: list[Any],
        encode_us: int = 0,
    ) -> bool:
        """Writes the calls' records; False when they could not be (or are not to be) recorded."""
        if route.record is None:
            batch.settled = route
            return False
        started_ns = batch.started_ns
        epoch_ns = self._replies.epoch_ns
        entries = [
            Entry(
                id,
                call.received_ns + epoch_ns,
                call.rows,
                (started_ns - call.received_ns) // 1000,
                call.inference.client_id or "",
                call.plan.asked.trace,
                call.plan.principal,
                call.plan.unit,
                status if isinstance(status, str) else status[index],
            )
            for index, (id, call) in enumerate(zip(ids[1], calls, strict=True))
        ]
        recorded = self._books.put(route, batch, entries, inputs, outputs, encode_us=encode_us)
        batch.settled = route
        self._accounts.recorded(len(calls), recorded=recorded)
        return recorded


def _rows_of(calls: list[Call], indices: list[int]) -> list[int]:
    """The rows of a batch that belong to the chosen calls."""
    chosen = set(indices)
    rows: list[int] = []
    at = 0
    for index, call in enumerate(calls):
        if index in chosen:
            rows += range(at, at + call.rows)
        at += call.rows
    return rows


def _generated(call: Call, route: RoutePlan, outputs: Any, id: bytes) -> Encoded | Refusal:
    """The answer of an engine that answers at once, in the form of the generate extension."""
    try:
        if call.plan.asked.operation is Operation.GENERATE_STREAM:
            return route.generate.event(outputs, call.inference), None
        return route.generate.encode(outputs, call.inference, id), None
    except Refusal as refusal:
        return refusal
