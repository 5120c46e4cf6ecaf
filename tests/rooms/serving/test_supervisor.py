"""The supervisor's order of events, with workers that do nothing but say that they serve."""

import os
import signal
import socket
from collections.abc import Callable

import pytest

from pilotage.contracts.snapshot import FORMAT, Snapshot
from pilotage.serving import handoff, messages
from pilotage.serving.supervisor import Parts, Supervisor

WORKERS = 12
ROUNDS = 15


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


def supervise(run_worker: Callable[..., int], on_ready: Callable[[], None]) -> int:
    """The exit code of a supervisor in a process of its own; 70 when it raised."""
    pid = os.fork()
    if not pid:
        code = 70
        try:
            listening = handoff.bind("127.0.0.1", 0)

            def ready() -> None:
                assert handoff.addresses(listening)
                on_ready()

            parts = Parts(
                workers=WORKERS,
                connections=10,
                drain_s=5.0,
                run_worker=run_worker,
                run_recorder=None,
                compose=lambda _: Snapshot(FORMAT, 2, 0.0, (), ()),
                changed=None,
                on_ready=ready,
                log=lambda *_, **__: None,
            )
            code = Supervisor(parts, listening, Snapshot(FORMAT, 1, 0.0, (), ())).run()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def terminate_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_workers_that_end_all_at_once_end_in_order() -> None:
    """A worker's end is seen twice, on its channel and by SIGCHLD, often in one turn."""
    codes = [supervise(serve_until_told, terminate_self) for _ in range(ROUNDS)]
    assert codes == [0] * ROUNDS


def test_a_worker_that_serves_too_late_opens_nothing() -> None:
    def end_soon(index: int, *rest: object) -> int:
        if index == 0:
            os.kill(os.getppid(), signal.SIGTERM)
        return never_serves(index, *rest)

    assert supervise(end_soon, lambda: pytest.fail("it is ending")) == 0
