"""KServe's REST client, unmodified, in an environment of its own (`make extras`)."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from servers import TESTS, Server, serving

PYTHON = TESTS.parent / ".venv-kserve" / "bin" / "python"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not PYTHON.exists():
        pytest.skip("KServe's client is not installed: make extras")
    folder = tmp_path_factory.mktemp("kserve")
    files = {"floats": models.identity("FP32"), "words": models.identity("BYTES")}
    with serving(folder, files) as server:
        yield _call(server)


def _call(server: Server) -> Any:
    script = Path(TESTS / "simulators" / "kserve_calls.py")
    done = subprocess.run(
        [str(PYTHON), str(script), server.url], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_health_is_the_json_that_kserve_reads(said: Any) -> None:
    assert (said["live"], said["ready"], said["model_ready"]) == (True, True, True)


@pytest.mark.parametrize("form", ["json", "binary"])
def test_numbers_come_back_as_they_were_sent(said: Any, form: str) -> None:
    assert said[form] == {
        "id": "mine-9",
        "parameters": ["pilotage_prediction_id"],
        "shape": [2, 3],
        "data": [1.5, -2.0, 3.25, 0.0, 4.0, -5.5],
    }


def test_strings_come_back_as_they_were_sent(said: Any) -> None:
    assert said["words"]["data"] == ["one", "two ❄", ""]


def test_kserve_shows_our_error_in_its_own(said: Any) -> None:
    assert "shape" in said["error"]
