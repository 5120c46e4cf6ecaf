"""The real server as a child process."""

import http.client

import pytest

import models
from pilotage.errors import PilotageError
from pilotage.evaluation.load.serving_child import machine, serving
from servers import children_of


def test_a_model_is_served_while_it_is_needed_and_not_longer(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTAGE_PORT", "no port")
    (tmp_path / "m.onnx").write_bytes(models.tripled())
    with serving(tmp_path / "m.onnx") as served:
        connection = http.client.HTTPConnection(served.host, served.port, timeout=10)
        connection.request("GET", "/v2/health/ready")
        assert connection.getresponse().status == 200
        connection.close()
        assert len(served.workers) == 1
        memory = served.memory_bytes()
        assert memory is None or 5e6 < memory < 1e9
        pid = served.process.pid
    assert served.process.returncode == 0
    assert not children_of(pid)


def test_a_model_that_cannot_be_served_is_told_with_why(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with (
        pytest.raises(PilotageError, match="ended: the format is not known"),
        serving(tmp_path / "m.onnx"),
    ):
        pass


def test_the_machine_is_named_with_its_cores():
    assert machine().endswith(("core", "cores"))
