"""ONNX Runtime alone, on one thread: the reference for answers and for speed."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.models import Model, make

_ort = cast(Any, onnxruntime)


def engine(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function from rows, float32 [n, ...], to the model's output, float32 [n, outputs]."""
    options = _ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(make(model))
    session = _ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(rows: np.ndarray) -> np.ndarray:
        return session.run(["output"], {"input": rows})[0]

    return run
