"""Rows as infer requests of the Open Inference Protocol v2, one row each. Pure.

Inputs go as binary tensors behind the JSON (the protocol's binary tensor extension), so that a
request costs what its row costs.
"""

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from pilotage.contracts.signature import Signature, Tensor

Array = np.ndarray[Any, np.dtype[Any]]


def requests_of(
    inputs: Sequence[Array | None], signature: Signature, path: str, host: str
) -> list[bytes]:
    """A whole HTTP/1.1 request for each row.

    Args:
        inputs: (rows, ...) each, as the engine takes them; None for one that is left out.
        path: "/v2/models/NAME/infer".
        host: "127.0.0.1:8080".
    """
    rows = next((len(array) for array in inputs if array is not None), 0)
    return [_request(row, inputs, signature, path, host) for row in range(rows)]


def _request(
    row: int, inputs: Sequence[Array | None], signature: Signature, path: str, host: str
) -> bytes:
    stacked = signature.batch_axis is not None
    tensors: list[dict[str, Any]] = []
    raws: list[bytes] = []
    for array, tensor in zip(inputs, signature.inputs, strict=True):
        if array is None:
            continue
        one = array[row : row + 1]
        one = one if stacked or _led(tensor) else one[0]
        raws.append(_raw(one, tensor.datatype))
        tensors.append(
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": list(np.shape(one)),
                "parameters": {"binary_data_size": len(raws[-1])},
            }
        )
    asked = {"parameters": {"binary_data_output": True}, "inputs": tensors}
    head = json.dumps(asked, separators=(",", ":")).encode()
    body = head + b"".join(raws)
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/octet-stream",
        f"Inference-Header-Content-Length: {len(head)}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _raw(array: Array, datatype: str) -> bytes:
    if datatype != "BYTES":
        return np.ascontiguousarray(array).tobytes()
    elements = [text.encode() for text in np.asarray(array).ravel().tolist()]
    return b"".join(struct.pack("<I", len(each)) + each for each in elements)


def _led(tensor: Tensor) -> bool:
    """Whether the first axis of a tensor of a model without a row axis holds one row."""
    return bool(tensor.shape) and (isinstance(tensor.shape[0], str) or tensor.shape[0] == 1)
