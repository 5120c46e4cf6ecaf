"""Workers: connections are spread, a dead one is started again, the others go on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import models
from servers import Caller, Server, infer_body, serving, until
from simulators.raw import Raw

PATH = "/v2/models/mlp/infer"
BODY = infer_body({"x": np.ones((1, 30), np.float32)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("processes"), {"mlp": models.mlp()}, "--workers", "2"
    ) as server:
        for worker in range(2):
            server.event("serving", process=f"worker {worker}")
        yield server


def sockets_of(pid: int) -> int:
    """Connections to callers that a process holds."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    inodes = {line.split()[9] for line in table}
    held = 0
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except FileNotFoundError:
            continue
        held += target.startswith("socket:[") and target[8:-1] in inodes
    return held


def test_connections_are_spread_evenly_over_the_workers(server: Server) -> None:
    held = [Raw(server.port) for _ in range(20)]
    try:
        until(lambda: sum(map(sockets_of, server.workers)) == 20)
        # One that was let go a moment before may not be counted yet.
        assert min(map(sockets_of, server.workers)) >= 9
    finally:
        for raw in held:
            raw.close()
    until(lambda: sum(map(sockets_of, server.workers)) == 0)


def test_a_killed_worker_is_started_again_and_the_other_one_goes_on(server: Server) -> None:
    callers: list[Caller] = [server.caller() for _ in range(4)]
    for caller in callers:
        assert caller.call("POST", PATH, BODY).status == 200
    victim, other = server.workers
    os.kill(victim, signal.SIGKILL)
    died = server.event("process_died")
    assert died["code"] == -signal.SIGKILL
    outcomes: list[bool] = []
    for caller in callers:
        try:
            outcomes.append(caller.call("POST", PATH, BODY).status == 200)
        except OSError:
            outcomes.append(False)
    assert sorted(outcomes) == [False, False, True, True]
    until(lambda: len(server.workers) == 2 and victim not in server.workers)
    assert other in server.workers
    until(lambda: server.call("POST", PATH, BODY).status == 200)


def test_nothing_counts_backwards_when_a_worker_dies(server: Server) -> None:
    for _ in range(20):
        assert server.call("POST", PATH, BODY).status == 200
    until(lambda: server.metric("pilotage_workers") == 2)
    before = server.metric("pilotage_requests_total", status="ok")
    os.kill(server.workers[0], signal.SIGKILL)
    server.event("process_died", after=1)
    until(lambda: len(server.workers) == 2)
    # What a worker counted since its last tick, at most a second, dies with it.
    assert server.metric("pilotage_requests_total", status="ok") >= before - 20
    for _ in range(5):
        assert server.call("POST", PATH, BODY).status == 200
