"""The page of a rollout on a real server: served by its decider, and told what it decides."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import rollout_models as models
from rollout_runs import QUICK, rollout
from servers import until
from traffic import traffic

pytestmark = pytest.mark.slow


def test_the_decider_serves_its_page_and_tells_it_each_look(tmp_path: Path) -> None:
    with rollout(tmp_path, models.baseline(), models.equal(), *QUICK) as trial:
        (page,) = until(lambda: [each for each in trial.server.events if each["event"] == "page"])
        parts = urlsplit(page["url"])
        assert parts.hostname == "127.0.0.1"
        stream = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=30)
        stream.request("GET", "/events")
        told = stream.getresponse()
        with traffic(trial.plan(per_s=200.0)):
            views = [json.loads(line[6:]) for line in _lines(told, b"data: {", count=3)]
        stream.close()
        assert [view["endpoint"] for view in views] == [models.MODEL] * 3
        assert views[0]["elapsed_s"] < views[1]["elapsed_s"] < views[2]["elapsed_s"]
        assert views[2]["sentence"].startswith("candidate.onnx gets")


def _lines(response: http.client.HTTPResponse, start: bytes, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        line = response.readline()
        assert line, "the stream ended"
        if line.startswith(start):
            found.append(line)
    return found
