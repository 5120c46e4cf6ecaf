"""Throws bytes at the tensor parsers: they answer with an inference or a refusal, nothing else.

    pip install atheris
    PYTHONPATH=tests python tests/fuzz/tensors.py -max_total_time=60

What is read must fill its shape, and a plain reading (`json` and loops) must agree on yes and no.
"""

import json
import math
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["pilotage.serving.protocols"]):
    from pilotage.serving.protocols.generate import GenerateCodec
    from pilotage.serving.protocols.v2 import Codec

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.refusals import Refusal
from rooms.serving.protocols import plain

LIMITS = Limits(request_rows=4, json_depth=6, client_id_bytes=4)
Y = (Tensor("y", "FP32", ("r", 2)), Tensor("z", "INT8", ("r",)))
SIGNATURES = [
    *(Signature((Tensor("x", name, ("r", 2)),), Y) for name in DATATYPES),
    Signature(
        (Tensor("x", "FP32", ("r", "n")), Tensor("s", "BYTES", ("r", "n"), optional=True)), Y
    ),
    Signature((Tensor("x", "INT16", (2, "n")),), (Tensor("y", "FP32", ("n",)),)),
]
CODECS = [Codec("m", "1", signature, LIMITS) for signature in SIGNATURES]
GENERATORS = [GenerateCodec("m", "1", signature, LIMITS) for signature in SIGNATURES]
WORDS = [b'"inputs"', b'"x"', b'"shape"', b'"datatype"', b'"data"', b'"parameters"', b'"outputs"']
SEED = {
    "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}],
    "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
    "id": "7",
}


def body_from(provider: atheris.FuzzedDataProvider, signature: Signature) -> bytes:
    """Raw bytes, or a right request with one piece of it overwritten."""
    if provider.ConsumeBool():
        return provider.ConsumeBytes(sys.maxsize)
    request = json.loads(json.dumps(SEED))
    request["inputs"][0]["datatype"] = signature.inputs[0].datatype
    pad = provider.PickValueInList([0, 5000])
    text = bytearray(json.dumps(request).encode() + b" " * pad)
    at = provider.ConsumeIntInRange(0, len(text) - pad)
    cut = provider.ConsumeIntInRange(0, 12)
    piece = provider.PickValueInList([b"", *WORDS]) + provider.ConsumeBytes(24)
    text[at : at + cut] = piece
    return bytes(text)


def accepted(decode: Callable[[], Inference]) -> Inference | None:
    """What was decoded, None where it was refused as a fault of the request."""
    try:
        return decode()
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        return None


def one(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    which = provider.ConsumeIntInRange(0, len(SIGNATURES) - 1)
    signature = SIGNATURES[which]
    binary = provider.ConsumeBool()
    short = provider.ConsumeIntInRange(0, 64)
    body = body_from(provider, signature)
    json_bytes = max(1, len(body) - short) if binary else None
    accepted(lambda: GENERATORS[which].decode(body))
    accepted(lambda: CODECS[which].decode(body, 0))
    try:
        expected = plain.read(body, json_bytes, signature, LIMITS)
    except plain.No:
        expected = None
    inference = accepted(lambda: CODECS[which].decode(body, json_bytes))
    if inference is None:
        assert expected is None, body
        return
    for tensor, buffer, shape in zip(
        signature.inputs, inference.buffers, inference.shapes, strict=True
    ):
        size = DATATYPES[tensor.datatype].bytes_each or 1
        assert buffer is None or len(buffer) == size * math.prod(shape)
    assert expected is not None, body
    got = (inference.buffers, inference.shapes, inference.rows, inference.wanted)
    assert (*got, inference.client_id) == expected, body


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
