"""Traffic directed while the server runs: no request fails, and soon none goes the old way."""

import os
import signal
import ssl
import time
from collections import Counter
from pathlib import Path

import models
from guarantees.test_access import Authority
from pilotage.contracts import segments
from pilotage.contracts.directing import Directed, Direction, NotDirected, Seal, WorkerDied
from pilotage.contracts.snapshot import Route
from pilotage.records.store import Query
from servers import Caller, Reply, Server, outputs_of, until
from simulators.directed_server import BODY, PATH, decided, ids_in, to
from simulators.steady_load import load

WITHIN_S = 1.0
"""From a decision to the last new request for the candidate, in seconds."""
DIRECTIONS = 4
SEALS = 3


def test_under_a_second_after_a_decision_no_new_request_goes_to_the_candidate(
    tmp_path: Path,
) -> None:
    spans_ns: list[tuple[int, int]] = []
    answered_s: list[float] = []
    with decided(tmp_path / "server") as (server, decider, _):
        new = to(0, server, 50).routes[1].version
        with load(server, PATH, BODY, callers=2) as replies:
            for number in range(0, 2 * DIRECTIONS, 2):
                decider.ask(to(number, server, 50))
                assert decider.hear() == Directed(number, 2 + number)
                _wait_for(replies, {3.0, 5.0})
                decided_ns = time.time_ns()
                decider.ask(to(number + 1, server, 0))
                assert decider.hear() == Directed(number + 1, 3 + number)
                answered_s.append((time.time_ns() - decided_ns) / 1e9)
                _wait_for(replies, {3.0})
                spans_ns.append((decided_ns, time.time_ns()))
        late_s = [_last_ns(server, new, *span_ns) / 1e9 for span_ns in spans_ns]
    print(f"last new request after {late_s} s; answered after {answered_s} s")
    assert {reply.status for reply in replies} == {200}
    assert max(late_s) < WITHIN_S
    assert max(answered_s) < WITHIN_S


def _wait_for(replies: list[Reply], answers: set[float]) -> None:
    """Until the last replies are these answers and no others."""
    heard = len(replies)
    until(lambda: _answers(replies[max(heard, len(replies) - 40) :]) == answers)
    assert replies[heard:]


def _answers(replies: list[Reply]) -> set[float]:
    return {outputs_of(reply)["y"][0][0] for reply in replies}


def _last_ns(server: Server, version: str, decided_ns: int, until_ns: int) -> int:
    """How long after a decision the version got its last request; 0 where it got none."""
    late = [
        record.received_ns - decided_ns
        for record in server.store().records(Query())
        if record.version == version and decided_ns <= record.received_ns < until_ns
    ]
    return max(late, default=0)


def test_a_reload_keeps_the_direction_as_long_as_it_has_both_versions(tmp_path: Path) -> None:
    with decided(tmp_path / "server") as (server, decider, _):
        decider.ask(to(1, server, 100))
        assert decider.hear() == Directed(1, 2)
        assert server.reload() == 3
        assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[5.0] * 4]}
        decider.ask(to(2, server, 100))
        assert decider.hear() == Directed(2, 3)
        server.put_model("new", models.tripled(7.0))
        server.reload()
        told = decider.hear()
        assert isinstance(told, NotDirected)
        assert told.number == 2
        assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[3.0] * 4]}
        assert server.event("direction_dropped")["endpoint"] == "old"


def test_a_worker_that_dies_is_told_and_starts_under_the_direction(tmp_path: Path) -> None:
    with decided(tmp_path / "server") as (server, decider, _):
        decider.ask(to(1, server, 100))
        assert decider.hear() == Directed(1, 2)
        os.kill(server.workers[0], signal.SIGKILL)
        assert decider.hear() == WorkerDied(0, -signal.SIGKILL)
        server.event("serving", process="worker 0", revision=2)
        assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[5.0] * 4]}


def test_a_seal_ends_the_open_segment_and_loses_nothing(tmp_path: Path) -> None:
    sealed_s: list[float] = []
    with decided(tmp_path / "server") as (server, decider, _):
        folder = server.records_folder
        with load(server, PATH, BODY, callers=2) as replies:
            for number in range(SEALS):
                heard = len(replies)
                until(lambda heard=heard: len(replies) > heard + 20)
                before = len(replies)
                started_s = time.monotonic()
                decider.ask(Seal())
                until(lambda number=number: len(list(folder.glob("*.seg"))) > number)
                sealed_s.append(time.monotonic() - started_s)
                newest = max(folder.glob("*.seg"))
                ids = ids_in(folder)
                assert {reply.prediction_id for reply in replies[:before]} <= ids.keys()
                assert segments.read_seal(newest.read_bytes()[-4096:]) is not None
        answered = Counter(reply.prediction_id for reply in replies)
        decider.ask(Seal())
        until(lambda: ids_in(folder) == answered)
        decider.ask(Seal())  # nothing is open, and nothing is made
    print(f"sealed after {sealed_s} s")
    assert max(sealed_s) < WITHIN_S
    assert ids_in(folder) == answered


def test_a_certificate_that_cannot_be_read_any_more_stands_in_no_directions_way(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path, "ours")
    certificate, key = authority.issue("server")
    context = ssl.create_default_context(cafile=authority.pem)
    options = ["--tls-cert", certificate, "--tls-key", key]
    with (
        decided(tmp_path / "server", *options) as (server, decider, _),
        Caller(server.url, tls=context) as caller,
    ):
        old, new = (
            caller.call("GET", f"/v2/models/{name}").json["versions"][0] for name in ("old", "new")
        )
        Path(certificate).write_text("this is no certificate")
        decider.ask(Direction(1, "old", (Route(new),)))
        assert decider.hear() == Directed(1, 2)
        assert outputs_of(caller.call("POST", PATH, BODY)) == {"y": [[5.0] * 4]}
        server.process.send_signal(signal.SIGHUP)
        assert server.event("fell_back")["declined"] == 3
        decider.ask(Direction(2, "old", (Route(old),)))
        told = decider.hear()
        assert isinstance(told, Directed)
        assert outputs_of(caller.call("POST", PATH, BODY)) == {"y": [[3.0] * 4]}
