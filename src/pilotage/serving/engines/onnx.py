"""ONNX Runtime, in process.

Facts it lives with (all tried): strings go in only as `str` in object arrays; BF16 goes in as an
OrtValue and comes out through its pointer; `session.run` spends more time on checking names than a
tiny model on computing, so the session below it is called where it is there (11.7 -> 7.1 us).
"""

import ctypes
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pilotage.contracts.signature import Signature
from pilotage.contracts.snapshot import Step
from pilotage.isolation import runtime
from pilotage.serving.engines.engine import Array, EngineFailureError

onnxruntime = runtime.onnxruntime()

_BF16_ONNX_TYPE = 16
FATAL = 4
"""ONNX Runtime writes its errors to stderr itself, past our log, and with values of the caller's
inputs in them ("idx=11"). They come as exceptions too, which is where we take them from."""


class OnnxEngine:
    """One session on the CPU."""

    concurrent: Final = True
    """A session may be run by several threads, as ONNX Runtime's documentation says."""

    def __init__(self, step: Step, signature: Signature, threads: int) -> None:
        options: Any = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL
        # A spinning pool would take the core from the loop between two batches.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session: Any = onnxruntime.InferenceSession(
                step.location, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime raises a dozen types of its own
            raise EngineFailureError(f"ONNX Runtime cannot load the model: {error}") from error
        self._session: Any = session
        self._inputs = [tensor.name for tensor in signature.inputs]
        self._outputs = [tensor.name for tensor in signature.outputs]
        self._needs_values = any(
            tensor.datatype == "BF16" for tensor in signature.inputs + signature.outputs
        )
        self._optional = any(tensor.optional for tensor in signature.inputs)
        self._bf16 = [tensor.datatype == "BF16" for tensor in signature.inputs]
        # Private, hence the way back: `run` does the same with more checks.
        self._bare: Any = getattr(getattr(session, "_sess", None), "run", None)

    def run(self, inputs: Sequence[Array | None]) -> list[Array]:
        try:
            if self._needs_values:
                return self._run_values(inputs)
            feed = dict(zip(self._inputs, inputs, strict=True))
            if self._optional:
                feed = {name: array for name, array in feed.items() if array is not None}
            if self._bare is not None:
                return self._bare(self._outputs, feed, None)
            return self._session.run(self._outputs, feed)
        except Exception as error:
            raise EngineFailureError(f"ONNX Runtime cannot run the batch: {error}") from error

    def _run_values(self, inputs: Sequence[Array | None]) -> list[Array]:
        """The way for BF16, which NumPy does not know: raw 16 bits in, raw 16 bits out."""
        values = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(array, _BF16_ONNX_TYPE)
            if bf16
            else onnxruntime.OrtValue.ortvalue_from_numpy(array)
            for name, array, bf16 in zip(self._inputs, inputs, self._bf16, strict=True)
            if array is not None
        }
        outputs: list[Any] = self._session.run_with_ort_values(self._outputs, values)
        return [_array_of(value) for value in outputs]

    def close(self) -> None:
        self._session = self._bare = None


def _array_of(value: Any) -> Array:
    if value.element_type() != _BF16_ONNX_TYPE:
        return value.numpy()
    shape = tuple(value.shape())
    count = int(np.prod(shape))
    raw = ctypes.string_at(value.data_ptr(), 2 * count)
    return np.frombuffer(raw, np.uint16).reshape(shape)
