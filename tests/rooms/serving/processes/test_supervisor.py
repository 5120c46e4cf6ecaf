"""The supervisor's order of events, with workers that do nothing but say that they serve."""

import array
import fcntl
import mmap
import os
import shutil
import signal
import socket
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pilotage.contracts.snapshot import FORMAT, Snapshot
from pilotage.serving.processes import handoff, messages, reloading, supervisor
from pilotage.serving.processes.hangups import hold_hangups
from pilotage.serving.processes.parts import Parts
from pilotage.serving.processes.supervisor import Supervisor

WORKERS = 12
PATIENCE_S = 20.0
STUCK = 71
ROUNDS = 15
EMPTY = Snapshot(FORMAT, 1, 0.0, (), ())


def serve_until_told(index: int, starts: int, channel: socket.socket, *_: object) -> int:
    """A worker: it serves, and ends when it is told to."""
    del index, starts
    channel.send(messages.encode(messages.Serving(1)))
    while not isinstance(messages.decode_to_worker(channel.recv(65536)), messages.Drain):
        continue
    return 0


def never_serves(index: int, starts: int, channel: socket.socket, *_: object) -> int:
    """A worker that says that it serves only when it is told to end."""
    del index, starts
    channel.recv(65536)
    channel.send(messages.encode(messages.Serving(1)))
    return 0


def supervise(
    run_worker: Callable[..., int],
    on_ready: Callable[[], None],
    *,
    workers: int = WORKERS,
    drain_s: float = 5.0,
    listen: Callable[[], list[socket.socket]] = lambda: handoff.bind("127.0.0.1", 0),
    beat_of: Callable[[int], int] = lambda _: 0,
    compose: Callable[[int], Snapshot] = lambda revision: Snapshot(FORMAT, revision, 0.0, (), ()),
    run_decider: Callable[[socket.socket], int] | None = None,
    first: Snapshot = EMPTY,
) -> int:
    """The exit code of a supervisor in a process of its own; 70 when it raised."""
    pid = os.fork()
    if not pid:
        code = 70
        try:
            listening = listen()

            def ready() -> None:
                assert handoff.addresses(listening)
                on_ready()

            parts = Parts(
                workers=workers,
                connections=10_000,
                drain_s=drain_s,
                run_worker=run_worker,
                run_recorder=None,
                compose=compose,
                changed=None,
                on_ready=ready,
                beat_of=beat_of,
                log=lambda *_, **__: None,
                run_decider=run_decider,
            )
            code = Supervisor(parts, listening, first).run()
        finally:
            os._exit(code)
    until_s = time.monotonic() + PATIENCE_S
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until_s:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return STUCK
        time.sleep(0.01)


def terminate_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_workers_that_end_all_at_once_end_in_order() -> None:
    """A worker's end is seen twice, on its channel and by SIGCHLD, often in one turn."""
    codes = [supervise(serve_until_told, terminate_self) for _ in range(ROUNDS)]
    assert codes == [0] * ROUNDS


def test_a_worker_that_serves_too_late_opens_nothing() -> None:
    def end_soon(index: int, *rest: Any) -> int:
        if index == 0:
            os.kill(os.getppid(), signal.SIGTERM)
        return never_serves(index, *rest)

    assert supervise(end_soon, lambda: pytest.fail("it is ending")) == 0


def nothing() -> None:
    return None


def next_message(channel: socket.socket) -> messages.ToWorker:
    message: messages.ToWorker = messages.decode_to_worker(channel.recv(65536))
    return message


def fill(channel: socket.socket, port: int) -> list[socket.socket]:
    """Connects one by one until the last one does not arrive in the channel, which nobody reads."""
    clients: list[socket.socket] = []
    while True:
        before = waiting_bytes(channel)
        clients.append(socket.create_connection(("127.0.0.1", port)))
        until_s = time.monotonic() + 0.3
        while waiting_bytes(channel) == before:
            if time.monotonic() > until_s:
                return clients


def waiting_bytes(channel: socket.socket) -> int:
    found = array.array("i", [0])
    fcntl.ioctl(channel, termios.FIONREAD, found)
    return found[0]


def test_the_last_connection_that_found_a_full_channel_is_handed_over_later() -> None:
    (listening,) = handoff.bind("127.0.0.1", 0)
    port = listening.getsockname()[1]

    def work(index: int, starts: int, channel: socket.socket, *_: object) -> int:
        del index
        if starts:  # the first one waited in vain
            os.kill(os.getppid(), signal.SIGKILL)
        channel.send(messages.encode(messages.Serving(1)))
        clients = fill(channel, port)
        channel.settimeout(3)
        taken: list[int] = []
        while len(taken) < len(clients):
            taken += socket.recv_fds(channel, messages.MESSAGE_BYTES, 1)[1]
        os.kill(os.getppid(), signal.SIGTERM)
        while not isinstance(next_message(channel), messages.Drain):
            continue
        return 0

    with listening:
        assert supervise(work, nothing, workers=1, listen=lambda: [listening]) == 0


