"""`kill -9` of the decider, the supervisor, and the recorder while it seals, under traffic."""

import http.client
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from pilotage.contracts.directing import Directed, Seal
from servers import Reply, Server, children_of, outputs_of, until
from simulators.directed_server import BODY, PATH, decided, ids_in, to
from simulators.relayed_decider import Decider
from simulators.steady_load import load

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(sys.platform != "linux", reason="children are found through Linux's /proc"),
]
KILLS = 4
SEED = 20_253


def test_a_decider_that_is_killed_under_traffic_costs_no_request(tmp_path: Path) -> None:
    with decided(tmp_path / "server") as (server, decider, place):
        with load(server, PATH, BODY, callers=2) as replies:
            decider.ask(to(1, server, 50))
            assert decider.hear() == Directed(1, 2)
            for number in range(KILLS):
                os.kill(decider.pid, signal.SIGKILL)
                server.event("process_died", process="decider", after=number)
                heard = len(replies)
                until(lambda heard=heard: len(replies) > heard + 20)
                decider = Decider(place, not_pid=decider.pid)
                decider.ask(to(number, server, 50))
                assert decider.hear() == Directed(number, 2), "the last direction is in force"
        assert {reply.status for reply in replies} == {200}
        assert {outputs_of(reply)["y"][0][0] for reply in replies[-200:]} == {3.0, 5.0}
        assert server.count("directing") == 1


def test_a_supervisor_that_is_killed_leaves_no_process_and_no_answer_unrecorded(
    tmp_path: Path,
) -> None:
    with decided(tmp_path / "server") as (server, decider, _):
        decider.ask(to(1, server, 50))
        assert decider.hear() == Directed(1, 2)
        family = children_of(server.process.pid)
        assert decider.pid in family
        replies: list[Reply] = []
        callers = [threading.Thread(target=_ask_on, args=(server, replies)) for _ in range(2)]
        for caller in callers:
            caller.start()
        until(lambda: len(replies) > 50)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        for caller in callers:
            caller.join(30)
        until(lambda: not any(map(_lives, family)), "the end of every process")
        answered = Counter(reply.prediction_id for reply in replies)
        assert {reply.status for reply in replies} == {200}
        assert ids_in(server.records_folder) & answered == answered
        assert max(ids_in(server.records_folder).values()) == 1


def _ask_on(server: Server, replies: list[Reply]) -> None:
    """Asks until the connection ends, which it does between two answers."""
    with server.caller() as caller:
        while True:
            try:
                replies.append(caller.call("POST", PATH, BODY))
            except (OSError, http.client.HTTPException):
                return


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_recorder_that_is_killed_while_it_seals_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    with decided(tmp_path / "server") as (server, decider, _):
        recorder = _recorder_of(server, decider)
        with load(server, PATH, BODY, callers=2) as replies:
            for number in range(KILLS):
                heard = len(replies)
                until(lambda heard=heard: len(replies) > heard + 50)
                decider.ask(Seal())
                time.sleep(chance.random() * 0.01)  # drained, sealed, renamed, or not yet
                os.kill(recorder, signal.SIGKILL)
                server.event("process_died", process="recorder", after=number)
                before = recorder
                recorder = until(lambda before=before: _recorder_of(server, decider, but=before))
        assert {reply.status for reply in replies} == {200}
        assert {reply.headers.get("pilotage-recorded") for reply in replies} == {None}
    assert ids_in(server.records_folder) == Counter(reply.prediction_id for reply in replies)
    assert list(server.records_folder.glob("*.open")) == []


def _recorder_of(server: Server, decider: Decider, *, but: int = 0) -> int:
    """The process id of the recorder; 0 while there is none."""
    others = {*server.workers, decider.pid, but}
    return next((pid for pid in children_of(server.process.pid) if pid not in others), 0)
