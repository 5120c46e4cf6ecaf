"""One worker's way of a request without its processes: bytes in, bytes out, a clock to turn.

    plane = DataPlane(Doubling())
    assert plane.client().send(plane.infer(1.0)).statuses() ...

Endpoint `double`: x FP32[n,1] -> y FP32[n,1], served by the engine that is given, on the loop.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from msgspec import structs

from pilotage.contracts.keys import Key
from pilotage.contracts.limits import Limits
from pilotage.contracts.predictions import Ids
from pilotage.contracts.records import Entry, Outcome, Probe
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import (
    FORMAT,
    PPM,
    Endpoint,
    RecordPolicy,
    Route,
    Snapshot,
    Step,
    Trial,
    Version,
)
from pilotage.serving.accounts import Accounts
from pilotage.serving.answering import Answering
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.cost import Cost
from pilotage.serving.faults import Faults
from pilotage.serving.finishing import Finishing
from pilotage.serving.generating import Generating
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.reading import Front
from pilotage.serving.metrics import Series
from pilotage.serving.outcomes import Reporting
from pilotage.serving.plan import compile_plan, routes_to_cut
from pilotage.serving.recording.blocks import Origin
from pilotage.serving.replica import Replica
from pilotage.serving.replies import Replies
from pilotage.serving.scheduling import Scheduler
from pilotage.serving.trials.trying import Trials
from simulators.clients import Client, post

SIGNATURE = Signature(
    inputs=(Tensor("x", "FP32", ("n", 1)),), outputs=(Tensor("y", "FP32", ("n", 1)),)
)
TEXTS = Signature(inputs=(Tensor("x", "BYTES", (1,)),), outputs=(Tensor("y", "BYTES", (1,)),))
VERSION = "double000001"
CANDIDATE = "double000002"
PATH = b"/v2/models/double/infer"
STREAM = b"/v2/models/double/generate_stream"
WHOLE = b"/v2/models/double/generate"


class Doubling:
    """Answers at once."""

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        return [inputs[0] * 2]

    def close(self) -> None:
        return


class Counting:
    """Answers in chunks: its text, `count` times, then it waits until it is let go."""

    def __init__(self, count: int, *, waits: bool = False) -> None:
        self.count = count
        self.waits = waits
        self.let_go = False
        self.started = False
        self.ended = False

    def stream(self, inputs: Sequence[Any]) -> Iterator[list[Any]]:
        self.started = True
        try:
            for _ in range(self.count):
                yield self.chunk(str(inputs[0].ravel()[0]))
            while self.waits and not self.let_go:
                time.sleep(0.001)
        finally:
            self.ended = True

    def chunk(self, text: str) -> list[Any]:
        return [np.array([text], dtype=object)]

    def close(self) -> None:
        return


class Recording:
    """Keeps what is recorded; takes nothing while `has_room` is false."""

    full = False

    def __init__(self) -> None:
        self.has_room = True
        self.entries: list[Entry] = []
        self.outcomes: list[Outcome] = []
        self.phases: list[str] = []
        self.rows: list[list[int]] = []
        self.arms: list[tuple[Origin, Entry]] = []
        self.probes: list[Probe] = []

    def put(self, *arguments: Any, phase: str = "whole", **named: Any) -> bool:
        del named
        self.rows.append([0 if array is None else len(array) for array in arguments[1]])
        if self.has_room:
            self.entries += arguments[3]
            self.arms += [(arguments[0], entry) for entry in arguments[3]]
            self.phases.append(phase)
        return self.has_room

    def put_probe(self, probe: Probe) -> bool:
        if self.has_room:
            self.probes.append(probe)
        return self.has_room

    @property
    def copies(self) -> list[tuple[Origin, Entry]]:
        """The candidate's answers to copies, each with what its route shares."""
        return [(origin, entry) for origin, entry in self.arms if entry.pair_id]

    def put_outcomes(self, outcomes: Sequence[Outcome]) -> bool:
        if self.has_room:
            self.outcomes += outcomes
        return self.has_room

    @property
    def statuses(self) -> list[str]:
        return [entry.status for entry in self.entries]

    def blocked(self, endpoints: object) -> str:
        del endpoints
        return ""

    def close(self) -> None:
        return