def test_a_worker_that_reads_nothing_cannot_keep_the_server_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "STOP_PATIENCE_S", 0.2)
    (listening,) = handoff.bind("127.0.0.1", 0)
    port = listening.getsockname()[1]

    def work(index: int, starts: int, channel: socket.socket, *_: object) -> int:
        del index, starts
        channel.send(messages.encode(messages.Serving(1)))
        clients = fill(channel, port)
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(60)
        return len(clients)

    with listening:
        assert supervise(work, nothing, workers=1, drain_s=0.0, listen=lambda: [listening]) == 0


def test_a_machine_without_room_for_a_process_gets_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forked: list[int] = []

    def fork(run: Callable[[], int], *, close: object = ()) -> int:
        forked.append(0)
        if len(forked) in (2, 3):
            raise BlockingIOError("no room for another process")
        return real(run, close=close)  # pyright: ignore[reportArgumentType]

    real = supervisor.fork
    monkeypatch.setattr(supervisor, "fork", fork)

    def work(index: int, starts: int, channel: socket.socket, *rest: object) -> int:
        if starts:
            os.kill(os.getppid(), signal.SIGTERM)
            return serve_until_told(index, starts, channel, *rest)
        channel.send(messages.encode(messages.Serving(1)))
        return 3

    assert supervise(work, nothing, workers=1) == 0


def test_the_folder_of_snapshots_may_be_swept_away() -> None:
    def work(index: int, starts: int, channel: socket.socket, _: object, path: str) -> int:
        if not Path(path).exists():
            return 3
        channel.send(messages.encode(messages.Serving(1)))
        if not starts:
            shutil.rmtree(Path(path).parent)
            return 3
        shutil.rmtree(Path(path).parent)
        os.kill(os.getppid(), signal.SIGHUP)
        publish = next_message(channel)
        assert isinstance(publish, messages.Publish)
        assert Path(publish.path).exists()
        os.kill(os.getppid(), signal.SIGTERM)
        return serve_until_told(index, starts, channel)

    assert supervise(work, nothing, workers=1) == 0


def test_a_snapshot_that_no_worker_can_start_with_gives_way_to_the_one_before() -> None:
    def work(index: int, starts: int, channel: socket.socket, _: object, path: str) -> int:
        if not starts:
            channel.send(messages.encode(messages.Serving(1)))
            os.kill(os.getppid(), signal.SIGHUP)
            next_message(channel)
            return 3
        if path.endswith("snapshot-2"):
            channel.send(messages.encode(messages.Declined(2, "not here")))
            return 1
        channel.send(messages.encode(messages.Serving(1)))
        os.kill(os.getppid(), signal.SIGHUP)
        publish = next_message(channel)
        assert isinstance(publish, messages.Publish)
        assert publish.revision == 4, "a revision is never used twice"
        os.kill(os.getppid(), signal.SIGTERM)
        return serve_until_told(index, starts, channel)

    assert supervise(work, nothing, workers=1) == 0


def hang() -> int:
    while True:
        time.sleep(60)


@pytest.mark.parametrize("beats", [True, False])
def test_a_worker_that_hangs_is_killed_and_started_again(
    monkeypatch: pytest.MonkeyPatch, beats: bool
) -> None:
    monkeypatch.setattr(supervisor, "HUNG_S", 1.5)
    beat = mmap.mmap(-1, 1)

    def work(index: int, starts: int, channel: socket.socket, *rest: object) -> int:
        if starts:
            os.kill(os.getppid(), signal.SIGTERM)
            return serve_until_told(index, starts, channel, *rest)
        channel.send(messages.encode(messages.Serving(1)))
        for number in range(1, 100):
            beat[0] = number if beats or number < 3 else 2
            time.sleep(0.05)
        return 0 if beats else hang()

    started_s = time.monotonic()
    assert supervise(work, nothing, workers=1, beat_of=lambda _: beat[0]) == 0
    lived_s = time.monotonic() - started_s
    assert (lived_s > 4.5) is beats, "one that beats lives until its end"


def test_a_composition_that_hangs_is_given_up_and_the_next_one_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reloading, "COMPOSE_S", 0.5)
    hung = mmap.mmap(-1, 1)

    def compose(revision: int) -> Snapshot:
        if not hung[0]:
            hung[0] = 1
            os.kill(os.getppid(), signal.SIGHUP)
            hang()
        return Snapshot(FORMAT, revision, 0.0, (), ())

    def work(index: int, starts: int, channel: socket.socket, *rest: object) -> int:
        channel.send(messages.encode(messages.Serving(1)))
        os.kill(os.getppid(), signal.SIGHUP)
        assert isinstance(next_message(channel), messages.Publish)
        os.kill(os.getppid(), signal.SIGTERM)
        return serve_until_told(index, starts, channel, *rest)

    assert supervise(work, nothing, workers=1, compose=compose) == 0


def test_a_hang_up_that_came_before_is_a_reload_and_no_end() -> None:
    def work(index: int, starts: int, channel: socket.socket, *rest: object) -> int:
        channel.send(messages.encode(messages.Serving(1)))
        assert isinstance(next_message(channel), messages.Publish)
        os.kill(os.getppid(), signal.SIGTERM)
        return serve_until_told(index, starts, channel, *rest)

    def listen() -> list[socket.socket]:
        hold_hangups()
        os.kill(os.getpid(), signal.SIGHUP)
        return handoff.bind("127.0.0.1", 0)

    assert supervise(work, nothing, workers=1, listen=listen) == 0
