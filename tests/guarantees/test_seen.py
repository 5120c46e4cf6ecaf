"""What is seen from outside: readiness, metrics that add up, traces, timings, NaN."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import models
from servers import Server, infer_body, serving, until
from simulators.raw import Raw, post

PATH = "/v2/models/floats/infer"
BODY = infer_body({"x": np.ones((2, 3), np.float32)})
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {"floats": models.identity("FP32"), "log": models.logarithm()}
    folder = tmp_path_factory.mktemp("seen")
    with serving(folder, files, "--workers", "2") as server:
        server.event("serving", process="worker 1")
        yield server


def test_numbers_of_both_workers_add_up(server: Server) -> None:
    def sums() -> tuple[float, ...]:
        of_floats = {"endpoint": "floats"}
        return (
            server.metric("pilotage_requests_total", status="ok", **of_floats),
            server.metric("pilotage_rows_total", **of_floats),
            server.metric("pilotage_latency_seconds_count", **of_floats),
            server.metric("pilotage_queue_seconds_count", **of_floats),
            server.metric("pilotage_recorded_total", recorded="yes"),
            server.metric("pilotage_refusals_total", reason="invalid"),
        )

    until(lambda: server.metric("pilotage_workers") == 2)
    before = sums()
    workers: set[int] = set()
    with Raw(server.port) as first, Raw(server.port) as second:
        for raw in (first, second):
            for _ in range(5):
                raw.send(post(PATH, BODY))
                workers.add(raw.reply().prediction_id[11])
            raw.send(post(PATH, b"{}"))
            assert raw.reply().status == 400
    assert workers == {0, 1}
    until(lambda: [b - a for a, b in zip(before, sums(), strict=True)] == [10, 20, 10, 10, 10, 2])


def test_a_histogram_is_one(server: Server) -> None:
    assert server.call("POST", PATH, BODY).status == 200
    until(lambda: server.metric("pilotage_batch_rows_count", endpoint="floats") > 0)
    samples = server.metrics()
    buckets = samples["pilotage_batch_rows_bucket"]
    bounds = sorted(
        (float(dict(labels)["le"]), count)
        for labels, count in buckets.items()
        if ("endpoint", "floats") in labels
    )
    counts = [count for _, count in bounds]
    assert bounds[-1][0] == float("inf")
    assert counts == sorted(counts)
    assert counts[-1] == server.metric("pilotage_batch_rows_count", endpoint="floats")


def test_every_family_says_what_it_means(server: Server) -> None:
    text = server.call("GET", "/metrics").body.decode()
    families = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    meanings = dict(re.findall(r"^# HELP (\w+) (.+)$", text, re.MULTILINE))
    assert families == meanings.keys()
    assert all(name.startswith("pilotage_") for name in families)


def test_gauges_tell_of_now(server: Server) -> None:
    held = [Raw(server.port) for _ in range(6)]
    request = post(PATH, BODY)
    try:
        for raw in held:
            raw.send(request[:-1])
        bodies = len(held) * (len(BODY) - 1)
        until(lambda: server.metric("pilotage_inflight_bytes") >= bodies)
        until(lambda: server.metric("pilotage_connections") == len(held) + 1)
        for raw in held:
            raw.send(request[-1:])
            assert raw.reply().status == 200
    finally:
        for raw in held:
            raw.close()
    until(lambda: server.metric("pilotage_connections") == 1)
    until(lambda: server.metric("pilotage_inflight_bytes") == 0)


def test_the_trace_of_the_caller_goes_on_through_us(server: Server) -> None:
    sent = f"00-{TRACE}-00f067aa0ba902b7-01"
    reply = server.call("POST", PATH, BODY, Traceparent=sent)
    version, trace, span, flags = reply.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span == reply.prediction_id.hex()[-16:]
    assert server.record_of(reply.prediction_id).trace == TRACE


@pytest.mark.parametrize("sent", ["", "00-0-0-0", f"00-{'0' * 32}-00f067aa0ba902b7-01", "junk"])
def test_a_trace_that_is_none_is_passed_over(server: Server, sent: str) -> None:
    reply = server.call("POST", PATH, BODY, Traceparent=sent)
    assert reply.status == 200
    assert "traceparent" not in reply.headers


def test_timings_are_told_to_who_asks(server: Server) -> None:
    assert "server-timing" not in server.call("POST", PATH, BODY).headers
    reply = server.call("POST", PATH, BODY, Pilotage_Server_Timing="1")
    parts = dict(re.findall(r"(\w+);dur=([0-9.]+)", reply.headers["server-timing"]))
    assert list(parts) == ["queue", "engine", "encode", "total"]
    queue, engine, encode, total = map(float, parts.values())
    assert queue + engine + encode <= total + 0.003


def test_nan_in_a_json_output_is_an_error_that_names_it(server: Server) -> None:
    body = infer_body({"x": np.array([[-1.0, 1.0], [2.0, 2.0]], np.float32)})
    refused = server.call("POST", "/v2/models/log/infer", body)
    assert (refused.status, refused.json["reason"]) == (500, "output")
    assert "output y" in refused.json["error"]
    plain = infer_body({"x": np.array([[-1.0, 1.0]], np.float32)}, outputs=[{"name": "plain"}])
    assert server.call("POST", "/v2/models/log/infer", plain).json["outputs"][0]["data"] == [-1, 1]


def test_a_row_with_nan_spoils_no_other_request_of_its_batch(server: Server) -> None:
    bodies = [infer_body({"x": np.array([[x, 1.0]], np.float32)}) for x in (1.0, -1.0, 1.0)]
    with Raw(server.port) as raw:
        raw.send(b"".join(post("/v2/models/log/infer", body) for body in bodies))
        assert [raw.reply().status for _ in bodies] == [200, 500, 200]


def test_logs_hold_neither_inputs_nor_outputs(server: Server) -> None:
    secret = 8675309.0
    for model in ("floats", "log"):
        width = 3 if model == "floats" else 2
        server.infer(model, {"x": np.full((1, width), secret, np.float32)})
    server.call("POST", PATH, b'{"inputs": "8675309"}')
    assert "8675309" not in server.said()


def test_numbers_that_do_not_fit_their_slot_are_told_once_and_serving_goes_on(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, {"mlp": models.mlp()}, engines="narrow_slots") as server:
        server.event("metrics_too_many", process="worker 0")
        for _ in range(3):
            assert server.call("GET", "/metrics").status == 200
        assert server.count("metrics_too_many") == 1
