"""Another snapshot under load: no request fails, and what cannot be served changes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import models
from servers import Server, infer_body, outputs_of, serving, until
from simulators.steady_load import load

PATH = "/v2/models/tripled/infer"
BODY = infer_body({"x": np.ones((1, 4), np.float32)})
SWAPS = 6
GROWTH_BYTES = 24 * 2**20


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("swaps")
    with serving(folder, {"tripled": models.tripled(3.0)}, "--workers", "2") as server:
        for worker in range(2):
            server.event("serving", process=f"worker {worker}")
        yield server


def test_swaps_under_load_fail_no_request_and_memory_stays(server: Server) -> None:
    memory_bytes = 0
    with load(server, PATH, BODY) as replies:
        for number in range(SWAPS):
            server.put_model("tripled", models.tripled(10.0 + number))
            revision = server.reload()
            after = server.call("POST", PATH, BODY)
            assert outputs_of(after) == {"y": [[10.0 + number] * 4]}
            assert server.record_of(after.prediction_id).revision == revision
            if number == 1:
                memory_bytes = server.memory_bytes()
    assert {reply.status for reply in replies} == {200}
    answers = {outputs_of(reply)["y"][0][0] for reply in replies}
    assert answers <= {3.0, *(10.0 + number for number in range(SWAPS))}
    assert len(answers) > 1
    assert server.metric("pilotage_snapshot_revision") == SWAPS + 1
    assert server.memory_bytes() - memory_bytes < GROWTH_BYTES


def test_a_file_that_cannot_be_served_is_refused_and_the_last_one_goes_on(server: Server) -> None:
    (server.folder / "tripled.onnx").write_bytes(b"this is no model")
    with load(server, PATH, BODY) as replies:
        server.process.send_signal(1)
        refused = server.event("reload_refused")
    assert refused["serving"] == 1
    assert "recognised" in str(refused["why"]) or "model" in str(refused["why"])
    assert {reply.status for reply in replies} == {200}
    assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[3.0] * 4]}
    server.put_model("tripled", models.tripled(5.0))
    server.reload()
    assert outputs_of(server.call("POST", PATH, BODY)) == {"y": [[5.0] * 4]}


def test_the_version_is_told_and_may_be_named(server: Server) -> None:
    old = server.call("GET", "/v2/models/tripled").json["versions"][0]
    server.put_model("tripled", models.tripled(7.0))
    server.reload()
    (new,) = server.call("GET", "/v2/models/tripled").json["versions"]
    assert new != old
    named = server.call("POST", f"/v2/models/tripled/versions/{new}/infer", BODY)
    assert json.loads(named.body)["model_version"] == new
    assert server.call("POST", f"/v2/models/tripled/versions/{old}/infer", BODY).status == 404


def test_requests_under_way_are_answered_before_the_end(server: Server) -> None:
    with load(server, PATH, BODY) as replies:
        until(lambda: len(replies) >= 50)
        with server.caller() as caller:
            assert caller.call("POST", PATH, BODY).status == 200
            server.process.send_signal(15)
            while True:
                last = caller.call("POST", PATH, BODY)
                assert last.status == 200
                if last.headers.get("connection") == "close":
                    break
        assert server.process.wait(30) == 0
    assert {reply.status for reply in replies} == {200}


def test_a_hang_up_while_models_are_opened_is_a_reload_later(tmp_path: Path) -> None:
    with serving(tmp_path, {"mlp": models.mlp()}, engines="early_hangup") as server:
        server.event("serving", revision=2)
