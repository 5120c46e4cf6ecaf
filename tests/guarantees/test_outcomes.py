"""Outcomes on a running server: accepted is recorded, and a record is needed to accept."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import models
from pilotage.contracts import records
from pilotage.contracts.records import Outcome
from pilotage.contracts.segments import OUTCOME
from servers import Server, infer_body, serving, until

PATH = "/v1/outcomes"
X = {"x": np.ones((1, 4), np.float32)}


def recorded(server: Server) -> list[Outcome]:
    """The outcomes in the record folder, sealed or not."""
    return [
        records.decode_outcome(found.payload)
        for found in server.store().reader()
        if found.kind == OUTCOME
    ]


def body(said: Any) -> bytes:
    return json.dumps(said).encode()


def test_outcomes_by_id_and_by_key_are_recorded_once_they_are_accepted(tmp_path: Path) -> None:
    with serving(tmp_path, {"m": models.tripled()}, "--workers", "2") as server:
        asked = server.call("POST", "/v2/models/m/infer", infer_body(X, id="order 5"))
        by_id = {"prediction_id": asked.prediction_id.hex(), "value": True, "kind": "converted"}
        by_key = {"key": "order 5", "endpoint": "m", "value": 2.5, "observed_at": 1_790_000_000}
        reply = server.call("POST", PATH, body([by_id, by_key]))
        assert (reply.status, reply.json) == (202, {"accepted": 2})
        first, second = recorded(server)
        assert (first.prediction_id, first.value) == (asked.prediction_id, True)
        assert (second.key, second.endpoint) == ("order 5", "m")
        assert second.observed_ns == 1_790_000_000 * 10**9
        assert server.record_of(asked.prediction_id).client_id == "order 5"
        assert len(server.store().last(5)) == 1, "an outcome is no record of a prediction"
        until(lambda: server.metric("pilotage_outcomes_total", recorded="yes") == 2)
        wrong = server.call("POST", PATH, body([by_id, {"key": "order 5"}]))
        assert (wrong.status, wrong.json["where"]) == (400, "[1].value")
        assert wrong.headers["content-type"] == "application/problem+json"
        assert len(recorded(server)) == 2
    assert len(recorded(server)) == 2


def test_a_server_that_records_nothing_accepts_no_outcome(tmp_path: Path) -> None:
    with serving(tmp_path, {"m": models.tripled()}, "--workers", "1", "--no-record") as server:
        reply = server.call("POST", PATH, body({"key": "a", "value": 1}))
        assert reply.status == 503
        assert "--no-record" in reply.json["fix"]
