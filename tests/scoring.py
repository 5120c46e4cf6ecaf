"""Small ONNX models and tables for the tests of evaluation."""

from pathlib import Path

import numpy as np
import polars as pl
from onnx import TensorProto, helper, numpy_helper

from pilotage.formats.opening import OpenedModel, open_model

TYPES = {"f": TensorProto.FLOAT, "i": TensorProto.INT64, "s": TensorProto.STRING}


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, TYPES.get(kind, kind), list(shape))


def opened(folder: Path, nodes, inputs, outputs, weights=None, domains=()) -> OpenedModel:
    """An ONNX model, made and opened."""
    arrays = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, arrays)
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 3) for name in domains)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return open_model(path, artifacts=folder / "store")


def unary(folder, operator, inputs, outputs, weights=None, **attributes):
    """One operator on x (and on the weights), giving y."""
    names = ["x", *(weights or {})]
    node = helper.make_node(operator, names, ["y"], **attributes)
    return opened(folder, [node], [inputs], [outputs], weights)


def two_probabilities(folder) -> OpenedModel:
    """x FP32[n,2] -> p FP32[n,2]: softmax of (0, x0 - x1)."""
    weights = {"w": np.array([[0, 1], [0, -1]], np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    return opened(folder, nodes, [value("x", "f", ["n", 2])], [value("p", "f", ["n", 2])], weights)


def same(folder, width, *, kind="f") -> OpenedModel:
    """x [n,width] -> y [n,width], unchanged: what the columns hold is what the model says."""
    shape = ["n", width]
    return unary(folder, "Identity", value("x", kind, shape), value("y", kind, shape))


def labelled(folder, names, *, width=None) -> OpenedModel:
    """x FP32[n,k] -> label (text), scores FP32[n,k]: the class with the largest score."""
    count = width or len(names)
    nodes = [
        helper.make_node("ArgMax", ["x"], ["index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["names", "index"], ["label"]),
        helper.make_node("Identity", ["x"], ["scores"]),
    ]
    outputs = [value("label", "s", ["n"]), value("scores", "f", ["n", count])]
    weights = {"names": np.array(names, object)}
    return opened(folder, nodes, [value("x", "f", ["n", count])], outputs, weights)


def parquet(folder, columns, name="data.parquet") -> str:
    path = folder / name
    pl.DataFrame(columns, strict=False).write_parquet(path)
    return str(path)
