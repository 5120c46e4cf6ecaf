"""The last touches on a converted ONNX model: clean names, one row axis; and running it."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from pilotage.isolation.runtime import onnxruntime as load_onnxruntime

ROW_AXIS: Final = "batch"
OPSET: Final = 18
"""The ai.onnx opset that is asked of the converters, where they know it."""

Array = np.ndarray[Any, np.dtype[Any]]


def rename_outputs(model: Any, names: Mapping[str, str]) -> None:
    """Renames outputs, and every use of them inside the graph."""
    for node in model.graph.node:
        node.output[:] = [names.get(name, name) for name in node.output]
        node.input[:] = [names.get(name, name) for name in node.input]
    for output in model.graph.output:
        output.name = names.get(output.name, output.name)


def name_rows(model: Any) -> None:
    """Names the first axis of every input and output."""
    for tensor in (*model.graph.input, *model.graph.output):
        shape = tensor.type.tensor_type.shape
        if shape.dim:
            shape.dim[0].ClearField("dim_value")
            shape.dim[0].dim_param = ROW_AXIS


def save(model: Any, path: Path) -> None:
    """Writes the model; the same model gives the same bytes, so converters' random names go."""
    model.doc_string = ""
    model.graph.name = "model"
    path.write_bytes(model.SerializeToString(deterministic=True))


def run(path: Path, feeds: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
    """The outputs of the ONNX file for these inputs."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return dict(zip(outputs, session.run(list(outputs), dict(feeds)), strict=True))


def versions(*packages: str) -> dict[str, str]:
    """The installed versions of these packages."""
    metadata = import_module("importlib.metadata")
    return {package: metadata.version(package) for package in packages}


def one_matrix(name: str, columns: int) -> list[tuple[str, Any]]:
    """The input of onnxmltools' converters of trees: float32 rows of so many columns."""
    types: Any = import_module("onnxmltools.convert.common.data_types")
    return [(name, types.FloatTensorType([None, columns]))]


def save_trees(model: Any, path: Path, *, classifies: bool) -> None:
    """Saves a converted model of trees with the outputs' names that all our models have."""
    names = ["label", "probabilities"] if classifies else ["value"]
    made = [output.name for output in model.graph.output]
    rename_outputs(model, dict(zip(made, names, strict=False)))
    name_rows(model)
    save(model, path)