class DataPlane:
    """The parts of a worker, put together as the worker does; use it inside a running loop.

    Attributes:
        later_ns: what is added to the steady clock that requests are received by.
        logged: events with their fields.
    """

    def __init__(
        self,
        engine: Any = None,
        *,
        candidate: Any = None,
        weight_ppm: int = 0,
        keys: Sequence[Key] = (),
        expires_at: float | None = None,
        policy: RecordPolicy | None = None,
        limits: Limits | None = None,
        cost_ns: float = 1000.0,
        recording: Recording | None = None,
        trial: Trial | None = None,
        shadow: bool = False,
    ) -> None:
        self.later_ns = 0
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.recording = recording or Recording()
        self.series = Series()
        self._loop = asyncio.get_running_loop()
        limits = limits or Limits()
        books = Bookkeeping(Ids(1, 1, 1), cast(Any, self.recording))
        accounts = Accounts(self.series)
        replies = Replies()
        faults = Faults(lambda event, **fields: self.logged.append((event, fields)), lambda: 0.0)
        finishing = Finishing(books, accounts, replies, faults)
        self.answering = Answering(books, replies, finishing, faults)
        self.generating = Generating(
            self._loop, books, accounts, replies, faults, self.answering.route_of
        )
        reporting = Reporting(books, accounts, replies)
        self.answering.faces = {**self.generating.table(), **reporting.table()}
        self.trials = Trials(self._loop, books, accounts, replies, faults, random.Random(1))
        engines = {VERSION: engine or Doubling()}
        routes = (Route(VERSION, PPM - weight_ppm),)
        if candidate is not None:
            engines[CANDIDATE] = candidate
        if candidate is not None and (weight_ppm or trial is None):
            routes += (Route(CANDIDATE, weight_ppm, arm="candidate"),)
        self.schedulers = {
            id: self._scheduler(id, each, limits, cost_ns) for id, each in engines.items()
        }
        endpoint = Endpoint(
            "double",
            routes,
            record=policy or RecordPolicy(),
            salt="s",
            trial=trial,
            shadow=CANDIDATE if shadow else "",
        )
        self.snapshot = Snapshot(
            FORMAT,
            0,
            0.0,
            (),
            tuple(each.replica.version for each in self.schedulers.values()),
            keys=tuple(keys),
            limits=limits,
            expires_at=expires_at,
        )
        self.swap(endpoint)
        self.heads = HeadCache()
        self.front = Front(self.answering, limits, self.heads, now_ns=self._now_ns)
        self.front.on_refused = accounts.refused
        self.answering.receiving_bytes = lambda: self.front.receiving_bytes

    def swap(self, endpoint: Endpoint) -> None:
        """Serves this endpoint from now on, with the versions that are loaded."""
        self.endpoint = endpoint
        self.snapshot = structs.replace(
            self.snapshot, endpoints=(endpoint,), revision=self.snapshot.revision + 1
        )
        before = getattr(self.answering, "serving", None)
        plan = compile_plan(self.snapshot, self.schedulers)
        self.answering.serve(plan)
        self.trials.serve(plan)
        if before is not None:
            self.generating.cut(routes_to_cut(before, plan))

    def _scheduler(self, id: str, engine: Any, limits: Limits, cost_ns: float) -> Scheduler:
        streams = hasattr(engine, "stream")
        signature = TEXTS if streams else SIGNATURE
        version = Version(id, "double", "d", signature, (Step("fake", "a", "b"),))
        whole, stream = (None, engine) if streams else (engine, None)
        replica = Replica(version, whole, stream, Cost(cost_ns, 0.0), 0 if streams else 4)
        return self.answering.scheduler_for(partial(Scheduler, replica, limits, self._loop))

    def _now_ns(self) -> int:
        return time.monotonic_ns() + self.later_ns

    def client(self) -> Client:
        return Client(front=self.front, service=cast(Any, self.answering))

    def counted(self, name: str, **labels: str) -> float:
        """The sum of the counters that carry these labels."""
        cells = self.series.publish().counters.get(name, {})
        wanted = set(labels.items())
        return sum(value for key, value in cells.items() if wanted <= set(key))


def infer(*values: float, headers: Sequence[bytes] = ()) -> bytes:
    """A request for `double`, of one row a value."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [len(values), 1], "data": list(values)}
    return post(PATH, json.dumps({"inputs": [tensor]}).encode(), *headers)


async def until(ask: Callable[[], object], patience_s: float = 20.0) -> None:
    """Lets the loop run until `ask` says something that counts as true."""
    end_s = time.monotonic() + patience_s
    while not ask():
        assert time.monotonic() < end_s, "it never came true"
        await asyncio.sleep(0.001)
