"""Requests that one engine call answers: their buffers to arrays, and outputs to each one's rows.

Budget: 32 requests of 1024 floats 7 us, of which the join is 3 (benchmarks/parts/v2_codec.py).
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols.inference import Inference

_DTYPES: Final = {
    name: None if datatype.kind == "bytes" else np.dtype(datatype.numpy)
    for name, datatype in DATATYPES.items()
}


def stack(
    inferences: Sequence[Inference], signature: Signature, *, bytes_are_text: bool = True
) -> list[npt.NDArray[Any] | None]:
    """One array for each input of the signature, the rows of the requests in their order.

    Args:
        inferences: of equal `group`; exactly one where the model has no row axis.
        bytes_are_text: BYTES become `str`, the only form that ONNX Runtime reads; False leaves
            `bytes`. As the codec's: one that takes text has seen that it is UTF-8.

    Returns:
        Read-only arrays over the joined bytes; BF16 as its raw bits in uint16, BYTES as object
        arrays; None for an input that was left out.
    """
    first = inferences[0]
    rows = first.rows if len(inferences) == 1 else sum([each.rows for each in inferences])
    arrays: list[npt.NDArray[Any] | None] = []
    for index, tensor in enumerate(signature.inputs):
        if first.buffers[index] is None:
            arrays.append(None)
            continue
        shape = first.shapes[index]
        whole = (rows, *shape[1:]) if rows else shape
        dtype = _DTYPES[tensor.datatype]
        if dtype is None:
            arrays.append(_objects(inferences, index, text=bytes_are_text).reshape(whole))
        else:
            parts = [cast(bytes, each.buffers[index]) for each in inferences]
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            arrays.append(np.frombuffer(data, dtype).reshape(whole))
    return arrays


def _objects(inferences: Sequence[Inference], index: int, *, text: bool) -> npt.NDArray[Any]:
    """The elements of a BYTES input of all requests."""
    values: list[Any] = []
    for each in inferences:
        elements = cast("list[bytes]", each.buffers[index])
        values += [element.decode() for element in elements] if text else elements
    array = np.empty(len(values), object)
    array[:] = values
    return array


def rows_of_each(
    outputs: Sequence[npt.NDArray[Any]], inferences: Sequence[Inference]
) -> list[tuple[npt.NDArray[Any], ...]]:
    """The outputs of each request, cut out of those of the batch; the rows are views.

    One request, as of a model without a row axis, gets the outputs whole.
    """
    if len(inferences) == 1:
        return [tuple(outputs)]
    cuts: list[tuple[npt.NDArray[Any], ...]] = []
    start = 0
    for each in inferences:
        stop = start + each.rows
        cuts.append(tuple(output[start:stop] for output in outputs))
        start = stop
    return cuts
