"""`generate` and `generate_stream`: prompts in, text out, whole or as server-sent events.

An engine that answers in streams is reached only here; one that answers at once is reached here
too, so that a caller need not know which kind it talks to.
"""

import asyncio
import time
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Final

from pilotage.contracts.records import Entry, Phase, Status
from pilotage.serving import admission, faults
from pilotage.serving.accounts import Accounts
from pilotage.serving.batching import stack
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch, Call
from pilotage.serving.engines.engine import Array
from pilotage.serving.faults import Faults
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.responses import json_response, stream_head
from pilotage.serving.plan import CallPlan, RoutePlan
from pilotage.serving.protocols.generate import error_event
from pilotage.serving.refusals import Refusal
from pilotage.serving.replies import Replies
from pilotage.serving.requests import Operation
from pilotage.serving.scheduling import Scheduler
from pilotage.serving.streaming import Gathering, Stream, joined

if TYPE_CHECKING:
    from pilotage.serving.answering import Face

LOOK_S: Final = 0.005
"""How often it is seen whether the last streams have ended."""

_EVENTS: Final = b"text/event-stream"
_FAILED: Final = Refusal(500, "engine", "the model failed on this request")
_WITHDRAWN: Final = Refusal(
    503,
    "unavailable",
    "the version that was answering is served no more",
    fix="Ask again: another version answers.",
    retry_after_s=0.0,
)
_ENDED: Final[dict[Status, Refusal]] = {
    "engine_error": _FAILED,
    "expired": Refusal(
        503,
        "deadline",
        "the deadline passed before the answer was whole",
        where="header pilotage-deadline-ms",
        retry_after_s=1.0,
    ),
}
"""What a caller of a whole answer is told that came to nothing."""


