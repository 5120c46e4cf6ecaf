"""curl as people use it: form-urlencoded by default, an offer of HTTP/2, `Expect: 100-continue`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from servers import Server, infer_body, serving

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

ROW = infer_body({"x": [[1.0, 2.0, 3.0]]}).replace(b"FP64", b"FP32")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {"floats": models.identity("FP32"), "wide": models.identity("FP32", shape=("n", "m"))}
    with serving(tmp_path_factory.mktemp("curl"), files) as server:
        yield server


def _curl(*words: str, body: bytes = b"") -> tuple[str, str]:
    """What curl wrote: the answer, and its talk with the server (-v)."""
    done = subprocess.run(
        [str(CURL), "-sv", "--max-time", "50", *words], input=body, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(), done.stderr.decode()


def _data(answer: str) -> Any:
    return json.loads(answer)["outputs"][0]["data"]


def test_a_form_urlencoded_body_is_read_as_json(server: Server) -> None:
    answer, talk = _curl(f"{server.url}/v2/models/floats/infer", "-d", ROW.decode())
    assert "application/x-www-form-urlencoded" in talk
    assert _data(answer) == [1.0, 2.0, 3.0]


def test_the_command_that_serve_prints_works_as_it_is(server: Server) -> None:
    for command in server.event("ready")["try_this"]:
        done = subprocess.run(command, shell=True, capture_output=True, check=True)
        assert json.loads(done.stdout)["outputs"]


def test_an_offer_of_http_2_is_passed_over(server: Server) -> None:
    answer, talk = _curl("--http2", f"{server.url}/v2/models/floats/infer", "-d", ROW.decode())
    assert "Upgrade: h2c" in talk
    assert "HTTP/1.1 200" in talk
    assert _data(answer) == [1.0, 2.0, 3.0]


def test_above_a_megabyte_curl_is_told_to_continue(server: Server, tmp_path: Path) -> None:
    values = list(range(300_000))
    body = tmp_path / "body"
    body.write_bytes(
        json.dumps(
            {"inputs": [{"name": "x", "datatype": "FP32", "shape": [3, 100_000], "data": values}]}
        ).encode()
    )
    assert body.stat().st_size > 1 << 20
    answer, talk = _curl(
        "--expect100-timeout",
        "40",
        f"{server.url}/v2/models/wide/infer",
        "--data-binary",
        f"@{body}",
    )
    assert "HTTP/1.1 100 Continue" in talk
    assert _data(answer) == values


def test_a_body_past_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    _, talk = _curl(
        "--expect100-timeout",
        "40",
        f"{server.url}/v2/models/floats/infer",
        "-H",
        "Content-Length: 99999999999",
        "-H",
        "Expect: 100-continue",
        "-d",
        "x",
    )
    assert "HTTP/1.1 413" in talk
    assert "100 Continue" not in talk


def test_a_compressed_answer_is_inflated(server: Server) -> None:
    body = infer_body({"x": [[1.5] * 3] * 256}).replace(b"FP64", b"FP32").decode()
    answer, talk = _curl("--compressed", f"{server.url}/v2/models/floats/infer", "-d", body)
    assert "content-encoding: gzip" in talk.lower()
    assert _data(answer) == [1.5] * 768


def test_chunks_are_read_as_one_body(server: Server) -> None:
    answer, talk = _curl(
        "-H",
        "Transfer-Encoding: chunked",
        f"{server.url}/v2/models/floats/infer",
        "--data-binary",
        "@-",
        body=ROW,
    )
    assert "Transfer-Encoding: chunked" in talk
    assert _data(answer) == [1.0, 2.0, 3.0]
