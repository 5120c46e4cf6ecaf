"""Traffic directed while the server runs: no request fails, and soon none goes the old way."""

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import models
from pilotage.contracts import records, segments
from pilotage.contracts.directing import Directed, Direction, NotDirected, Seal, WorkerDied
from pilotage.contracts.snapshot import PPM, Route, Trial
from pilotage.records.store import Query
from servers import Reply, Server, infer_body, outputs_of, serving, until
from simulators.relayed_decider import Decider, relayed
from simulators.steady_load import load

PATH = "/v2/models/old/infer"
BODY = infer_body({"x": np.ones((1, 4), np.float32)})
WITHIN_S = 1.0
"""From a decision to the last new request for the candidate, in seconds."""
DIRECTIONS = 4
SEALS = 3


@contextmanager
def decided(folder: Path, *options: str) -> Generator[tuple[Server, Decider]]:
    """A server of `old` and `new` with two workers, whose decider is the test."""
    files = {"old": models.tripled(3.0), "new": models.tripled(5.0)}
    with tempfile.TemporaryDirectory(prefix="d") as place:
        environment = relayed(Path(place))
        options = ("--workers", "2", *options)
        with serving(
            folder, files, *options, engines="relayed_decider", environment=environment
        ) as server:
            for worker in range(2):
                server.event("serving", process=f"worker {worker}")
            yield server, Decider(Path(place))


def version_of(server: Server, model: str) -> str:
    """The version that the endpoint was started with."""
    return str(server.call("GET", f"/v2/models/{model}").json["versions"][0])


def to(number: int, server: Server, candidate_percent: int) -> Direction:
    """So much of `old`'s traffic goes to `new`'s version."""
    old, new = VERSIONS.setdefault(
        server.url, (version_of(server, "old"), version_of(server, "new"))
    )
    if not candidate_percent:
        return Direction(number, "old", (Route(old),))
    share = candidate_percent * PPM // 100
    stage = f"canary {candidate_percent} %"
    routes = (Route(old, PPM - share), Route(new, share, "candidate", "r1", stage))
    return Direction(number, "old", routes, trial=Trial(new, "r1", stage))


VERSIONS: dict[str, tuple[str, str]] = {}


def test_under_a_second_after_a_decision_no_new_request_goes_to_the_candidate(
    tmp_path: Path,
) -> None:
    spans_ns: list[tuple[int, int]] = []
    answered_s: list[float] = []
    with decided(tmp_path / "server") as (server, decider):
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
    with decided(tmp_path / "server") as (server, decider):
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
    with decided(tmp_path / "server") as (server, decider):
        decider.ask(to(1, server, 100))
        assert decider.hear() == Directed(1, 2)
        os.kill(server.workers[0], signal.SIGKILL)
        assert decider.hear() == WorkerDied(0, -signal.SIGKILL)
        server.event("serving", process="worker 0", revision=2)
        assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[5.0] * 4]}


def test_a_seal_ends_the_open_segment_and_loses_nothing(tmp_path: Path) -> None:
    sealed_s: list[float] = []
    with decided(tmp_path / "server") as (server, decider):
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
                ids = _ids_in(sorted(folder.glob("*.seg")))
                assert {reply.prediction_id for reply in replies[:before]} <= ids.keys()
                assert segments.read_seal(newest.read_bytes()[-4096:]) is not None
        answered = Counter(reply.prediction_id for reply in replies)
        decider.ask(Seal())
        until(lambda: _ids_in(sorted(folder.glob("*.seg"))) == answered)
        decider.ask(Seal())  # nothing is open, and nothing is made
    print(f"sealed after {sealed_s} s")
    assert max(sealed_s) < WITHIN_S
    assert _ids_in(sorted(folder.glob("*.seg"))) == answered


def _ids_in(paths: list[Path]) -> Counter[bytes]:
    """How often each prediction is in these segments, none of which is damaged."""
    found: Counter[bytes] = Counter()
    for path in paths:
        for frame in segments.read(path.read_bytes()):
            assert isinstance(frame, segments.Frame)
            if frame.kind == segments.BLOCK:
                found.update(entry.id for entry in records.decode_block(frame.payload).entries)
    return found
