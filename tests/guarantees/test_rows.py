"""Rows of one request are never mixed up with another's, however requests are batched or split.

Seeded clients send what chance gives them, several requests at once on each connection; every
answer is compared with plain ONNX Runtime on that request alone.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

import models
from servers import (
    Reply,
    Server,
    binary_body,
    binary_outputs_of,
    infer_body,
    outputs_of,
    serving,
)
from simulators.raw import Raw, post

FILES: Final = {
    "mlp": models.mlp(),
    "tripled": models.tripled(),
    "ragged": models.ragged(),
    "without_rows": models.without_rows(),
}
BATCH_ROWS: Final = 8
CLIENTS: Final = 8
ROUNDS: Final = 25
Array = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ["--max-batch-rows", str(BATCH_ROWS), "--workers", "2"]
    with serving(tmp_path_factory.mktemp("rows"), FILES, *options) as server:
        server.event("serving", process="worker 1")
        yield server


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return {name: onnxruntime.InferenceSession(content) for name, content in FILES.items()}


def _array(chance: random.Random, model: str) -> Array:
    """One request's input: up to three batches of rows, values that no other request has."""
    rows = chance.choice([1, 1, 1, 2, 3, 7, 8, 9, 24])
    shape = {
        "mlp": (rows, 30),
        "tripled": (rows, 4),
        "ragged": (rows, chance.choice([1, 2, 2, 5])),
        "without_rows": (2, 2),
    }[model]
    count = int(np.prod(shape))
    return np.array([chance.randrange(1 << 20) for _ in range(count)], np.float32).reshape(shape)


def _one_client(port: int, seed: int) -> list[tuple[str, Array, Reply, bool]]:
    """What one connection sent, and what came back for it."""
    chance = random.Random(seed)
    kept: list[tuple[str, Array, Reply, bool]] = []
    with Raw(port) as raw:
        for _ in range(ROUNDS):
            sent: list[tuple[str, Array, bool]] = []
            data = b""
            for _ in range(chance.randint(1, 6)):
                model = chance.choice(list(FILES))
                array, binary = _array(chance, model), chance.random() < 0.5
                path = f"/v2/models/{model}/infer"
                if binary:
                    body, json_bytes = binary_body({"x": array})
                    data += post(path, body, Inference_Header_Content_Length=json_bytes)
                else:
                    data += post(path, infer_body({"x": array}))
                sent.append((model, array, binary))
            raw.send(data)
            kept += [(model, array, raw.reply(), binary) for model, array, binary in sent]
    return kept


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_request_gets_its_own_rows(server: Server, plain: Any, seed: int) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        seeds = [seed * 1000 + client for client in range(CLIENTS)]
        answers = pool.map(lambda each: _one_client(server.port, each), seeds)
    checked = 0
    for model, array, reply, binary in [each for client in answers for each in client]:
        outputs: dict[str, Any] = binary_outputs_of(reply) if binary else outputs_of(reply)
        (came,) = outputs.values()
        (expected,) = plain[model].run(None, {"x": array})
        assert np.shape(came) == expected.shape
        if model == "mlp":  # sums in another order
            assert np.allclose(np.array(came, np.float32), expected, rtol=1e-4, atol=1e-6)
        else:
            assert np.array_equal(np.array(came, np.float32), expected)
        checked += 1
    assert checked > CLIENTS * ROUNDS


def test_what_comes_at_once_is_run_together(server: Server) -> None:
    body = infer_body({"x": np.ones((1, 4), np.float32)})
    with Raw(server.port) as raw:
        raw.send(post("/v2/models/tripled/infer", body) * 6)
        ids = [raw.reply().prediction_id for _ in range(6)]
    assert {server.record_of(each).batch_rows for each in ids} == {6}


def test_a_request_larger_than_a_batch_is_split_and_put_together(server: Server) -> None:
    array = np.arange(4 * 100, dtype=np.float32).reshape(100, 4)
    reply = server.infer("tripled", {"x": array})
    assert outputs_of(reply) == {"y": (3 * array).tolist()}
    assert server.record_of(reply.prediction_id).rows == 100
