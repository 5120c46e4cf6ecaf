"""A worker: one process, one loop, all connections it was handed.

It serves the last snapshot it could load, whatever becomes of everybody else: without a supervisor
it answers what it has and ends; without a recorder it answers on and the ring keeps the records.
"""

import asyncio
import contextlib
import gc
import random
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from pilotage import __version__
from pilotage.contracts import snapshot as snapshots
from pilotage.contracts.snapshot import Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.accounts import Accounts
from pilotage.serving.answering import Answering
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.engines.engine import EngineFailureError
from pilotage.serving.faces import Faces
from pilotage.serving.faults import Faults
from pilotage.serving.finishing import Finishing
from pilotage.serving.generating import Generating
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.listener import Listener
from pilotage.serving.http.reading import Front
from pilotage.serving.metrics import SLOT_BYTES, Published, Series, Slots, merge, pairs_of
from pilotage.serving.outcomes import Reporting
from pilotage.serving.plan import Plan, compile_plan, routes_to_cut
from pilotage.serving.polling import Poller
from pilotage.serving.processes import memory, messages
from pilotage.serving.replica import Replica, open_replica
from pilotage.serving.replies import Replies
from pilotage.serving.scheduling import Scheduler
from pilotage.serving.trials.trying import Trials

TICK_S: Final = 1.0
ORPHAN_DRAIN_S: Final = 5.0
"""What a worker whose supervisor is gone gives to the requests it has."""
STREAMS_END_S: Final = 1.0
"""How long the engines of streams that a drain cut may take to end their work."""
GC_THRESHOLDS: Final = (50_000, 50, 100)
"""The hot path makes no reference circles, so the collector may look rarely; what was there when
serving began is taken out of its sight (gc.freeze), which also keeps those pages shared."""
SWITCH_S: Final = 0.0002
"""How long the loop may keep the GIL while an engine's thread waits for it, in seconds. With
Python's 5 ms an engine stood idle for a tenth of the time at 64 connections on `wide`; now 1 %."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker is told when it is forked.

    Attributes:
        channel: to the supervisor; connections come through it.
        closed: shared with the supervisor: connections let go, one count a worker.
        books: opens the worker's side of the record.
        tls: makes the context for each snapshot, so that renewed certificates are read; None for
            plain HTTP.
    """

    index: int
    channel: socket.socket
    closed: memoryview
    slots: Slots
    snapshot_path: str
    threads: int
    poll_us: int
    books: Callable[[], Bookkeeping]
    tls: Callable[[], ssl.SSLContext] | None
    log: Callable[..., None]


