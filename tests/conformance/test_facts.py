"""What real clients were seen to rely on, request by request."""

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import models
from servers import Server, binary_body, binary_outputs_of, infer_body, outputs_of, serving

FLOATS = np.array([[1.5, -2.0, 3.25], [0.0, 4.0, -5.5]], np.float32)
INFER = "/v2/models/floats/infer"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {
        "floats": models.identity("FP32"),
        "halves": models.identity("FP16"),
        "whole": models.identity("INT32"),
        "log": models.logarithm(),
        "wide": models.identity("FP32", shape=("n", "m")),
    }
    with serving(tmp_path_factory.mktemp("facts"), files) as server:
        yield server


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/octet-stream", "application/x-www-form-urlencoded", "text/x"],
)
def test_the_content_type_of_a_request_decides_nothing(server: Server, content_type: str) -> None:
    reply = server.call("POST", INFER, infer_body({"x": FLOATS}), Content_Type=content_type)
    assert outputs_of(reply) == {"y": FLOATS.tolist()}
    body, json_bytes = binary_body({"x": FLOATS})
    reply = server.call(
        "POST",
        INFER,
        body,
        Content_Type=content_type,
        Inference_Header_Content_Length=json_bytes,
    )
    assert np.array_equal(binary_outputs_of(reply)["y"], FLOATS)


def test_a_request_without_a_content_type_is_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("POST", INFER)
    body = infer_body({"x": FLOATS})
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    assert connection.getresponse().status == 200
    connection.close()


def test_nested_and_flat_data_mean_the_same(server: Server) -> None:
    nested = {"name": "x", "datatype": "FP32", "shape": [2, 3], "data": FLOATS.tolist()}
    reply = server.call("POST", INFER, json.dumps({"inputs": [nested]}).encode())
    assert outputs_of(reply) == {"y": FLOATS.tolist()}


def test_unknown_members_are_passed_over(server: Server) -> None:
    body = infer_body({"x": FLOATS}, id="7", model_name="floats", more={"a": [1]})
    reply = server.call("POST", INFER, body)
    assert outputs_of(reply) == {"y": FLOATS.tolist()}
    assert reply.json["id"] == "7"


def test_members_without_a_value_are_absent_and_never_null(server: Server) -> None:
    for path in ("/v2", "/v2/models/floats", "/v2/models/floats/config"):
        assert b"null" not in server.call("GET", path).body
    answer = server.call("POST", INFER, infer_body({"x": FLOATS}))
    assert b"null" not in answer.body
    assert "id" not in answer.json


def test_br_is_never_used(server: Server) -> None:
    body = infer_body({"x": np.ones((64, 100), np.float32)})
    reply = server.call("POST", "/v2/models/wide/infer", body, Accept_Encoding="br")
    assert reply.status == 200
    assert "content-encoding" not in reply.headers
    refused = server.call("POST", INFER, body, Content_Encoding="br")
    assert refused.status == 415


@pytest.mark.parametrize(
    ("coding", "squeeze", "inflate"),
    [("gzip", gzip.compress, gzip.decompress), ("deflate", zlib.compress, zlib.decompress)],
)
def test_deflate_is_zlib_framing_both_ways(
    server: Server, coding: str, squeeze: Any, inflate: Any
) -> None:
    ones = np.ones((64, 100), np.float32)
    reply = server.call(
        "POST",
        "/v2/models/wide/infer",
        squeeze(infer_body({"x": ones})),
        Content_Encoding=coding,
        Accept_Encoding=f"{coding}, br",
    )
    assert reply.headers["content-encoding"] == coding
    plain = reply._replace(body=inflate(reply.body))
    assert outputs_of(plain) == {"y": ones.tolist()}


@pytest.mark.parametrize(
    "path", ["/v2", "/v2/health/ready", "/v2/models/floats", "/v2/models/stats", "/nowhere"]
)
def test_only_answers_of_infer_are_compressed(server: Server, path: str) -> None:
    reply = server.call("GET", path, Accept_Encoding="gzip, deflate, br")
    assert "content-encoding" not in reply.headers
    reply = server.call(
        "POST", "/v2/models/log/infer", b"x" * 5000, Accept_Encoding="gzip, deflate, br"
    )
    assert reply.status == 400
    assert "content-encoding" not in reply.headers


def test_errors_of_v2_are_exactly_json_with_an_error(server: Server) -> None:
    for reply in (
        server.call("POST", INFER, b"{"),
        server.call("POST", "/v2/models/nobody/infer", b"{}"),
        server.call("PUT", INFER, b"{}"),
        server.call("GET", "/v2/models/nobody"),
    ):
        assert reply.status >= 400
        assert reply.headers["content-type"] == "application/json"
        assert isinstance(reply.json["error"], str)


def test_errors_elsewhere_are_problem_json(server: Server) -> None:
    reply = server.call("GET", "/nowhere")
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == 404


def test_health_is_json_for_kserve_and_a_status_for_everybody(server: Server) -> None:
    assert server.call("GET", "/v2/health/live").json == {"live": True}
    assert server.call("GET", "/v2/health/ready").json == {"ready": True}
    model = server.call("GET", "/v2/models/floats/ready")
    assert (model.status, model.json) == (200, {"name": "floats", "ready": True})


def test_fp16_works_in_json(server: Server) -> None:
    halves = np.array([[0.5, -1.25, 65504.0]], np.float16)
    reply = server.infer("halves", {"x": halves})
    assert outputs_of(reply) == {"y": halves.tolist()}
    assert reply.json["outputs"][0]["datatype"] == "FP16"


def test_a_fraction_for_an_integer_is_refused_and_never_cut(server: Server) -> None:
    body = infer_body({"x": np.zeros((1, 3), np.int32)}).replace(b"[0, 0, 0]", b"[0, 1.5, 0]")
    reply = server.call("POST", "/v2/models/whole/infer", body)
    assert reply.status == 400
    assert "1.5" not in reply.body.decode()
    assert "inputs[0]" in reply.json["where"]


def test_a_shape_with_minus_one_is_refused(server: Server) -> None:
    body = infer_body({"x": FLOATS}).replace(b"[2, 3]", b"[-1, 3]")
    assert server.call("POST", INFER, body).status == 400


@pytest.mark.parametrize("change", [-4, -1, 1, 4])
def test_a_binary_tensor_uses_up_the_body_exactly(server: Server, change: int) -> None:
    body, json_bytes = binary_body({"x": FLOATS})
    body = body + b"\0" * change if change > 0 else body[:change]
    reply = server.call("POST", INFER, body, Inference_Header_Content_Length=json_bytes)
    assert reply.status == 400


def test_the_prediction_id_comes_as_header_and_parameter(server: Server) -> None:
    reply = server.infer("floats", {"x": FLOATS})
    assert (
        reply.json["parameters"]["pilotage_prediction_id"]
        == (reply.headers["pilotage-prediction-id"])
    )


def test_statistics_are_there_and_not_listed(server: Server) -> None:
    """Where they are listed, `perf_analyzer` reads versions as decimal numbers and dies of ours."""
    assert "statistics" not in server.call("GET", "/v2").json["extensions"]
    assert server.call("GET", "/v2/models/floats/stats").json["model_stats"]


def test_head_tells_what_get_would_without_the_body(server: Server) -> None:
    full = server.call("GET", "/v2/models/floats")
    head = server.call("HEAD", "/v2/models/floats")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(full.body))
