"""Small ONNX models for tests that run a real server; each function returns a file's bytes."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto, ValueInfoProto

from pilotage.contracts.datatypes import DATATYPES

ONNX_TYPES: Final = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BF16": TensorProto.BFLOAT16,
    "BYTES": TensorProto.STRING,
}
assert ONNX_TYPES.keys() == DATATYPES.keys()

Shape = Sequence[int | str]
Weights = dict[str, npt.NDArray[np.generic]]


def identity(datatype: str, *, shape: Shape = ("n", 3)) -> bytes:
    """x -> y, unchanged."""
    kind = ONNX_TYPES[datatype]
    return _model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", kind, list(shape))],
    )


def tripled(factor: float = 3.0, *, ballast_bytes: int = 0) -> bytes:
    """x FP32[n,4] -> y = factor * x: the factor tells which file answered.

    `ballast_bytes` of weights make the file, and a copy in memory, as large as wanted. They are
    random, so that no one can share or shrink them, and looked up by the input, so that no one can
    leave them out; they add nothing to y.
    """
    chance = np.random.default_rng(int(factor * 1000))
    weights: Weights = {
        "factor": np.array(factor, np.float32),
        "ballast": chance.normal(size=1 + ballast_bytes // 4).astype(np.float32),
        "zero": np.array(0, np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["m"]),
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Mul", ["largest", "zero"], ["first"]),
        helper.make_node("Cast", ["first"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["ballast", "index"], ["heavy"]),
        helper.make_node("Mul", ["heavy", "zero"], ["nothing"]),
        helper.make_node("Add", ["m", "nothing"], ["y"]),
    ]
    return _model(nodes, [_floats("x", ["n", 4])], [_floats("y", ["n", 4])], weights)


def mlp(width: int = 64, *, seed: int = 7) -> bytes:
    """x FP32[n,30] -> y FP32[n,2]: two hidden layers, softmax."""
    chance = np.random.default_rng(seed)

    def layer(rows: int, columns: int) -> npt.NDArray[np.float32]:
        return (chance.normal(size=(rows, columns)) / np.sqrt(rows)).astype(np.float32)

    weights: Weights = {"a": layer(30, width), "b": layer(width, width), "c": layer(width, 2)}
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("MatMul", ["h2", "b"], ["h3"]),
        helper.make_node("Relu", ["h3"], ["h4"]),
        helper.make_node("MatMul", ["h4", "c"], ["h5"]),
        helper.make_node("Softmax", ["h5"], ["y"], axis=1),
    ]
    return _model(nodes, [_floats("x", ["n", 30])], [_floats("y", ["n", 2])], weights)


def two_inputs() -> bytes:
    """number FP32[n,2], word BYTES[n,1] -> doubled FP32[n,2], echo BYTES[n,1]."""
    return _model(
        [
            helper.make_node("Add", ["number", "number"], ["doubled"]),
            helper.make_node("Identity", ["word"], ["echo"]),
        ],
        [_floats("number", ["n", 2]), helper.make_tensor_value_info("word", 8, ["n", 1])],
        [_floats("doubled", ["n", 2]), helper.make_tensor_value_info("echo", 8, ["n", 1])],
    )


def ragged() -> bytes:
    """x FP32[n,length] -> sum FP32[n,1]; requests of different lengths cannot be stacked."""
    weights: Weights = {"axes": np.array([1], np.int64)}
    return _model(
        [helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=1)],
        [_floats("x", ["n", "length"])],
        [_floats("sum", ["n", 1])],
        weights,
    )


def without_rows() -> bytes:
    """x FP32[2,2] -> y FP32[2]: the column sums; no axis to stack requests on."""
    weights: Weights = {"axes": np.array([0], np.int64)}
    return _model(
        [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
        [_floats("x", [2, 2])],
        [_floats("y", [2])],
        weights,
    )


def logarithm() -> bytes:
    """x FP32[n,2] -> y = log x, plain FP32[n,2] = x: NaN below zero, -infinity at zero."""
    return _model(
        [
            helper.make_node("Log", ["x"], ["y"]),
            helper.make_node("Identity", ["x"], ["plain"]),
        ],
        [_floats("x", ["n", 2])],
        [_floats("y", ["n", 2]), _floats("plain", ["n", 2])],
    )


def look_up() -> bytes:
    """index INT64[n,1] -> value FP32[n,1] = 10 * index; fails at run time above 9."""
    weights: Weights = {"table": np.arange(10, dtype=np.float32) * 10}
    return _model(
        [helper.make_node("Gather", ["table", "index"], ["value"], axis=0)],
        [helper.make_tensor_value_info("index", TensorProto.INT64, ["n", 1])],
        [_floats("value", ["n", 1])],
        weights,
    )


def _floats(name: str, shape: Shape) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _model(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    weights: Weights | None = None,
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "model",
        inputs,
        outputs,
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9, producer_name="tests")
    return model.SerializeToString()
