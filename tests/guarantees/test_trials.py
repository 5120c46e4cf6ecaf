"""A candidate in shadow on a running server: whatever it does, callers get the baseline's answers
as if it were not there, and every copy is a pair in the record or counted as dropped."""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import models
from pilotage.contracts import records, segments
from pilotage.contracts.records import Probe, Record
from pilotage.records.store import Query
from servers import Server, infer_body, outputs_of, serving, until
from simulators.tried_engines import BASELINE, CANDIDATE, HANGS_S, QUEUE

PATH = "/v2/models/tried/infer"
CALLS = 40
COPIES = "pilotage_shadow_copies_total"


@contextmanager
def trying(folder: Path, manner: str) -> Generator[Server]:
    with serving(
        folder,
        {"other": models.mlp()},
        engines="tried_engines",
        environment={"TRIED": manner},
    ) as server:
        yield server


def ask(server: Server, values: list[float]) -> dict[bytes, float]:
    """One request a value, one after the other; each must get the baseline's answer."""
    asked: dict[bytes, float] = {}
    with server.caller() as caller:
        for value in values:
            reply = caller.call("POST", PATH, infer_body({"x": np.array([[value]], np.float32)}))
            assert outputs_of(reply) == {"y": [[2 * value]]}
            assert reply.json["model_version"] == BASELINE
            asked[reply.prediction_id] = value
    return asked


def ended(server: Server) -> dict[str, float]:
    """How the copies ended so far."""
    names = ("answered", "failed", "dropped")
    return {name: server.metric(COPIES, ended=name, version=CANDIDATE) for name in names}


def pairs(server: Server) -> list[Record]:
    """What the candidate answered, each with the id of its pair."""
    return [each for each in server.store().records(Query()) if each.pair_id]


def all_ended(server: Server, count: int) -> None:
    until(lambda: sum(ended(server).values()) == count, "the end of every copy")


def test_every_answer_has_its_copy_in_the_record_as_a_pair(tmp_path: Path) -> None:
    with trying(tmp_path, "equal") as server:
        asked = ask(server, [float(number) for number in range(1, CALLS + 1)])
        all_ended(server, CALLS)
        assert ended(server)["failed"] == 0
        answered = int(ended(server)["answered"])
        found = until(lambda: pairs(server) if len(pairs(server)) == answered else [])
        assert {each.pair_id for each in found} <= set(asked)
        for each in found:
            assert (each.version, each.arm, each.propensity_ppm) == (CANDIDATE, "candidate", 10**6)
            assert (each.rollout, each.stage) == ("r1", "shadow")
            assert (each.status, each.pair_status, each.comparison) == ("ok", "ok", (True, 0.0))
            assert each.unit == server.record_of(each.pair_id).unit
        until(lambda: server.metric("pilotage_probes_total", ended="timed") > 0)
        timed = until(lambda: probes(server))
        assert {(each.baseline, each.candidate) for each in timed} == {(BASELINE, CANDIDATE)}
        named = server.call("POST", f"/v2/models/tried/versions/{CANDIDATE}/infer", b"{}")
        assert named.status == 404
        assert server.call("GET", "/v2/models/tried").json["versions"] == [BASELINE]


def probes(server: Server) -> list[Probe]:
    """The timing probes in the record."""
    folder = server.records_folder
    parts = [
        part
        for path in [*folder.glob("*.seg"), *folder.glob("*.open")]
        for part in segments.read(path.read_bytes())
    ]
    frames = [part for part in parts if isinstance(part, segments.Frame)]
    return [records.decode_probe(frame.payload) for frame in frames if frame.kind == segments.PROBE]


def test_a_candidate_that_fails_fails_nobody_else(tmp_path: Path) -> None:
    with trying(tmp_path, "failing") as server:
        asked = ask(server, [-1.0, 1.0] * (CALLS // 2))
        all_ended(server, CALLS)
        found = until(lambda: [each for each in pairs(server) if each.status != "ok"])
        assert {each.status for each in pairs(server)} == {"ok", "engine_error"}
        assert {asked[each.pair_id] for each in found} == {-1.0}
        assert {each.pair_status for each in found} == {"ok"}
        assert {each.comparison for each in found} == {None}
        failed = server.metric("pilotage_requests_total", endpoint="tried", status="engine_error")
        assert failed == 0


def test_a_candidate_of_another_shape_is_unlike_and_unseen(tmp_path: Path) -> None:
    with trying(tmp_path, "reshaping") as server:
        ask(server, [1.0] * CALLS)
        all_ended(server, CALLS)
        found = until(lambda: pairs(server))
        assert {each.comparison for each in found} == {(False, math.inf)}


def test_a_candidate_that_hangs_holds_nobody_up_and_its_copies_are_dropped(tmp_path: Path) -> None:
    with trying(tmp_path, "hanging") as server:
        ask(server, [1.0])
        began = time.monotonic()
        count = 2 * QUEUE
        ask(server, [1.0] * count)
        assert time.monotonic() - began < HANGS_S
        dropped = ended(server)["dropped"]
        assert count - QUEUE <= dropped <= count - QUEUE + 1
        until(lambda: ended(server)["answered"] > 0)
        assert server.call("GET", "/v2/health/ready").status == 200
