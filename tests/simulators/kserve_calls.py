"""Calls a server with KServe's own REST client. Run by the Python of `.venv-kserve`, which has
neither Pilotage nor our tests: `python kserve_calls.py URL` prints what came, as JSON."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.inference_client import InferenceRESTClient as _Client

FLOATS = np.array([[1.5, -2.0, 3.25], [0.0, 4.0, -5.5]], np.float32)
WORDS = np.array([["one", "two ❄", ""]], object)


def request(model: str, array: np.ndarray, datatype: str, *, binary: bool) -> InferRequest:
    tensor = InferInput("x", list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return InferRequest(model, [tensor], request_id="mine-9")


async def calls(url: str) -> dict[str, object]:
    client: _Client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=30))
    said: dict[str, object] = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": await client.is_model_ready(url, "floats"),
    }
    for name, array, datatype, binary in (
        ("json", FLOATS, "FP32", False),
        ("binary", FLOATS, "FP32", True),
        ("words", WORDS, "BYTES", False),
    ):
        model = "words" if datatype == "BYTES" else "floats"
        answer = await client.infer(
            url, request(model, array, datatype, binary=binary), model_name=model
        )
        (output,) = answer.outputs
        said[name] = {
            "id": answer.id,
            "parameters": sorted(answer.parameters or {}),
            "shape": list(output.shape),
            "data": output.as_numpy().ravel().tolist(),
        }
    try:
        wrong = request("floats", FLOATS[:, :2], "FP32", binary=False)
        await client.infer(url, wrong, model_name="floats")
    except Exception as error:  # what kind it is, is KServe's affair
        said["error"] = str(error)
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(calls(sys.argv[1])), default=str))
