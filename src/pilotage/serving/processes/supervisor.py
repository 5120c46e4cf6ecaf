"""The supervisor: one thread that starts, feeds, restarts and ends the processes of a data plane.

It accepts connections and hands them over; it publishes snapshots (the only one who does), as a
reload composes them or the decider directs; it starts again what dies, ever later if it keeps
dying; it ends everything in order: no new connections, workers answer what they have, the recorder
takes the last record, the decider closes.

It never runs an engine or reads a request, so nothing a caller sends can harm it.
"""

import contextlib
import mmap
import os
import selectors
import signal
import socket
import time
from functools import partial
from typing import Any, Final

from pilotage.contracts.directing import Ask, Direction, Seal, WorkerDied
from pilotage.contracts.snapshot import Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.processes import messages
from pilotage.serving.processes.children import Child, fork, reap
from pilotage.serving.processes.decider import START_S, DeciderProcess
from pilotage.serving.processes.directions import Directions
from pilotage.serving.processes.handoff import Handoff, channel_kind
from pilotage.serving.processes.hangups import take_hangups
from pilotage.serving.processes.heartbeats import HUNG_S, Heartbeats
from pilotage.serving.processes.parts import Parts
from pilotage.serving.processes.publishing import Publishing
from pilotage.serving.processes.recorder import RecorderProcess
from pilotage.serving.processes.reloading import Reloading

TICK_S: Final = 1.0
ACCEPT_PAUSE_S: Final = 0.01
"""How long a connection waits when every worker's channel is full."""
STOP_PATIENCE_S: Final = 5.0
"""Beyond the drain time, before what still runs is killed."""
TELL_S: Final = 1.0
"""How long a worker whose channel is full is waited for, before it is let go."""
TRIED_STARTS: Final = 3
"""Starts that a worker tries with one snapshot, before workers start with the one before it."""


