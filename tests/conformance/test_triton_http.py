"""NVIDIA's `tritonclient.http`, unmodified: everything that it can ask of a server."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

import models
from servers import Server, serving

FLOATS = np.array([[1.5, -2.0, 3.25], [0.0, 4.0, -5.5]], np.float32)
VALUES: dict[str, npt.NDArray[Any]] = {
    "BOOL": np.array([[True, False, True]]),
    "UINT8": np.array([[0, 7, 255]], np.uint8),
    "UINT16": np.array([[0, 7, 65535]], np.uint16),
    "UINT32": np.array([[0, 7, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 7, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 0, 127]], np.int8),
    "INT16": np.array([[-(2**15), 0, 2**15 - 1]], np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 0, 2**63 - 1]], np.int64),
    "FP16": np.array([[0.5, -65504.0, 6e-5]], np.float16),
    "FP32": np.array([[0.5, -3.4e38, 1e-30]], np.float32),
    "FP64": np.array([[0.1, -1e300, 1e-300]], np.float64),
    "BYTES": np.array([["", "snow ❄", "a\nb"]], object),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = {f"id_{name}": models.identity(name) for name in models.ONNX_TYPES}
    files |= {"log": models.logarithm(), "two": models.two_inputs()}
    files["large"] = models.identity("FP32", shape=("n", "length"))
    with serving(tmp_path_factory.mktemp("triton"), files) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.url.removeprefix("http://"), concurrency=4) as client:
        yield client


def _input(
    array: npt.NDArray[Any], *, name: str = "x", binary: bool = True, datatype: str = ""
) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), datatype or np_to_triton_dtype(array.dtype))
    return tensor.set_data_from_numpy(array, binary_data=binary)


def _strings(array: npt.NDArray[Any]) -> list[str]:
    return [each.decode() if isinstance(each, bytes) else str(each) for each in array.ravel()]


@pytest.mark.parametrize(
    ("datatype", "binary_in", "binary_out"),
    [
        (datatype, binary_in, binary_out)
        for datatype in VALUES
        for binary_in in (True, False)
        for binary_out in (True, False)
        if datatype != "FP16" or (binary_in and binary_out)  # its client knows no other FP16
    ],
)
def test_every_datatype_comes_back_as_it_was_sent(
    client: triton.InferenceServerClient, datatype: str, *, binary_in: bool, binary_out: bool
) -> None:
    sent = VALUES[datatype]
    asked = [triton.InferRequestedOutput("y", binary_data=binary_out)]
    result = client.infer(f"id_{datatype}", [_input(sent, binary=binary_in)], outputs=asked)
    came = result.as_numpy("y")
    assert came.shape == sent.shape
    if datatype == "BYTES":
        assert _strings(came) == _strings(sent)
    else:
        assert came.dtype == sent.dtype
        assert came.tolist() == sent.tolist()


def test_bf16_comes_back_as_it_was_sent(client: triton.InferenceServerClient) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes", reason="no ml_dtypes: no BF16").bfloat16
    sent = np.array([[1.0, -0.5, 3.0e38]], bfloat16)
    result = client.infer("id_BF16", [_input(sent, datatype="BF16")])
    assert result.as_numpy("y").tolist() == sent.tolist()


@pytest.mark.parametrize("answer", [None, "gzip", "deflate"])
@pytest.mark.parametrize("request_coding", [None, "gzip", "deflate"])
def test_bodies_are_compressed_both_ways(
    client: triton.InferenceServerClient, request_coding: str | None, answer: str | None
) -> None:
    sent = np.arange(4096, dtype=np.float32).reshape(4, 1024)
    result = client.infer(
        "large",
        [_input(sent)],
        request_compression_algorithm=request_coding,
        response_compression_algorithm=answer,
    )
    assert np.array_equal(result.as_numpy("y"), sent)


def test_many_requests_are_under_way_at_once(client: triton.InferenceServerClient) -> None:
    sent = [FLOATS * factor for factor in range(24)]
    waiting = [client.async_infer("id_FP32", [_input(array)]) for array in sent]
    came = [each.get_result().as_numpy("y") for each in waiting]
    assert all(np.array_equal(a, b) for a, b in zip(came, sent, strict=True))


def test_ids_parameters_and_order_of_outputs_are_kept(
    client: triton.InferenceServerClient, server: Server
) -> None:
    asked = [triton.InferRequestedOutput(name) for name in ("plain", "y")]
    result = client.infer(
        "log", [_input(np.ones((1, 2), np.float32))], outputs=asked, request_id="mine-7"
    )
    answer = result.get_response()
    assert answer["id"] == "mine-7"
    assert [output["name"] for output in answer["outputs"]] == ["plain", "y"]
    prediction = bytes.fromhex(answer["parameters"]["pilotage_prediction_id"])
    assert server.record_of(prediction).client_id == "mine-7"


def test_binary_false_on_an_output_wins_over_binary_for_all(
    client: triton.InferenceServerClient,
) -> None:
    asked = [
        triton.InferRequestedOutput("y", binary_data=False),
        triton.InferRequestedOutput("plain", binary_data=True),
    ]
    result = client.infer("log", [_input(np.ones((1, 2), np.float32))], outputs=asked)
    outputs = {output["name"]: output for output in result.get_response()["outputs"]}
    assert outputs["y"]["data"] == [0.0, 0.0]
    assert outputs["plain"]["parameters"]["binary_data_size"] == 8


def test_inputs_of_mixed_datatypes_reach_their_model(client: triton.InferenceServerClient) -> None:
    number = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    word = np.array([["one"], ["two"]], object)
    result = client.infer(
        "two", [_input(word, name="word"), _input(number, name="number", binary=False)]
    )
    assert np.array_equal(result.as_numpy("doubled"), 2 * number)
    assert _strings(result.as_numpy("echo")) == ["one", "two"]


def test_nan_is_carried_by_binary_and_named_by_json(client: triton.InferenceServerClient) -> None:
    below_zero = _input(np.array([[-1.0, 1.0]], np.float32))
    assert np.isnan(client.infer("log", [below_zero]).as_numpy("y")[0, 0])
    asked = [triton.InferRequestedOutput("y", binary_data=False)]
    with pytest.raises(InferenceServerException, match="output y") as caught:
        client.infer("log", [below_zero], outputs=asked)
    assert caught.value.status() == "500"


def test_everything_about_the_server_and_its_models_is_told(
    client: triton.InferenceServerClient,
) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("log")
    assert not client.is_model_ready("nobody")
    metadata = client.get_server_metadata()
    assert metadata["name"] == "pilotage"
    assert {"binary_tensor_data", "generate"} <= set(metadata["extensions"])
    model = client.get_model_metadata("log")
    assert [tensor["name"] for tensor in model["outputs"]] == ["y", "plain"]
    assert model["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    (version,) = model["versions"]
    assert client.is_model_ready("log", version)
    assert client.get_model_metadata("log", version)["name"] == "log"
    config = client.get_model_config("log")
    assert (config["name"], config["max_batch_size"]) == ("log", 0)
    index = client.get_model_repository_index()
    assert {"name": "log", "version": version, "state": "READY"}.items() <= {
        each["name"]: each for each in index
    }["log"].items()


def test_a_version_in_the_path_is_the_one_that_answers(
    client: triton.InferenceServerClient,
) -> None:
    (version,) = client.get_model_metadata("id_FP32")["versions"]
    result = client.infer("id_FP32", [_input(FLOATS)], model_version=version)
    assert result.get_response()["model_version"] == version
    with pytest.raises(InferenceServerException, match="no such version"):
        client.infer("id_FP32", [_input(FLOATS)], model_version="7")


def test_statistics_count_what_was_inferred(client: triton.InferenceServerClient) -> None:
    def counts() -> tuple[int, int]:
        (stats,) = client.get_inference_statistics("id_FP32")["model_stats"]
        return stats["inference_count"], stats["inference_stats"]["success"]["count"]

    rows, requests = counts()
    for _ in range(3):
        client.infer("id_FP32", [_input(FLOATS)])
    assert counts() == (rows + 6, requests + 3)
    everything = client.get_inference_statistics()["model_stats"]
    assert len(everything) == len(models.ONNX_TYPES) + 3


@pytest.mark.parametrize(
    ("model", "name", "array", "said"),
    [
        ("nobody", "x", FLOATS, "endpoint"),
        ("id_FP32", "z", FLOATS, "inputs"),
        ("id_FP32", "x", FLOATS.astype(np.float64), "FP64"),
        ("id_FP32", "x", FLOATS[:, :2], "shape"),
    ],
    ids=["model", "name", "datatype", "shape"],
)
def test_an_error_reaches_the_client_in_words(
    client: triton.InferenceServerClient,
    model: str,
    name: str,
    array: npt.NDArray[Any],
    said: str,
) -> None:
    with pytest.raises(InferenceServerException) as caught:
        client.infer(model, [_input(array, name=name)])
    assert caught.value.status() in ("400", "404")
    assert said in caught.value.message()
