"""The v2 request read the plain way, with `json` and nested loops: what the codec is compared with.

It shares no code with the codec. It says yes or no and what was read, not why.
"""

import json
import struct
from fractions import Fraction

import numpy as np

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature

SIZES = {"BOOL": 1, "FP16": 2, "FP32": 4, "FP64": 8, "BF16": 2}
SIZES |= {f"{sign}INT{bits}": bits // 8 for sign in ("U", "") for bits in (8, 16, 32, 64)}
NUMPY = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}
NUMPY |= {f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)}
NUMPY |= {f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)}


class No(Exception):
    """The request is refused."""


def need(condition: bool) -> None:
    if not condition:
        raise No


def _no_constant(name: str) -> None:
    raise No(name)


def read(body: bytes, json_bytes: int | None, signature: Signature, limits: Limits):
    """(buffers, shapes, rows, wanted, id) of a request.

    Raises:
        No: the request is to be refused.
    """
    text = body if json_bytes is None else body[:json_bytes]
    need(json_bytes is None or json_bytes <= len(body))
    try:
        request = json.loads(text.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise No from None
    need(depth_of(request) <= limits.json_depth)
    need(type(request) is dict and type(request.get("inputs")) is list)
    client_id = request.get("id")
    need(client_id is None or type(client_id) is str)
    need(client_id is None or len(client_id.encode()) <= limits.client_id_bytes)
    tail = body[len(text) :]
    tensors = {tensor.name: tensor for tensor in signature.inputs}
    found: dict[str, tuple] = {}
    lengths: dict[str, int] = {}
    for item in request["inputs"]:
        need(type(item) is dict and type(item.get("name")) is str and item["name"] in tensors)
        tensor = tensors[item["name"]]
        need(tensor.name not in found and item.get("datatype") == tensor.datatype)
        shape = item.get("shape")
        need(type(shape) is list and len(shape) == len(tensor.shape))
        for length, axis in zip(shape, tensor.shape, strict=True):
            need(type(length) is int and length >= 0)
            need(length == (axis if type(axis) is int else lengths.setdefault(axis, length)))
        data, tail = _data(item, tensor.datatype, shape, tail, json_bytes is not None)
        found[tensor.name] = (data, tuple(shape))
    need(not tail)
    need(all(tensor.optional or tensor.name in found for tensor in signature.inputs))
    rows = 0
    if signature.batch_axis is not None:
        rows = lengths[signature.batch_axis]
        need(1 <= rows <= limits.request_rows)
    ordered = [found.get(tensor.name, (None, ())) for tensor in signature.inputs]
    wanted = _wanted(request, signature)
    return tuple(d for d, _ in ordered), tuple(s for _, s in ordered), rows, wanted, client_id


def object_or_none(item: dict, name: str) -> dict:
    """An object, {} where it is null or not there."""
    value = item.get(name)
    need(value is None or type(value) is dict)
    return value or {}


def depth_of(value: object) -> int:
    """Levels of arrays and objects."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def _data(item: dict, datatype: str, shape: list[int], tail: bytes, binary: bool):
    """The elements of one input, and the binary bytes left behind it."""
    count = int(np.prod([int(length) for length in shape], dtype=object)) if shape else 1
    parameters = object_or_none(item, "parameters")
    if "binary_data_size" in parameters:
        size = parameters["binary_data_size"]
        need(binary and "data" not in item and type(size) is int and 0 <= size <= len(tail))
        data, tail = tail[:size], tail[size:]
        if datatype == "BYTES":
            return split_bytes(data, count), tail
        need(size == count * SIZES[datatype])
        need(datatype != "BOOL" or set(data) <= {0, 1})
        return data, tail
    values = item.get("data")
    need(type(values) is list)
    values = flattened(values, shape) if values and type(values[0]) is list else values
    need(len(values) == count)
    return elements(values, datatype), tail


def split_bytes(data: bytes, count: int) -> list[bytes]:
    """The elements of a binary BYTES tensor."""
    values = []
    while data:
        need(len(data) >= 4)
        (length,) = struct.unpack("<I", data[:4])
        need(len(data) >= 4 + length)
        values.append(data[4 : 4 + length])
        data = data[4 + length :]
        try:
            values[-1].decode()
        except UnicodeDecodeError:
            raise No from None
    need(len(values) == count)
    return values


def flattened(values: object, shape: list[int]) -> list:
    """Nested lists of exactly this shape, flat."""
    if not shape:
        return [values]
    need(type(values) is list and len(values) == shape[0])
    return [leaf for item in values for leaf in flattened(item, shape[1:])]


def elements(values: list, datatype: str) -> bytes | list[bytes]:
    """Values of exactly the right type as bytes."""
    if datatype == "BYTES":
        need(all(type(value) is str for value in values))
        try:
            return [value.encode() for value in values]
        except UnicodeEncodeError:
            raise No from None
    if datatype == "BOOL":
        need(all(type(value) is bool for value in values))
        return bytes(values)
    if "INT" in datatype:
        need(all(type(value) is int for value in values))
        info = np.iinfo(NUMPY[datatype])
        need(all(info.min <= value <= info.max for value in values))
        return np.array(values, NUMPY[datatype]).tobytes()
    need(all(type(value) in (int, float) for value in values))
    try:
        floats = [float(value) for value in values]
    except OverflowError:
        raise No from None
    need(all(map(np.isfinite, floats)))
    if datatype == "BF16":
        return b"".join(nearest_bfloat16(value) for value in floats)
    with np.errstate(over="ignore"):
        array = np.array(floats, np.float64).astype(NUMPY[datatype])
    need(bool(np.isfinite(array).all()))
    return array.tobytes()


def nearest_bfloat16(value: float) -> bytes:
    """The bfloat16 nearest to a double, ties to even, found by trying its neighbours."""
    with np.errstate(over="ignore"):
        bits = int(np.float32(abs(value)).view(np.uint32)) >> 16
    candidates = [bits + step for step in (-1, 0, 1) if 0 <= bits + step <= 0x7F80]
    exact = Fraction(abs(value))

    def size_of(candidate: int) -> Fraction:
        if candidate == 0x7F80:
            return Fraction(2) ** 128
        return Fraction(float(np.uint32(candidate << 16).view(np.float32)))

    best = min(candidates, key=lambda each: (abs(size_of(each) - exact), each % 2))
    need(best != 0x7F80)
    return struct.pack("<H", best | (0x8000 if np.signbit(value) else 0))


def _wanted(request: dict, signature: Signature):
    """Which outputs, and whether as binary data; None for all as JSON in their order."""
    parameters = object_or_none(request, "parameters")
    everywhere = parameters.get("binary_data_output", False)
    need(type(everywhere) is bool)
    names = [tensor.name for tensor in signature.outputs]
    asked = request.get("outputs")
    need(asked is None or type(asked) is list)
    wanted = []
    for item in asked or [{"name": name} for name in names]:
        need(type(item) is dict and item.get("name") in names)
        own = object_or_none(item, "parameters")
        need(not own.get("classification"))
        binary = own.get("binary_data", everywhere)
        need(type(binary) is bool)
        wanted.append((names.index(item["name"]), binary))
    need(len({index for index, _ in wanted}) == len(wanted))
    usual = [(index, False) for index in range(len(names))]
    return None if wanted == usual else tuple(wanted)