def run_worker(setup: WorkerSetup) -> int:
    """Serves until it is told to drain or its supervisor is gone. Returns the exit code."""
    loop = new_loop()
    asyncio.set_event_loop(loop)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        worker = Worker(setup, loop)
    except EngineFailureError as error:
        revision = _read(setup.snapshot_path).revision
        _send(setup.channel, messages.Declined(revision, str(error)))
        return 1
    except PilotageError as error:
        _send(setup.channel, messages.Declined(0, str(error)))
        return 1
    loop.run_until_complete(worker.run())
    return 0


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where there is one, else asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Worker:
    """The parts of one worker, put together."""

    def __init__(self, setup: WorkerSetup, loop: asyncio.AbstractEventLoop) -> None:
        self._setup = setup
        self._loop = loop
        self._series = Series()
        self._books = setup.books()
        self._replies = Replies()
        self._retired: list[Scheduler] = []
        self._draining: asyncio.Task[None] | None = None
        self._swap: asyncio.Task[None] | None = None
        self._next: messages.Publish | None = None
        self._over = loop.create_future()
        self._ticked_s = time.time()
        self._fits = True
        self._accounts = accounts = Accounts(self._series)
        before = setup.slots.read(setup.index)
        if before is not None:
            self._series.take_over(before)
        worker = f"worker {setup.index}"
        faults = Faults(partial(setup.log, process=worker), time.monotonic)
        loop.set_exception_handler(partial(_note_unforeseen, faults))
        faces = Faces(version=__version__, not_ready=self._not_ready, published=self._published)
        snapshot = _read(setup.snapshot_path)
        finishing = Finishing(self._books, accounts, self._replies, faults)
        self._answering = Answering(self._books, self._replies, finishing, faults)
        self._generating = Generating(
            loop, self._books, accounts, self._replies, faults, self._answering.route_of
        )
        reporting = Reporting(self._books, accounts, self._replies)
        self._answering.faces = {
            **faces.table(),
            **self._generating.table(),
            **reporting.table(),
        }
        parts = (loop, self._books, accounts, self._replies, faults)
        self._trials = Trials(*parts, random.Random())
        opened = {
            version.id: open_replica(version, threads=setup.threads)
            for version in snapshot.versions
        }
        plan = self._plan(snapshot, opened, {})
        if before is not None:
            accounts.swapped(pairs_of(before), plan.pairs, now_s=loop.time())
        self._serve(plan)
        self._front = Front(self._answering, snapshot.limits, HeadCache(), now_ns=time.monotonic_ns)
        self._front.on_refused = accounts.refused
        self._answering.receiving_bytes = lambda: self._front.receiving_bytes
        self._listener: Listener
        if setup.poll_us:
            self._replies.after_batch = Poller(loop, setup.poll_us * 1000).poke

    async def run(self) -> None:
        """Serves until it is over."""
        tls = self._setup.tls() if self._setup.tls else None
        self._listener = Listener(self._front, tls=tls, on_closed=self._count_closed)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_S)
        channel = self._setup.channel
        channel.setblocking(False)
        self._loop.add_reader(channel.fileno(), self._on_channel)
        self._tell(messages.Serving(self._answering.serving.snapshot.revision))
        self._tick()
        await self._over
        self._publish()
        self._books.close()

    # --- the supervisor --------------------------------------------------------------------

    def _on_channel(self) -> None:
        """Takes what the supervisor sent; its end means that we end too."""
        channel = self._setup.channel
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(channel, messages.MESSAGE_BYTES, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data, descriptors = b"", []
            if not data:
                self._loop.remove_reader(channel.fileno())
                self._drain(ORPHAN_DRAIN_S)
                return
            message: messages.ToWorker = messages.decode_to_worker(data)
            match message:
                case messages.Handoff():
                    for descriptor in descriptors:
                        self._take(socket.socket(fileno=descriptor))
                    if not descriptors:  # this process has as many as it may: the kernel closed it
                        self._count_closed()
                case messages.Publish() as publish:
                    if self._next is not None and self._next.renews_tls:
                        publish = structs.replace(publish, renews_tls=True)
                    self._next = publish
                    if self._swap is None:
                        self._swap = self._loop.create_task(self._swap_snapshots())
                case messages.Drain(grace_s=grace_s):
                    self._drain(grace_s)

    def _take(self, connection: socket.socket) -> None:
        if self._draining is not None:
            connection.close()
            self._count_closed()
            return
        self._listener.accept(connection)

    def _count_closed(self) -> None:
        self._setup.closed[self._setup.index] += 1

    def _tell(self, message: messages.FromWorker) -> None:
        _send(self._setup.channel, message)

    # --- snapshots -------------------------------------------------------------------------

    def _serve(self, plan: Plan) -> None:
        self._answering.serve(plan)
        self._trials.serve(plan)

    def _plan(
        self, snapshot: Snapshot, opened: dict[str, Replica], kept: dict[str, Scheduler]
    ) -> Plan:
        schedulers = dict(kept)
        for version_id, replica in opened.items():
            schedulers[version_id] = self._answering.scheduler_for(
                partial(Scheduler, replica, snapshot.limits, self._loop)
            )
        return compile_plan(snapshot, schedulers)

    async def _swap_snapshots(self) -> None:
        """Loads and warms what is new beside the old, then serves it from one moment on."""
        while self._next is not None:
            publish, self._next = self._next, None
            try:
                snapshot = _read(publish.path)
                await self._swap_to(snapshot, renews_tls=publish.renews_tls)
            except FileNotFoundError:
                continue  # a later one was published meanwhile, and comes next
            except Exception as error:  # whatever it is, the next snapshot must find its way
                self._tell(messages.Declined(publish.revision, str(error) or repr(error)))
            else:
                self._publish()
                self._tell(messages.Serving(publish.revision))
        self._swap = None

    async def _swap_to(self, snapshot: Snapshot, *, renews_tls: bool) -> None:
        serving = self._answering.serving
        wanted = {version.id: version for version in snapshot.versions}
        kept = {id: each for id, each in serving.schedulers.items() if id in wanted}
        opened: dict[str, Replica] = {}
        for version_id, version in wanted.items():
            if version_id not in kept:
                opened[version_id] = await asyncio.to_thread(
                    open_replica, version, threads=self._setup.threads
                )
        if renews_tls and self._setup.tls is not None:
            self._listener.renew_tls(self._setup.tls())
        plan = self._plan(snapshot, opened, kept)
        # From here on nothing fails: a snapshot that is declined has changed nothing.
        for version_id, scheduler in kept.items():
            scheduler.renew(wanted[version_id], snapshot.limits)
        self._accounts.swapped(serving.pairs, plan.pairs, now_s=self._loop.time())
        self._serve(plan)
        self._generating.cut(routes_to_cut(serving, plan))
        self._front.limits = snapshot.limits
        self._front.heads.clear()
        self._retired += [each for id, each in serving.schedulers.items() if id not in wanted]

    def _drop_retired(self) -> None:
        """Lets go of old versions once the last request for them is answered."""
        for scheduler in [each for each in self._retired if not each.busy]:
            if not (self._generating.uses(scheduler) or self._trials.uses(scheduler)):
                scheduler.close()
                self._retired.remove(scheduler)
                memory.give_back()
                version = scheduler.replica.version
                self._setup.log(
                    "retired",
                    process=f"worker {self._setup.index}",
                    model=version.model,
                    version=version.id,
                )

    # --- what is seen from outside ---------------------------------------------------------

    def _not_ready(self) -> str:
        if self._draining is not None:
            return "draining"
        if self._answering.serving.expired(time.time()):
            return "the snapshot has expired"
        return self._books.blocked(self._answering.serving.snapshot.endpoints)

    def _publish(self) -> None:
        self._series.begin_gauges()
        gauge = self._series.gauge
        serving = self._answering.serving
        for scheduler_id, scheduler in serving.schedulers.items():
            gauge("pilotage_queue_rows", scheduler.waiting_rows, version=scheduler_id)
        gauge("pilotage_connections", self._listener.open_connections)
        held = self._front.receiving_bytes + self._answering.waiting_bytes
        gauge("pilotage_inflight_bytes", held)
        gauge("pilotage_streams", self._generating.open)
        gauge("pilotage_snapshot_revision", serving.snapshot.revision)
        gauge("pilotage_workers", 1)
        gauge("pilotage_recorder_full", float(self._books.full))
        setup = self._setup
        fits = setup.slots.write(setup.index, self._series.publish())
        if not fits and self._fits:
            setup.log("metrics_too_many", process=f"worker {setup.index}", slot_bytes=SLOT_BYTES)
        self._fits = fits

    def _published(self) -> Published:
        """This worker's numbers as of now, with the others' as of their last tick."""
        self._publish()
        slots = self._setup.slots
        every = [slots.read(worker) for worker in range(slots.workers)]
        return merge(one for one in every if one is not None)

    # --- time ------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._over.done():
            return
        self._setup.slots.beat(self._setup.index, time.monotonic_ns())
        self._replies.tick()
        self._publish()
        self._drop_retired()
        self._accounts.forget_retired(now_s=self._loop.time())
        self._forget_expired()
        self._loop.call_later(TICK_S, self._tick)

    def _forget_expired(self) -> None:
        """Empties the head cache when a key or the snapshot ran out since the last tick, however
        late this one is."""
        since_s, self._ticked_s = self._ticked_s, time.time()
        if self._answering.serving.ends_within(since_s, self._ticked_s):
            self._front.heads.clear()

    # --- the end ---------------------------------------------------------------------------

    def _drain(self, grace_s: float) -> None:
        """Answers what is here and takes nothing new."""
        if self._draining is None:
            self._draining = self._loop.create_task(self._drain_listener(grace_s))

    async def _drain_listener(self, grace_s: float) -> None:
        await self._listener.drain(grace_s)
        # Clients are gone, records are not closed yet.
        await self._generating.end_all(STREAMS_END_S)
        self._trials.close()
        self._over.set_result(None)


def _note_unforeseen(
    faults: Faults, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    """What the loop met and nobody caught. Its own message would show values."""
    del loop
    faults.note("turning the loop", context.get("exception") or RuntimeError())


def _read(path: str) -> Snapshot:
    return snapshots.decode(Path(path).read_bytes())


def _send(channel: socket.socket, message: messages.FromWorker) -> None:
    with contextlib.suppress(OSError):
        channel.send(messages.encode(message))
