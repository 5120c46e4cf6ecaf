"""A request's way in: head, plan, admission, decode, routing, queue.

`plan` reads a head once for all requests that share its bytes. `answer` takes a whole request up to
the queue of a replica. The way back, from a batch that ran to its answers, is `finishing`.

Budget on `tiny` at 64 connections, a batch of about 32: see `benchmarks/budget.py`.
"""

import time
from collections.abc import Callable
from typing import cast

from pilotage.contracts.records import digest_unit
from pilotage.serving import admission, faults, requests
from pilotage.serving.authentication import no_longer_valid
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch, Call
from pilotage.serving.faults import Faults
from pilotage.serving.finishing import Finishing
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.head import Head
from pilotage.serving.plan import CallPlan, Plan, RoutePlan
from pilotage.serving.protocols.outcomes import check_size
from pilotage.serving.refusals import Refusal
from pilotage.serving.replies import Replies
from pilotage.serving.requests import Asked, Operation
from pilotage.serving.scheduling import Scheduler

Face = Callable[[Exchange, CallPlan], None]
"""Answers an operation other than `infer`."""


class Answering:
    """The service behind the connections of one worker; `serve` comes before the first request.

    Attributes:
        waiting_bytes: bodies in the queues.
        receiving_bytes: tells the bytes of bodies that connections are receiving.
    """

    def __init__(
        self,
        books: Bookkeeping,
        replies: Replies,
        finishing: Finishing,
        faults: Faults,
    ) -> None:
        self.serving: Plan
        self.faces: dict[Operation, Face] = {}
        self.waiting_bytes = 0
        self.receiving_bytes: Callable[[], int] = int
        self._inflight_bytes = 0
        self._books = books
        self._replies = replies
        self._finishing = finishing
        self._faults = faults

    def serve(self, plan: Plan) -> None:
        """Answers by this plan from now on; what is in a queue already stays there."""
        self.serving = plan
        self._inflight_bytes = plan.snapshot.limits.inflight_bytes

    # --- from the head ---------------------------------------------------------------------

    def plan(self, head: Head) -> CallPlan:
        """What the head asks for, and of whom; raises Refusal. Depends on nothing but head and
        snapshot (and the time, where a key expires), so that it may be cached."""
        asked = requests.read(head)
        key = None
        now_s = time.time()
        if asked.operation not in requests.OPEN_TO_ALL:
            key = self.serving.keyring.key_of(
                head.headers.get(b"authorization"), asked.model, now_s=now_s
            )
        if asked.operation not in requests.TOLD_WHEN_EXPIRED and self.serving.expired(now_s):
            raise _expired()
        if key is None:
            call_plan = self._plan_of(asked, "", None)
        else:
            call_plan = self._plan_of(asked, key.principal, key.expires_at)
            call_plan.allowed = key.endpoints
        target = call_plan.target
        sticky = head.headers.get(target.sticky_header) if target and target.sticky_header else None
        call_plan.unit = digest_unit(sticky) if sticky else b""
        return call_plan

    def _plan_of(self, asked: Asked, principal: str, key_expires_at: float | None) -> CallPlan:
        """Endpoint, version, deadline and end of what is asked for; raises Refusal."""
        plan = self.serving
        call_plan = CallPlan(asked, plan, principal=principal, key_expires_at=key_expires_at)
        if key_expires_at is not None:
            call_plan.ends_at(key_expires_at, no_longer_valid, self._replies.epoch_ns)
        expires_at = plan.snapshot.expires_at
        if expires_at is not None and asked.operation not in requests.TOLD_WHEN_EXPIRED:
            call_plan.ends_at(expires_at, _expired, self._replies.epoch_ns)
        if asked.model:
            target = plan.endpoints.get(asked.model)
            if target is None:
                raise Refusal(
                    404,
                    "unknown",
                    "there is no endpoint of this name",
                    where="request line",
                    expected="one of " + ", ".join(sorted(plan.endpoints)),
                )
            if asked.operation is Operation.INFER and target.baseline.replica.whole is None:
                raise Refusal(
                    400,
                    "invalid",
                    "this model answers in chunks",
                    where="request line",
                    expected="/generate or /generate_stream",
                    fix="Call /v2/models/NAME/generate_stream, or /generate for the whole.",
                )
            call_plan.target = target
            call_plan.deadline_ns = target.deadline_ns
            if asked.version:
                call_plan.pinned = target.version_named(asked.version)
        if asked.deadline_ms is not None:
            call_plan.deadline_ns = int(asked.deadline_ms * 1e6)
        call_plan.plain = not (asked.accepts or asked.trace or asked.timing)
        return call_plan

    def _renewed(self, old: CallPlan) -> CallPlan:
        """The plan of a request whose body was still coming when another snapshot was swapped in:
        its version may be gone by now."""
        call_plan = self._plan_of(old.asked, old.principal, old.key_expires_at)
        call_plan.unit = old.unit
        call_plan.allowed = old.allowed
        return call_plan

    def admit(self, plan: object, body_bytes: int) -> None:
        """Refuses from the head alone what would be refused anyway once its body is here."""
        call_plan = cast(CallPlan, plan)
        now_ns = time.monotonic_ns()
        if now_ns >= call_plan.ends_ns:
            raise call_plan.ended()
        if call_plan.asked.operation is Operation.OUTCOMES:
            check_size(body_bytes)
        if call_plan.target is None or call_plan.asked.operation is not Operation.INFER:
            return
        if self.receiving_bytes() + self.waiting_bytes + body_bytes > self._inflight_bytes:
            raise self._too_many_bytes()
        refusal = call_plan.target.baseline.scheduler.admit(1, call_plan.deadline_ns, now_ns=now_ns)
        if refusal is not None:
            raise refusal

    def _too_many_bytes(self) -> Refusal:
        return admission.queue_full("bytes of requests", self._inflight_bytes, "bytes")

    # --- the whole request -----------------------------------------------------------------

    def answer(self, exchange: Exchange) -> None:
        """Takes a whole request to the queue of its replica, or to the face that answers it."""
        plan: CallPlan = exchange.plan
        if plan.plan is not self.serving:
            try:
                plan = self._renewed(plan)
            except Refusal as refusal:
                exchange.refuse(refusal)
                return
        if exchange.received_ns >= plan.ends_ns:
            exchange.refuse(plan.ended())
            return
        if plan.asked.operation is not Operation.INFER:
            self._ask_face(exchange, plan)
            return
        target = plan.target
        if target is None:
            raise AssertionError("an infer path names an endpoint")
        try:
            baseline = plan.pinned or target.baseline
            budget_ns = plan.deadline_ns
            refusal = baseline.scheduler.admit(1, budget_ns, now_ns=exchange.received_ns)
            if refusal is not None:
                raise refusal
            body_bytes = len(exchange.body)
            if self.waiting_bytes + body_bytes > self._inflight_bytes:
                raise self._too_many_bytes()
            inference = baseline.codec.decode(exchange.body, plan.asked.json_bytes)
            deadline_ns = None if budget_ns is None else exchange.received_ns + budget_ns
            call = Call(exchange, plan, inference, deadline_ns, body_bytes)
            exchange.body = b""
            if inference.rows > 1:
                refusal = baseline.scheduler.admit(
                    inference.rows, budget_ns, now_ns=exchange.received_ns
                )
                if refusal is not None:
                    raise refusal
            call.route = plan.pinned or self.route_of(call, plan)
        except Refusal as refusal:
            exchange.refuse(refusal)
            return
        except Exception as error:
            self._faults.note("reading a request", error)
            exchange.refuse(faults.refusal())
            return
        self.waiting_bytes += call.body_bytes
        call.route.scheduler.submit(call)

    def _ask_face(self, exchange: Exchange, plan: CallPlan) -> None:
        try:
            self.faces[plan.asked.operation](exchange, plan)
        except Exception as error:
            self._faults.note(f"answering {plan.asked.operation.value[1]}", error)
            if not exchange.answered:
                exchange.refuse(faults.refusal())

    def route_of(self, call: Call, plan: CallPlan) -> RoutePlan:
        """The route, drawn by the call's unit; one route needs no draw.

        Raises:
            Refusal: 503, the queue behind the route that was drawn is full. The baseline's queue
                was asked before the draw, and its cost decides on deadlines for every arm.
        """
        target = plan.target
        if target is None:
            raise AssertionError("an infer path names an endpoint")
        if len(target.routes) == 1:
            return target.routes[0]
        call.route = route = target.route_of(self._unit_of(call, plan))
        if route.scheduler is not target.baseline.scheduler:
            refusal = route.scheduler.admit(call.rows or 1, None, now_ns=call.received_ns)
            if refusal is not None:
                raise self._finishing.turn_away(call, refusal)
        return route

    def _unit_of(self, call: Call, plan: CallPlan) -> bytes:
        """What the draw depends on: who asks, else the caller's id, else the prediction's."""
        if plan.unit:
            return plan.unit
        if call.inference.client_id:
            return digest_unit(call.inference.client_id.encode())
        texts, ids = self._books.ids.take(1, self._replies.now_ms())
        call.id_text = texts[0]
        return digest_unit(ids[0])

    def abandon(self, exchange: Exchange) -> None:
        """The client hung up: its call is dropped when its turn comes (`exchange.gone`)."""
        del exchange

    # --- the way back ----------------------------------------------------------------------

    def scheduler_for(self, make: Callable[..., Scheduler]) -> Scheduler:
        """A scheduler whose batches and dropped calls are answered here."""
        return make(finish=self._finish, give_up=self._give_up)

    def _finish(self, batch: Batch) -> None:
        self.waiting_bytes -= sum([call.body_bytes for call in batch.calls])
        self._finishing.finish(batch)

    def _give_up(self, call: Call, refusal: Refusal | None) -> None:
        self.waiting_bytes -= call.body_bytes
        self._finishing.give_up(call, refusal)


def _expired() -> Refusal:
    """A new one each time: an exception that is raised again keeps all its traces."""
    return Refusal(
        503,
        "unavailable",
        "the snapshot has expired, and nothing is answered by it any more",
        fix="A new snapshot is needed; /v2/health/ready says when it is there.",
        retry_after_s=5.0,
    )