class Supervisor:
    """Runs until a signal ends it. Build it before any thread exists."""

    def __init__(self, parts: Parts, listening: list[socket.socket], first: Snapshot) -> None:
        self._parts = parts
        self._listening = listening
        self._log = parts.log
        self._selector = selectors.DefaultSelector()
        self._closed: memoryview = memoryview(mmap.mmap(-1, max(4096, 8 * parts.workers))).cast("q")
        self._handoff = Handoff(self._closed, parts.workers, parts.connections)
        self._heartbeats = Heartbeats(parts.workers, hung_s=HUNG_S)
        self._workers = [Child(f"worker {index}") for index in range(parts.workers)]
        self._channels: dict[int, socket.socket] = {}
        self._recorder = RecorderProcess(parts.run_recorder)
        self._decider = DeciderProcess(
            parts.run_decider, self._selector, asked=self._on_ask, log=parts.log
        )
        self._published = Publishing(first)
        self._directions = Directions(
            self._published,
            parts.direction,
            announce=self._announce,
            tell=self._decider.tell,
            log=parts.log,
            now_s=time.time,
        )
        self._reloading = Reloading(parts, self._published, self._selector, self._directions.reload)
        self._ready = False
        self._failure: PilotageError | None = None
        self._stopping_until: float | None = None
        self._accepting = False
        self._accept_from_s = 0.0

    # --- the loop --------------------------------------------------------------------------

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT. Returns the exit code.

        Raises:
            PilotageError: the first snapshot cannot be served.
        """
        self._published.path()
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        previous = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        handled = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        restored = {number: signal.signal(number, _noted) for number in handled}
        self._selector.register(woken, selectors.EVENT_READ, self._on_signals)
        self._own = [woken, wake]
        take_hangups()
        try:
            self._recorder.start(self._private)
            for index in range(self._parts.workers):
                self._start_worker(index)
            while not self._ended():
                for key, _ in self._selector.select(self._wait_s()):
                    key.data(key.fileobj)
                self._tick()
        finally:
            self._kill_all()
            self._decider.kill()
            signal.set_wakeup_fd(previous)
            for number, handler in restored.items():
                signal.signal(number, handler)
            self._published.close()
        if self._failure is not None:
            raise self._failure
        return 0

    def _wait_s(self) -> float:
        now_s = time.monotonic()
        waits = [TICK_S]
        waits += [child.due_s - now_s for child in self._children() if not child.pid]
        if self._handoff.can_take and not self._accepting:
            waits.append(self._accept_from_s - now_s)
        return max(0.0, min(waits))

    def _children(self) -> list[Child]:
        """Those that run or shall: the decider only once somebody serves."""
        recorder = [self._recorder] if self._recorder.run else []
        decider = [self._decider] if self._decider.run and self._ready else []
        return [*self._workers, *recorder, *decider]

    def _tick(self) -> None:
        """What is due: restarts, the door, a reload that was asked for, the end."""
        now_s = time.monotonic()
        if self._stopping_until is None:
            for child in self._children():
                if not child.pid and now_s >= child.due_s:
                    self._start_again(child)
            self._end_hung(now_s)
            if self._ready:
                self._reloading.step(self._private)
            self._decider.send()
            self._open_door(self._handoff.can_take and now_s >= self._accept_from_s)
            if self._handoff.holds_one:
                self._on_connection(self._listening[0])
        else:
            self._stop_step(now_s)

    # --- children --------------------------------------------------------------------------

    def _start_again(self, child: Child) -> None:
        """A machine without room for another process now may have it later."""
        try:
            if isinstance(child, RecorderProcess | DeciderProcess):
                child.start(self._private)
            else:
                self._start_worker(self._workers.index(child))
        except OSError as error:
            child.died(now_s=time.monotonic())
            self._log("not_started", process=child.name, why=str(error))

    def _end_hung(self, now_s: float) -> None:
        """Kills workers that hang; each is then started again as one that died."""
        for index, silent_s in self._heartbeats.hung(self._parts.beat_of, now_s=now_s):
            child = self._workers[index]
            if child.pid:
                self._log("hung", process=child.name, silent_s=round(silent_s, 1))
                os.kill(child.pid, signal.SIGKILL)

    def _start_worker(self, index: int) -> None:
        path = self._published.path()
        incarnation = self._workers[index].starts
        ours, its = socket.socketpair(socket.AF_UNIX, channel_kind())
        with its, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            pid = fork(
                lambda: self._parts.run_worker(index, incarnation, its, self._closed, path),
                close=[*self._private(), ours],
            )
            undo.pop_all()
        ours.setblocking(False)
        self._channels[index] = ours
        self._selector.register(ours, selectors.EVENT_READ, partial(self._on_message, index))
        self._workers[index].started(pid, now_s=time.monotonic())
        self._heartbeats.started(index, self._parts.beat_of(index))

    def _private(self) -> list[socket.socket | int]:
        """Descriptors that no child may keep."""
        held: list[socket.socket | int] = [*self._listening, *self._own, *self._channels.values()]
        if self._recorder.pipe >= 0:
            held.append(self._recorder.pipe)
        if self._decider.channel is not None:
            held.append(self._decider.channel)
        if isinstance(self._selector, selectors.EpollSelector):
            held.append(self._selector.fileno())
        return held

    def _on_signals(self, woken: Any) -> None:
        for number in woken.recv(4096):
            if number in (signal.SIGTERM, signal.SIGINT):
                if self._stopping_until is None:
                    self._stop()
                else:
                    self._log("stopping_now")
                    self._kill_all()
                    self._decider.kill()
            elif number == signal.SIGHUP:
                self._reloading.asked = True
        for pid, code in reap():
            self._on_death(pid, code)

    def _on_death(self, pid: int, code: int) -> None:
        if self._reloading.died(pid):
            return
        child = next((child for child in self._children() if child.pid == pid), None)
        if child is None:
            return
        now_s = time.monotonic()
        if child is self._decider:
            self._decider.gone(now_s=now_s)
            self._directions.asker_gone()
        else:
            child.died(now_s=now_s)
        if child in self._workers:
            self._drop_channel(self._workers.index(child))
        if self._stopping_until is not None:
            return
        if not self._ready and child is not self._recorder:
            self._fail(PilotageError(f"{child.name} ended with code {code} before it served"))
            return
        self._log("process_died", process=child.name, code=code, restart_in_s=child.restarts.wait_s)
        if child in self._workers:
            self._decider.tell(WorkerDied(self._workers.index(child), code))

    def _drop_channel(self, index: int) -> None:
        self._handoff.close_worker(index)
        self._directions.ended(index)
        channel = self._channels.pop(index, None)
        if channel is not None:
            self._selector.unregister(channel)
            channel.close()

    # --- messages --------------------------------------------------------------------------

    def _on_message(self, index: int, channel: Any) -> None:
        if self._channels.get(index) is not channel:
            return  # its worker was reaped in this very turn of the loop
        try:
            data = channel.recv(messages.MESSAGE_BYTES)
        except (BlockingIOError, ConnectionResetError):
            return
        if not data:
            self._drop_channel(index)
            return
        message: messages.FromWorker = messages.decode_from_worker(data)
        match message:
            case messages.Serving(revision=revision):
                child = self._workers[index]
                self._log("serving", process=child.name, pid=child.pid, revision=revision)
                self._handoff.open_worker(index, channel)
                if not self._ready and self._stopping_until is None:
                    self._ready = True
                    self._decider.due_s = time.monotonic() + START_S
                    self._parts.on_ready()
                self._directions.serving(index, revision)
            case messages.Declined(revision=revision, why=why):
                self._log("declined", process=f"worker {index}", revision=revision, why=why)
                if not self._ready:
                    self._fail(PilotageError(why, fix="Mend the model file, then start again."))
                elif self._handoff.serves(index):
                    self._directions.declined(index, revision, why)
                elif self._workers[index].restarts.deaths >= TRIED_STARTS:
                    # A snapshot that a worker cannot start with must not keep the service down.
                    self._directions.cannot_start(revision, why)

    def _on_ask(self, ask: Ask) -> None:
        """The decider asks for something; nothing is changed any more once the end has begun."""
        if self._stopping_until is not None:
            return
        match ask:
            case Direction():
                self._directions.direct(ask)
            case Seal():
                self._recorder.seal()

    def _announce(self, reloaded: bool) -> None:
        """Tells the workers of the current snapshot."""
        try:
            path = self._published.path()
        except OSError as error:  # swept away just now, and cannot be written again
            self._log("not_announced", why=str(error))
            return
        revision = self._published.current.revision
        self._tell_workers(messages.Publish(revision, path, renews_tls=reloaded))

    def _tell_workers(self, message: messages.ToWorker) -> None:
        data = messages.encode(message)
        for index, channel in list(self._channels.items()):
            try:
                channel.settimeout(TELL_S)
                channel.sendall(data)
            except OSError:  # gone, or stuck: the channel's end tells it all that it needs
                self._drop_channel(index)
            else:
                channel.setblocking(False)

    # --- connections -----------------------------------------------------------------------

    def _open_door(self, wanted: bool) -> None:
        if wanted == self._accepting:
            return
        self._accepting = wanted
        for listening in self._listening:
            if wanted:
                self._selector.register(listening, selectors.EVENT_READ, self._on_connection)
            else:
                self._selector.unregister(listening)

    def _on_connection(self, listening: Any) -> None:
        if self._accepting and not self._handoff.accept_from(listening):
            self._accept_from_s = time.monotonic() + ACCEPT_PAUSE_S
            self._open_door(False)

    # --- the end ---------------------------------------------------------------------------

    def _fail(self, error: PilotageError) -> None:
        if self._failure is None:
            self._failure = error
            self._stop()

    def _stop(self) -> None:
        """No new connections; workers answer what they have; then the recorder may end."""
        drain_s = self._parts.drain_s if self._ready else 0.0
        self._log("stopping", drain_s=drain_s)
        self._stopping_until = time.monotonic() + drain_s + STOP_PATIENCE_S
        self._open_door(False)
        for listening in self._listening:
            listening.close()
        self._tell_workers(messages.Drain(drain_s))

    def _stop_step(self, now_s: float) -> None:
        if not any(child.pid for child in self._workers):
            self._recorder.end()
            self._decider.end(now_s=now_s)
        if self._stopping_until is not None and now_s > self._stopping_until:
            self._log("killed", reason="the drain time is over")
            self._kill_all()

    def _ended(self) -> bool:
        if self._stopping_until is None:
            return False
        return not any(child.pid for child in self._children())

    def _kill_all(self) -> None:
        """Ends what still runs. The recorder is left to take what the rings hold, and ends then;
        the decider has its own time to close."""
        for child in self._workers:
            if child.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
        self._reloading.kill()
        self._recorder.end()


def _noted(number: int, frame: object) -> None:
    """Signals are read from the wake-up socket; a handler must exist all the same."""
    del number, frame
