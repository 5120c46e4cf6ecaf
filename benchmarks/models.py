"""Makes the models that every contender serves, the same bytes on every machine.

`tiny` is an MLP 30-64-64-2 (the cost is the server's, not the model's), `wide` an MLP
1024-4096-4096-1000 (100 MB of weights: the cost is the model's, and batching decides), `image`
takes 3 x 224 x 224 pixels to 10 numbers at almost no cost (the cost is its 3 MB of JSON).
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.places import BUILD

OPSET = 17
IR_VERSION = 9
"""Old enough for every peer's ONNX Runtime."""


@dataclass(frozen=True)
class Model:
    """A model: its name, the tail of its input's shape, the width of its output.

    `decimals` is how the values of its requests are written: None as float32 turned into Python's
    float, which is what most clients send.
    """

    name: str
    tail: tuple[int, ...]
    outputs: int
    decimals: int | None = 4

    @property
    def path(self) -> Path:
        return BUILD / "models" / f"{self.name}.onnx"

    @property
    def inputs(self) -> int:
        return int(np.prod(self.tail))


TINY = Model("tiny", (30,), 2)
WIDE = Model("wide", (1024,), 1000)
IMAGE = Model("image", (3, 224, 224), 10, decimals=None)
CACHED = Model("cached", (30,), 2)
"""4 MB of weights: what another model does to the caches shows."""
MODELS = {model.name: model for model in (TINY, WIDE, IMAGE)}

_LAYERS = {
    "tiny": (30, 64, 64, 2),
    "cached": (30, 1024, 1024, 2),
    "wide": (1024, 4096, 4096, 1000),
}
_SEEDS = {"tiny": 30, "cached": 30, "wide": 1024, "image": 224}


def make(model: Model) -> Path:
    """The model's file, written on first use; float32 `input` [rows, ...] to `output` [rows, n]."""
    if not model.path.exists():
        model.path.parent.mkdir(parents=True, exist_ok=True)
        nodes, weights = _image() if model is IMAGE else _perceptron(model)
        graph = helper.make_graph(
            nodes,
            model.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["rows", *model.tail])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["rows", model.outputs])],
            initializer=weights,
        )
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        cast(Any, onnx.checker).check_model(made)
        whole = model.path.with_suffix(".part")
        whole.write_bytes(made.SerializeToString())
        whole.rename(model.path)
    return model.path


def _perceptron(model: Model) -> tuple[list[Any], list[Any]]:
    chance = np.random.default_rng(_SEEDS[model.name])
    widths = _LAYERS[model.name]
    nodes: list[Any] = []
    weights: list[Any] = []
    value = "input"
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        last = layer == len(widths) - 2
        weights += [
            _weight(chance, f"w{layer}", (fan_in, fan_out), fan_in),
            _weight(chance, f"b{layer}", (fan_out,), fan_in),
        ]
        result = "output" if last else f"sum{layer}"
        nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [result]))
        if not last:
            value = f"relu{layer}"
            nodes.append(helper.make_node("Relu", [result], [value]))
    return nodes, weights


def _image() -> tuple[list[Any], list[Any]]:
    chance = np.random.default_rng(_SEEDS["image"])
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "w", "b"], ["output"]),
    ]
    return nodes, [_weight(chance, "w", (3, 10), 3), _weight(chance, "b", (10,), 3)]


def _weight(chance: np.random.Generator, name: str, shape: tuple[int, ...], fan_in: int) -> Any:
    values = chance.standard_normal(shape, dtype=np.float32) * np.float32(fan_in**-0.5)
    return cast(Any, numpy_helper.from_array(values, name))
