"""Signatures and requests for the tests of the protocol, and hypothesis' ways to make them."""

import json
import struct

import numpy as np
from hypothesis import strategies as st

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor

NUMBERS = sorted(set(DATATYPES) - {"BYTES", "BOOL"})
LONG = 1500
"""Elements that take more JSON than the codec reads with msgspec."""


def one_input(datatype: str = "FP32", width: int = 3) -> Signature:
    """A model with a row axis, one input and two outputs."""
    return Signature(
        (Tensor("x", datatype, ("rows", width)),),
        (Tensor("y", "FP32", ("rows", 2)), Tensor("label", "INT64", ("rows",))),
    )


def body_of(*inputs: dict, **members: object) -> bytes:
    return json.dumps({"inputs": list(inputs), **members}).encode()


def tensor(name: str = "x", datatype: str = "FP32", shape=(1, 3), data=(1, 2, 3), **members):
    """One member of `inputs`."""
    given = {"name": name, "datatype": datatype, "shape": list(shape), "data": list(data)}
    return {**given, **members}


def value_of(datatype: str) -> st.SearchStrategy:
    """JSON values that a datatype can hold."""
    kind = DATATYPES[datatype].kind
    if kind == "bool":
        return st.booleans()
    if kind == "int":
        return st.integers(DATATYPES[datatype].low, DATATYPES[datatype].high)
    if kind == "bytes":
        return st.text(max_size=6)
    width = {"FP16": 16, "FP64": 64}.get(datatype, 32)
    return st.floats(allow_nan=False, allow_infinity=False, width=width) | st.integers(-99, 99)


def any_value() -> st.SearchStrategy:
    """A JSON value that may be wrong anywhere."""
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=3),
        st.lists(st.integers(0, 3), max_size=3),
        st.just({}),
    )


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    """Up to three inputs of any datatype, with or without a row axis, fixed and named axes."""
    rows = draw(st.booleans())
    axes = st.sampled_from([1, 2, 3, "n", "m"])
    inputs = []
    for index in range(draw(st.integers(1, 3))):
        behind = tuple(draw(st.lists(axes, max_size=2)))
        shape = ("rows", *behind) if rows else behind
        datatype = draw(st.sampled_from(sorted(DATATYPES)))
        inputs.append(Tensor(f"in{index}", datatype, shape, optional=index == 2))
    outputs = (Tensor("y", "FP32", ("rows", 2)), Tensor("label", "INT64", ("rows",)))
    return Signature(tuple(inputs), outputs)


def nested(values: list, shape: tuple[int, ...]) -> list:
    """A flat list as nested lists."""
    if len(shape) <= 1:
        return values
    step = len(values) // shape[0] if shape[0] else 0
    return [nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


@st.composite
def requests(draw: st.DrawFn, signature: Signature) -> tuple[bytes, int | None]:
    """A body and its JSON length: right, or wrong in one place."""
    lengths = {name: draw(st.integers(1, 3)) for name in ("rows", "n", "m")}
    if draw(st.integers(0, 3)) == 0 and all(t.shape.count("n") < 2 for t in signature.inputs):
        lengths["n"] = LONG
    items, blobs = [], []
    binary = draw(st.booleans())
    for each in signature.inputs:
        if each.optional and draw(st.booleans()):
            continue
        shape = tuple(axis if isinstance(axis, int) else lengths[axis] for axis in each.shape)
        count = int(np.prod(shape)) if shape else 1
        values = draw(st.lists(value_of(each.datatype), min_size=1, max_size=4))
        values = (values * count)[:count]
        item = tensor(each.name, each.datatype, shape, values)
        if binary and draw(st.booleans()) and each.datatype != "BF16":
            del item["data"]
            blobs.append(binary_of(values, each.datatype))
            item["parameters"] = {"binary_data_size": len(blobs[-1])}
        elif draw(st.booleans()):
            item["data"] = nested(values, shape)
        items.append(item)
    request = {"inputs": draw(st.permutations(items))}
    if binary:
        request["inputs"] = items
    request |= draw(members())
    if draw(st.integers(0, 2)) == 0:
        spoil(draw, request)
    text = json.dumps(request).encode()
    blob = b"".join(blobs)
    if binary and draw(st.integers(0, 9)) == 0:
        blob = blob[:-1] if draw(st.booleans()) else blob + b"\0"
    return text + blob, len(text) if binary else None


def members() -> st.SearchStrategy[dict]:
    """The members beside the inputs."""
    flag = st.fixed_dictionaries({}, optional={"binary_data": st.booleans()})
    output = st.fixed_dictionaries(
        {"name": st.sampled_from(["y", "label"])}, optional={"parameters": flag}
    )
    parameters = st.fixed_dictionaries(
        {}, optional={"binary_data_output": st.booleans(), "own": st.integers(0, 9)}
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(max_size=8),
            "model_name": st.just("m"),
            "outputs": st.lists(output, max_size=2),
            "parameters": parameters,
            "unknown": any_value(),
        },
    )


def spoil(draw: st.DrawFn, request: dict) -> None:
    """Makes one thing of a request another thing."""
    where = draw(st.sampled_from(["member", "input", "shape", "data"]))
    if where == "member" or not request["inputs"]:
        request[draw(st.sampled_from(["inputs", "outputs", "id", "parameters"]))] = draw(
            any_value()
        )
        return
    item = draw(st.sampled_from(request["inputs"]))
    if where == "input":
        item[draw(st.sampled_from(["name", "datatype", "shape", "data"]))] = draw(any_value())
    target = item.get(where)
    if isinstance(target, list) and target:
        at = draw(st.integers(0, len(target) - 1))
        target = list(target)
        target[at] = draw(any_value())
        item[where] = target


def binary_of(values: list, datatype: str) -> bytes:
    """Values as a binary tensor."""
    if datatype == "BYTES":
        texts = [value.encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    code = DATATYPES[datatype].code
    return struct.pack(f"<{len(values)}{code}", *values)
