"""What was asked and answered is found again under the answer's id, and what is not is marked."""

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest

import models
from pilotage.contracts.records import Payload
from pilotage.records.values import values_of
from servers import (
    Reply,
    Server,
    binary_body,
    binary_outputs_of,
    infer_body,
    outputs_of,
    recorded,
    serving,
    until,
)
from simulators.raw import Raw, post

VALUES: Final[dict[str, list[Any]]] = {
    "BOOL": [True, False, True],
    "UINT8": [0, 7, 255],
    "UINT16": [0, 7, 65535],
    "UINT32": [0, 7, 2**32 - 1],
    "UINT64": [0, 7, 2**64 - 1],
    "INT8": [-128, 0, 127],
    "INT16": [-(2**15), 0, 2**15 - 1],
    "INT32": [-(2**31), 0, 2**31 - 1],
    "INT64": [-(2**63), 0, 2**63 - 1],
    "FP16": [0.5, -65504.0, 1.25],
    "FP32": [0.5, -4096.125, 1.25],
    "FP64": [0.1, -1e300, 1e-300],
    "BF16": [0.5, -2.0, 1.25],
    "BYTES": ["", "snow ❄", "a\nb"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {f"id_{name}": models.identity(name) for name in VALUES}
    files |= {
        "two": models.two_inputs(),
        "log": models.logarithm(),
        "look_up": models.look_up(),
        "wide": models.identity("FP32", shape=("n", "m")),
    }
    with serving(tmp_path_factory.mktemp("recorded"), files) as server:
        yield server


def _texts(values: list[Any]) -> list[Any]:
    return [value.decode() if isinstance(value, bytes) else value for value in values]


@pytest.mark.parametrize("datatype", VALUES)
def test_inputs_and_outputs_of_every_datatype_are_found_as_they_were(
    server: Server, datatype: str
) -> None:
    sent = VALUES[datatype]
    tensor = {"name": "x", "datatype": datatype, "shape": [1, 3], "data": sent}
    body = json.dumps({"id": "mine", "inputs": [tensor]}).encode()
    reply = server.call("POST", f"/v2/models/id_{datatype}/infer", body)
    answered = reply.json["outputs"][0]["data"]
    record = server.record_of(reply.prediction_id)
    (given,), (came) = record.inputs, record.outputs
    assert (given.name, given.datatype, given.shape) == ("x", datatype, (1, 3))
    assert _texts(values_of(given) or []) == sent
    assert _texts(values_of(came[0]) or []) == answered == sent


def test_a_record_tells_who_when_what_and_how(server: Server) -> None:
    reply = server.call(
        "POST",
        "/v2/models/two/infer",
        infer_body(
            {
                "number": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
                "word": np.array([["one"], ["two"]], object),
            },
            id="request 7",
        ),
        Traceparent=f"00-{'a1' * 16}-{'b2' * 8}-01",
    )
    record = server.record_of(reply.prediction_id)
    assert (record.endpoint, record.version) == ("two", reply.json["model_version"])
    assert (record.client_id, record.trace, record.status) == ("request 7", "a1" * 16, "ok")
    assert (record.rows, record.batch_rows, record.revision) == (2, 2, 1)
    assert (record.arm, record.propensity_ppm, record.phase) == ("baseline", 1_000_000, "whole")
    assert recorded(record, "outputs")["doubled"] == [[2.0, 4.0], [6.0, 8.0]]


def test_requests_of_one_batch_keep_their_own_rows(server: Server) -> None:
    arrays = [np.full((1 + each % 3, 3), each, np.float32) for each in range(12)]
    with Raw(server.port) as raw:
        raw.send(b"".join(post("/v2/models/id_FP32/infer", infer_body({"x": a})) for a in arrays))
        replies = [raw.reply() for _ in arrays]
    for array, reply in zip(arrays, replies, strict=True):
        record = server.record_of(reply.prediction_id)
        assert record.batch_rows == sum(map(len, arrays))
        assert recorded(record, "inputs") == {"x": array.tolist()}
        assert recorded(record, "outputs") == {"y": array.tolist()} == outputs_of(reply)


def test_of_a_large_tensor_the_digest_is_kept(server: Server) -> None:
    array = np.arange(4096, dtype=np.float32).reshape(1, 4096)
    body, json_bytes = binary_body({"x": array})
    reply = server.call(
        "POST", "/v2/models/wide/infer", body, Inference_Header_Content_Length=json_bytes
    )
    assert np.array_equal(binary_outputs_of(reply)["y"], array)
    record = server.record_of(reply.prediction_id)
    digest = hashlib.sha256(array.tobytes()).digest()
    expected = Payload("x", "FP32", (1, 4096), digest=digest)
    assert record.inputs == (expected,)


@pytest.mark.parametrize(
    ("model", "arrays", "status"),
    [
        ("look_up", {"index": np.array([[99]])}, "engine_error"),
        ("log", {"x": np.array([[-1.0, 1.0]], np.float32)}, "invalid_output"),
    ],
)
def test_what_went_wrong_is_recorded_and_its_id_told(
    server: Server, model: str, arrays: dict[str, Any], status: str
) -> None:
    reply = server.infer(model, arrays)
    assert reply.status == 500
    record = server.record_of(reply.prediction_id)
    assert record.status == status
    (given,) = arrays.values()
    assert list(recorded(record, "inputs").values()) == [given.tolist()]


def test_without_recording_nothing_is_written_and_nothing_is_marked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("unrecorded")
    with serving(folder, {"floats": models.identity("FP32")}, "--no-record") as server:
        reply = server.infer("floats", {"x": np.ones((1, 3), np.float32)})
        assert reply.status == 200
        assert "pilotage-recorded" not in reply.headers
        assert len(reply.prediction_id) == 16
        assert not (folder / "records").exists()
        assert not (folder / "data" / "records").exists()


# --- a recorder that cannot keep up: it is stopped, and the ring fills ---------------------------

_LARGE: Final = np.arange(1 << 17, dtype=np.float32).reshape(1, 1 << 17)
_ENOUGH: Final = 100
"""Requests of 1 MiB to record each, twice over: more than the ring holds."""


@pytest.fixture(params=["serve", "refuse"])
def stalled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    policy = str(request.param)
    options = ["--record-when-full", policy, "--record-inline", "1MiB"]
    files = {"wide": models.identity("FP32", shape=("n", "m"))}
    with serving(tmp_path_factory.mktemp(policy), files, *options) as server:
        recorder = server.recorder
        os.kill(recorder, signal.SIGSTOP)
        try:
            yield server, policy
        finally:
            os.kill(recorder, signal.SIGCONT)


def test_a_full_ring_follows_the_policy_and_no_recorded_answer_is_lost(
    stalled: tuple[Server, str],
) -> None:
    server, policy = stalled
    body, json_bytes = binary_body({"x": _LARGE})

    def ask() -> Reply:
        return server.call(
            "POST", "/v2/models/wide/infer", body, Inference_Header_Content_Length=json_bytes
        )

    kept: list[Reply] = []
    for _ in range(_ENOUGH):
        reply = ask()
        if reply.status != 200 or "pilotage-recorded" in reply.headers:
            break
        kept.append(reply)
    assert 0 < len(kept) < _ENOUGH
    if policy == "serve":
        assert (reply.status, reply.headers["pilotage-recorded"]) == (200, "no")
        assert np.array_equal(binary_outputs_of(reply)["y"], _LARGE)
    else:
        assert (reply.status, reply.json["reason"]) == (503, "unavailable")
        assert "retry-after" in reply.headers
    assert server.metric("pilotage_recorded_total", recorded="no") == 1
    os.kill(server.recorder, signal.SIGCONT)

    def is_recorded() -> bool:
        again = ask()
        return again.status == 200 and "pilotage-recorded" not in again.headers

    until(is_recorded)
    for each in kept:
        assert server.record_of(each.prediction_id).outputs[0].data == _LARGE.tobytes()
