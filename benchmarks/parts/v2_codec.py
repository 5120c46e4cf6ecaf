"""µs in the v2 codec: to decode a request, to stack a batch, to encode an answer.

    python benchmarks/parts/v2_codec.py

Rotates over eight different bodies, so that no single object stays warm. Prints the median and the
least of several rounds; stacking and encoding are of batches of 32, divided by 32.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.batching import stack
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2 import Codec

ROUNDS = 9
BODIES = 8
BATCH = 32


def signature_of(width: int) -> Signature:
    return Signature(
        (Tensor("x", "FP32", ("rows", width)),),
        (Tensor("label", "INT64", ("rows",)), Tensor("probabilities", "FP32", ("rows", 2))),
    )


def json_bodies(width: int, *, nested: bool = False, **members: object) -> list[bytes]:
    bodies: list[bytes] = []
    for seed in range(BODIES):
        values = np.random.default_rng(seed).normal(size=width).astype(np.float32)
        data = [float(str(value)) for value in values]
        tensor = {
            "name": "x",
            "shape": [1, width],
            "datatype": "FP32",
            "data": [data] if nested else data,
        }
        bodies.append(json.dumps({"inputs": [tensor], **members}).encode())
    return bodies


def binary_body(width: int) -> tuple[bytes, int]:
    tensor = {
        "name": "x",
        "shape": [1, width],
        "datatype": "FP32",
        "parameters": {"binary_data_size": 4 * width},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + bytes(4 * width), len(head)


def report(name: str, calls: Sequence[Callable[[], object]], *, times: int, per: int = 1) -> None:
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            for call in calls:
                call()
        rounds.append((time.perf_counter() - began) / (times * len(calls) * per) * 1e6)
    print(f"{name:<44} median {statistics.median(rounds):6.2f}  least {min(rounds):6.2f} µs")


def decoding(width: int, times: int) -> list[Inference]:
    codec = Codec("m", "1", signature_of(width), Limits())
    forms = {
        "JSON, flat": json_bodies(width),
        "JSON, nested": json_bodies(width, nested=True),
        "JSON, outputs as tritonclient": json_bodies(
            width,
            outputs=[
                {"name": "label", "parameters": {"binary_data": False}},
                {"name": "probabilities", "parameters": {"binary_data": False}},
            ],
        ),
        "JSON, an unknown member": json_bodies(width, surprise=1),
    }
    for name, bodies in forms.items():
        calls = [lambda body=body: codec.decode(body, None) for body in bodies]
        report(f"decode {width} floats, {name}", calls, times=times)
    body, json_bytes = binary_body(width)
    report(
        f"decode {width} floats, binary", [lambda: codec.decode(body, json_bytes)], times=8 * times
    )
    return [codec.decode(body, None) for body in forms["JSON, flat"]] * (BATCH // BODIES)


def encoding(inferences: list[Inference]) -> None:
    codec = Codec("m", "1", signature_of(30), Limits())
    generator = np.random.default_rng(0)
    outputs = [
        generator.integers(0, 2, BATCH),
        generator.random((BATCH, 2), np.float32),
    ]
    ids = [b"%032x" % number for number in range(BATCH)]
    plain = [lambda: codec.encode(outputs, inferences, ids)]
    report("encode, two outputs, JSON", plain, times=2000, per=BATCH)
    named = [
        Inference(each.buffers, each.shapes, 1, None, None, "request-7") for each in inferences
    ]
    report("encode, with ids", [lambda: codec.encode(outputs, named, ids)], times=500, per=BATCH)
    binary = [
        Inference(each.buffers, each.shapes, 1, None, ((0, True), (1, True))) for each in inferences
    ]
    report("encode, binary", [lambda: codec.encode(outputs, binary, ids)], times=500, per=BATCH)


def wide_encoding(inferences: list[Inference]) -> None:
    signature = Signature(
        (Tensor("x", "FP32", ("rows", 1024)),), (Tensor("y", "FP32", ("rows", 1000)),)
    )
    codec = Codec("m", "1", signature, Limits())
    outputs = [np.random.default_rng(0).random((BATCH, 1000), np.float32)]
    ids = [b"%032x" % number for number in range(BATCH)]
    wide = [lambda: codec.encode(outputs, inferences, ids)]
    report("encode 1000 floats, JSON", wide, times=20, per=BATCH)


def main() -> None:
    tiny = decoding(30, times=2000)
    wide = decoding(1024, times=200)
    for width, inferences in ((30, tiny), (1024, wide)):
        signature = signature_of(width)
        calls = [lambda batch=inferences, each=signature: stack(batch, each)]
        report(f"stack {BATCH} requests of {width} floats", calls, times=5000, per=BATCH)
    encoding(tiny)
    wide_encoding(wide)


if __name__ == "__main__":
    main()