class Generating:
    """The two operations, over all streams of a worker."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        books: Bookkeeping,
        accounts: Accounts,
        replies: Replies,
        faults: Faults,
        route_of: Callable[[Call, CallPlan], RoutePlan],
    ) -> None:
        self._loop = loop
        self._books = books
        self._accounts = accounts
        self._replies = replies
        self._faults = faults
        self._route_of = route_of
        self._open: set[Stream | Gathering] = set()

    def table(self) -> "dict[Operation, Face]":
        return {Operation.GENERATE: self._whole, Operation.GENERATE_STREAM: self._streamed}

    @property
    def open(self) -> int:
        """Answers in chunks under way, those included that are wanted whole."""
        return len(self._open)

    def uses(self, scheduler: Scheduler) -> bool:
        """Whether a stream still runs on this replica."""
        return any(stream.call.route.scheduler is scheduler for stream in self._open)

    def cut(self, gone: Container[tuple[str, str]]) -> None:
        """Ends what is under way for these pairs of endpoint and version, each at the next chunk
        of its engine: its client is told, and its record is closed as cancelled."""
        for each in self._open:
            route = each.call.route
            if (route.endpoint, route.version) in gone:
                each.withdrawn = True
                each.cancel()

    async def end_all(self, patience_s: float) -> None:
        """Ends what is under way, and returns when every record is closed.

        Engines get so long to end their work at the next chunk; one that does not is left behind.
        """
        for each in self._open:
            each.cancel()
        until_s = self._loop.time() + patience_s
        while self._open and self._loop.time() < until_s:
            await asyncio.sleep(LOOK_S)
        for each in list(self._open):
            each.end_now()

    # --- the two operations ----------------------------------------------------------------

    def _streamed(self, exchange: Exchange, plan: CallPlan) -> None:
        call = self._call(exchange, plan)
        if call is None:
            return
        engine = call.route.replica.stream
        if engine is None:
            self._submit(call)
            return
        head = b"Pilotage-Prediction-Id: %b\r\n" % call.id_text
        if not self._record(call, "opened", "ok", self._inputs(call), [], None):
            if self._must_record(call):
                self._accounts.ended(call.route, "refused")
                exchange.refuse(_unrecorded())
                return
            head += b"" if call.route.origin is None else b"Pilotage-Recorded: no\r\n"
        out = exchange.open_stream(stream_head(content_type=_EVENTS, headers=head))
        codec = call.route.generate

        def events(chunk: list[Array]) -> bytes:
            return codec.event(chunk, call.inference)

        stream = Stream(call, out, events, self._ended, loop=self._loop, keep_bytes=_kept(call))
        self._open.add(stream)
        stream.start(engine, self._inputs(call))

    def _whole(self, exchange: Exchange, plan: CallPlan) -> None:
        call = self._call(exchange, plan)
        if call is None:
            return
        engine = call.route.replica.stream
        if engine is None:
            self._submit(call)
            return
        gathering = Gathering(call, self._whole_ended, loop=self._loop)
        self._open.add(gathering)
        gathering.start(engine, self._inputs(call))

    def _submit(self, call: Call) -> None:
        """To the queue of a replica that answers at once; `Answering` takes it from there."""
        target = call.plan.target
        baseline = call.plan.pinned or (target.baseline if target else call.route)
        refusal = baseline.scheduler.admit(1, call.plan.deadline_ns, now_ns=time.monotonic_ns())
        if refusal is not None:
            call.exchange.refuse(refusal)
            return
        call.generates = True
        call.route.scheduler.submit(call)

    def _call(self, exchange: Exchange, plan: CallPlan) -> Call | None:
        """The request, read and routed; None when it was refused."""
        target = plan.target
        if target is None:
            raise AssertionError("a generate path names an endpoint")
        limit = plan.plan.snapshot.limits.streams
        try:
            if len(self._open) >= limit:
                raise admission.queue_full("streams", limit, "streams")
            route = plan.pinned or target.baseline
            inference = route.generate.decode(exchange.body)
            deadline_ns = None
            if plan.deadline_ns is not None:
                deadline_ns = exchange.received_ns + plan.deadline_ns
            call = Call(exchange, plan, inference, deadline_ns, 0)
            call.route = plan.pinned or self._route_of(call, plan)
        except Refusal as refusal:
            exchange.refuse(refusal)
            return None
        if not call.id_text:
            call.id_text = self._books.ids.take(1, self._replies.now_ms())[0][0]
        return call

    # --- how they end ----------------------------------------------------------------------

    def _ended(self, stream: Stream) -> None:
        call = stream.call
        self._open.discard(stream)
        usage = {"chunks": stream.chunks}
        if stream.fault is not None:
            self._faults.note("making a chunk", stream.fault)
        try:
            self._record(call, "closed", stream.status, [], joined(stream.kept), usage)
        except Exception as error:
            self._faults.note("closing the record of a stream", error)
        self._accounts.ended(call.route, stream.status)
        if stream.status == "engine_error" and not call.exchange.gone:
            stream.tell(error_event(_FAILED))
        elif stream.withdrawn and not call.exchange.gone:
            stream.tell(error_event(_WITHDRAWN))

    def _whole_ended(self, gathering: Gathering) -> None:
        call = gathering.call
        self._open.discard(gathering)
        try:
            self._answer_whole(gathering)
        except Exception as error:
            self._faults.note("answering chunks in whole", error)
            self._accounts.ended(call.route, "engine_error")
            if not call.exchange.answered:
                call.exchange.refuse(faults.refusal())

    def _answer_whole(self, gathering: Gathering) -> None:
        call, status, chunks = gathering.call, gathering.status, gathering.chunks
        id = call.id_text
        outputs: list[Array] = []
        try:
            outputs = joined(chunks)
        except Exception as error:
            self._faults.note("joining chunks", error)
            status = "engine_error"
        body = b""
        refusal = _ENDED.get(status)
        if status == "ok":
            try:
                body = call.route.generate.encode(outputs, call.inference, id)
            except Refusal as unfit:
                status, refusal = "invalid_output", unfit
        usage = {"chunks": len(chunks)}
        recorded = self._record(call, "whole", status, self._inputs(call), outputs, usage)
        if status == "ok" and not recorded and self._must_record(call):
            self._accounts.ended(call.route, "refused")
            call.exchange.refuse(_unrecorded())
            return
        self._accounts.ended(call.route, status)
        if status == "cancelled":
            if gathering.withdrawn and not call.exchange.gone:
                call.exchange.refuse(_WITHDRAWN.of_prediction(id))
            return
        if refusal is not None:
            call.exchange.refuse(refusal.of_prediction(id))
            return
        headers = [("Pilotage-Prediction-Id", id.decode())]
        if not recorded and call.route.origin is not None:
            headers.append(("Pilotage-Recorded", "no"))
        call.exchange.reply(json_response(200, body, headers))

    def _record(
        self,
        call: Call,
        phase: Phase,
        status: Status,
        inputs: list[Array | None],
        outputs: list[Array],
        usage: dict[str, int] | None,
    ) -> bool:
        now_ns = time.monotonic_ns()
        entry = Entry(
            bytes.fromhex(call.id_text.decode()),
            call.received_ns + self._replies.epoch_ns,
            call.rows,
            0,
            call.inference.client_id or "",
            call.plan.asked.trace,
            call.plan.principal,
            call.plan.unit,
            status,
        )
        batch = Batch(
            call.route.replica, [call], call.rows, started_ns=call.received_ns, ended_ns=now_ns
        )
        recorded = self._books.put(
            call.route, batch, [entry], inputs, outputs, phase=phase, usage=usage
        )
        if call.route.origin is not None:
            self._accounts.recorded(1, recorded=recorded)
        return recorded

    def _inputs(self, call: Call) -> list[Array | None]:
        if call.stacked is None:
            call.stacked = stack([call.inference], call.route.replica.signature)
        return call.stacked

    def _must_record(self, call: Call) -> bool:
        record = call.route.record
        return record is not None and record.when_full == "refuse"


def _kept(call: Call) -> int:
    """Bytes of outputs that a stream keeps for its record."""
    record = call.route.record
    return record.inline_bytes if record is not None and record.outputs == "auto" else 0


def _unrecorded() -> Refusal:
    return Refusal(
        503,
        "unavailable",
        "the answer could not be recorded, and this endpoint answers nothing it cannot record",
        retry_after_s=5.0,
    )
