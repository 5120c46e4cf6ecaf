"""A request on its way through a replica, and the requests that one engine call answers."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pilotage.serving.engines.engine import Array, EngineFailureError
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.replica import Replica

if TYPE_CHECKING:
    from pilotage.serving.plan import CallPlan, RoutePlan


class Call:
    """One admitted request. `rows` is 0 where its model has no batch axis.

    `generates` asks for the answer in the form of the generate extension. `alone` keeps it out of
    batches with others, after one that it was in failed. `done_rows`,
    `engine_ns`, `stacked` and `pieces` are for a request with more rows than a batch may have.
    """

    __slots__ = (
        "alone",
        "body_bytes",
        "deadline_ns",
        "done_rows",
        "engine_ns",
        "exchange",
        "generates",
        "id_text",
        "inference",
        "pieces",
        "plan",
        "received_ns",
        "route",
        "rows",
        "stacked",
        "unit",
    )

    def __init__(
        self,
        exchange: Exchange,
        plan: "CallPlan",
        inference: Inference,
        deadline_ns: int | None,
        body_bytes: int,
    ) -> None:
        self.exchange = exchange
        self.received_ns = exchange.received_ns
        self.plan = plan
        self.inference = inference
        self.rows = inference.rows
        self.deadline_ns = deadline_ns
        self.body_bytes = body_bytes
        self.route: RoutePlan
        self.unit = b""
        self.id_text = b""
        self.alone = False
        self.generates = False
        self.done_rows = 0
        self.engine_ns = 0
        self.stacked: list[Array | None] | None = None
        self.pieces: list[list[Array]] = []


@dataclass(slots=True)
class Batch:
    """The calls of one engine call, and then what came of it.

    Attributes:
        piece: the slice of its single call's rows, where that call is too large for one batch.
        failure: the engine failed; no call of the batch is answered.
        settled: the route whose calls were recorded last, if they are to be.
    """

    replica: Replica
    calls: list[Call]
    rows: int
    piece: slice | None = None
    inputs: list[Array | None] | None = None
    outputs: list[Array] = field(default_factory=list[Array])
    failure: EngineFailureError | None = None
    started_ns: int = 0
    ended_ns: int = 0
    settled: "RoutePlan | None" = None

    def unanswered(self) -> "Batch":
        """The failure of a slice as that of its whole call, whose record tells of all its rows."""
        call = self.calls[0]
        return replace(self, piece=None, rows=call.rows, inputs=call.stacked, outputs=[])

    def whole(self) -> "Batch":
        """The batch that answers a call whose last piece this was."""
        call = self.calls[0]
        outputs = [np.concatenate(parts) for parts in zip(*call.pieces, strict=True)]
        return Batch(
            self.replica,
            self.calls,
            call.rows,
            inputs=call.stacked,
            outputs=outputs,
            started_ns=self.ended_ns - call.engine_ns,
            ended_ns=self.ended_ns,
        )
