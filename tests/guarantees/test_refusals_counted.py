"""Every refusal is counted once under its reason, whoever refuses."""

from collections.abc import Iterator

import pytest

import models
from servers import Server, serving
from simulators.raw import Raw


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("refusals"), {"mlp": models.mlp()}) as server:
        yield server


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "unknown"),
        (b"GET /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\n\r\n", "method"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed"),
        (
            b"POST /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
            "invalid",
        ),
        (
            b"POST /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            "too_large",
        ),
    ],
)
def test_a_refusal_is_counted_once(server: Server, request_bytes: bytes, reason: str) -> None:
    before = server.metric("pilotage_refusals_total", reason=reason)
    with Raw(server.port) as raw:
        raw.send(request_bytes)
        raw.reply()
    assert server.metric("pilotage_refusals_total", reason=reason) == before + 1
