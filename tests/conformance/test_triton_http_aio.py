"""NVIDIA's asynchronous client, unmodified. It sends `application/octet-stream` even for JSON and
always offers gzip, deflate and br, but inflates infer answers only, and no br."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

import models
from servers import Server, serving

FLOATS = np.arange(2048, dtype=np.float32).reshape(2, 1024)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {"floats": models.identity("FP32", shape=("n", "length")), "log": models.logarithm()}
    with serving(tmp_path_factory.mktemp("triton-aio"), files) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aio.InferenceServerClient]:
    client = aio.InferenceServerClient(server.url.removeprefix("http://"))
    yield client
    await client.close()


def _input(array: np.ndarray, *, binary: bool) -> aio.InferInput:
    return aio.InferInput("x", list(array.shape), "FP32").set_data_from_numpy(
        array, binary_data=binary
    )


@pytest.mark.parametrize("answer", [None, "gzip", "deflate"])
@pytest.mark.parametrize("request_coding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
async def test_answers_come_in_every_form(
    client: aio.InferenceServerClient, request_coding: str, answer: str, *, binary: bool
) -> None:
    result = await client.infer(
        "floats",
        [_input(FLOATS, binary=binary)],
        outputs=[aio.InferRequestedOutput("y", binary_data=binary)],
        request_compression_algorithm=request_coding,
        response_compression_algorithm=answer,
    )
    assert np.array_equal(result.as_numpy("y"), FLOATS)


async def test_many_requests_are_under_way_at_once(client: aio.InferenceServerClient) -> None:
    sent = [FLOATS[:1, : 8 * (1 + index % 5)] + index for index in range(40)]
    results = await asyncio.gather(
        *(client.infer("floats", [_input(array, binary=True)]) for array in sent)
    )
    for result, array in zip(results, sent, strict=True):
        assert np.array_equal(result.as_numpy("y"), array)


async def test_everything_that_is_not_an_answer_comes_uncompressed(
    client: aio.InferenceServerClient,
) -> None:
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("log")
    assert (await client.get_server_metadata())["name"] == "pilotage"
    assert (await client.get_model_metadata("log"))["name"] == "log"
    assert (await client.get_model_config("log"))["max_batch_size"] == 0
    assert len(await client.get_model_repository_index()) == 2
    assert len((await client.get_inference_statistics())["model_stats"]) == 2
    with pytest.raises(InferenceServerException, match="no endpoint of this name"):
        await client.infer("nobody", [_input(FLOATS, binary=True)])
    with pytest.raises(InferenceServerException, match="output y"):
        await client.infer(
            "log",
            [_input(np.array([[-1.0, 1.0]], np.float32), binary=False)],
            outputs=[aio.InferRequestedOutput("y", binary_data=False)],
        )
