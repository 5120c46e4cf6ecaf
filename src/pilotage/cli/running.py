"""From a snapshot to running processes: what each of them does, put together.

Everything here happens before the first fork or inside a child; the supervisor only sees functions.
"""

import mmap
import socket
from collections.abc import Callable
from pathlib import Path

from pilotage.cli import composition
from pilotage.contracts.directing import Direction
from pilotage.contracts.predictions import Ids
from pilotage.contracts.snapshot import Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.metrics import Slots
from pilotage.serving.processes import handoff
from pilotage.serving.processes.descriptors import make_room
from pilotage.serving.processes.parts import Log, Parts
from pilotage.serving.processes.supervisor import Supervisor
from pilotage.serving.processes.worker import WorkerSetup, run_worker
from pilotage.serving.recording.identity import Identity, chance, next_identity
from pilotage.serving.recording.recorder import RecorderSettings, run_recorder
from pilotage.serving.recording.to_ring import open_recording
from pilotage.spec.settings import ServeSettings


def serve(
    settings: ServeSettings,
    first: Snapshot,
    *,
    reread: Callable[[], ServeSettings],
    changed: Callable[[], bool] | None,
    on_ready: Callable[[list[tuple[str, int]]], None],
    log: Log,
    run_decider: Callable[[socket.socket], int] | None = None,
    direction: Direction | None = None,
) -> int:
    """Serves until a signal ends it. Returns the exit code.

    Args:
        settings: what this process was told.
        first: the snapshot to begin with.
        reread: gives the settings afresh for a reload; called in a child.
        changed: whether a watched file changed since the last call; None where none is watched.
        on_ready: told the addresses once the first worker serves.
        log: takes events with fields.
        run_decider: decides over the channel it is given (`contracts.directing`), in a child;
            None where nobody decides.
        direction: the one that `first` is made by, where it is.

    Raises:
        PilotageError: the port is taken, or the first snapshot cannot be served.
    """
    listening = handoff.bind(settings.host, settings.port)
    connections = _connections(settings.limits.connections, log)
    identity = chance()
    if settings.record is not None:
        identity = next_identity(Path(settings.record.folder))
    slots = _slots(settings.workers)

    def work(index: int, starts: int, channel: socket.socket, closed: memoryview, path: str) -> int:
        tls = settings.tls
        return run_worker(
            WorkerSetup(
                index=index,
                channel=channel,
                closed=closed,
                slots=slots,
                snapshot_path=path,
                threads=settings.threads,
                poll_us=settings.poll_us,
                books=lambda: _books(settings, identity, index, starts, log),
                tls=None if tls is None else lambda: composition.tls_context(tls),
                log=log,
            )
        )

    parts = Parts(
        workers=settings.workers,
        connections=connections,
        drain_s=settings.drain_s,
        run_worker=work,
        run_recorder=_recorder(settings, identity),
        compose=lambda revision: composition.compose(reread(), revision),
        changed=changed,
        on_ready=lambda: on_ready(handoff.addresses(listening)),
        beat_of=slots.last_beat,
        log=log,
        run_decider=run_decider,
        direction=direction,
    )
    return Supervisor(parts, listening, first).run()


def _connections(wanted: int, log: Log) -> int:
    """The connections that this machine lets us hold; it says so where they are fewer."""
    connections = make_room(wanted)
    if connections < wanted:
        log("few_descriptors", wanted=wanted, connections=connections, limit="ulimit -Hn")
    return connections


def _slots(workers: int) -> Slots:
    """Shared with every child that is forked later."""
    return Slots(memoryview(mmap.mmap(-1, Slots.bytes_for(workers))), workers)


def _recorder(settings: ServeSettings, identity: Identity) -> Callable[[int], int] | None:
    record = settings.record
    if record is None:
        return None

    def run(control: int) -> int:
        run_recorder(
            RecorderSettings(
                folder=Path(record.folder),
                node=identity.node,
                boot=identity.boot,
                fsync_interval_s=record.fsync_interval_s,
                record_budget_bytes=record.budget_bytes,
            ),
            control,
        )
        return 0

    return run


def _books(
    settings: ServeSettings, identity: Identity, worker: int, starts: int, log: Log
) -> Bookkeeping:
    """The worker's side of the record. Where no ring can be made, serving goes on unrecorded if
    the policy says so, and every answer says that it is not recorded."""
    if settings.record is None:
        return Bookkeeping(Ids(identity.node, identity.boot, worker), None)
    try:
        recording = open_recording(
            Path(settings.record.folder),
            node=identity.node,
            boot=identity.boot,
            worker=worker,
            incarnation=starts,
        )
    except OSError as error:
        if settings.record.when_full == "refuse":
            raise PilotageError(
                f"nothing can be recorded: {error}",
                where="--record",
                fix="Free some space, or choose another folder.",
            ) from error
        log("not_recording", worker=worker, why=str(error))
        return Bookkeeping(Ids(identity.node, identity.boot, worker), None)
    return Bookkeeping(recording.ids, recording)
