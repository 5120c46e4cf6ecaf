"""Opens an ONNX file in ONNX Runtime and finds out what it takes, gives and weighs.

Runs in a throwaway copy of this process (`isolation.forked`). A file declares axes, but not
whether rows are independent; that is tried: rows run together must give what they give alone.
"""

import ctypes
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor
from pilotage.errors import PilotageError
from pilotage.formats import axes
from pilotage.formats.findings import Finding
from pilotage.isolation.forked import private_bytes
from pilotage.isolation.runtime import onnxruntime as load_onnxruntime

FORMAT: Final = 1
"""Grows when an older inspection may no longer be used."""

TRIED_LENGTHS: Final = (8, 5, 1, 16, 32, 64, 128, 224, 256, 320, 512, 1024)
"""Lengths tried for axes of free length, until the model runs."""

TRIED_INTEGERS: Final = (50, 2)
"""Integers are drawn below the first; below the second where that is out of a model's range."""

TRIED_ELEMENTS: Final = 16_000_000
"""Elements of one tried input; longer axes are not tried."""

_DATATYPES: Final = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(bfloat16)": "BF16",
    "tensor(string)": "BYTES",
}
_ROWS: Final = 5
_BF16_CODE: Final = 16  # TensorProto.DataType.BFLOAT16

Session = Any  # onnxruntime.InferenceSession: the package has no types
Array = np.ndarray[Any, np.dtype[Any]]


class Inspection(Struct, frozen=True):
    """What an ONNX file turned out to be.

    Attributes:
        format, runtime: this file's format number and ONNX Runtime's version, for caching.
        memory_bytes: private memory that loading and a first run took; 0 when unknown.
        findings: what a person should know before it is served.
    """

    format: int
    runtime: str
    signature: Signature
    memory_bytes: int
    findings: tuple[Finding, ...] = ()


def inspect(path: Path, unranked: Sequence[str] = ()) -> Inspection:
    """The inspection of the ONNX file at `path`.

    Args:
        unranked: names of inputs and outputs whose number of axes the file does not declare.

    Raises:
        PilotageError: ONNX Runtime does not load it, or an input or output is no tensor.
    """
    onnxruntime = load_onnxruntime()
    before = private_bytes()
    session = _load(path)
    inputs = [_tensor(argument, "input") for argument in session.get_inputs()]
    outputs = [_tensor(argument, "output") for argument in session.get_outputs()]
    for tensor in inputs:
        if tensor.name in unranked and not tensor.shape:
            raise PilotageError(
                f"the input {tensor.name!r} does not declare its number of axes",
                where=str(path),
                fix="Export the model again with a declared shape; axes may be dynamic.",
            )
    signature, findings = _signature(session, inputs, outputs)
    return Inspection(
        format=FORMAT,
        runtime=str(onnxruntime.__version__),
        signature=signature,
        memory_bytes=max(0, private_bytes() - before),
        findings=tuple(findings),
    )


def _load(path: Path) -> Session:
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise PilotageError(
            f"ONNX Runtime {onnxruntime.__version__} does not load the model: {error}"[:2000],
            where=str(path),
            fix="Check the file with its exporter; it may need operators of its own.",
        ) from error


def _tensor(argument: Any, side: str) -> Tensor:
    """The tensor that the file declares; unnamed axes get names of their own."""
    datatype = _DATATYPES.get(str(argument.type))
    if datatype is None:
        kind = str(argument.type)
        dictionary = "map(" in kind
        raise PilotageError(
            f"the {side} {argument.name!r} is of type {kind}",
            expected="a tensor",
            fix="Export the classifier with the converter's option zipmap=False."
            if dictionary
            else "Export the model with tensors alone as inputs and outputs.",
        )
    name = str(argument.name)
    return Tensor(name, datatype, axes.named(name, list(argument.shape)))


def _signature(
    session: Session, inputs: list[Tensor], outputs: list[Tensor]
) -> tuple[Signature, list[Finding]]:
    """The signature, its row axis only where a trial showed that rows are independent."""
    declared = Signature(tuple(inputs), tuple(outputs))
    if not inputs or not axes.may_have_rows(inputs):
        fixed = Finding("note", "its first axes are fixed, so requests are run one at a time")
        return axes.without_rows(declared), [fixed]
    for length, integers in itertools.product(TRIED_LENGTHS, TRIED_INTEGERS):
        trial = _Trial(session, inputs, outputs, length, integers)
        if not trial.fits():
            continue
        try:
            observed = trial.run([0, 1])
        except Exception:  # any error of the runtime says: not with this length
            continue
        why = trial.rows_depend()
        shaped = axes.with_observed(declared, [np.shape(array) for array in observed])
        if why is None:
            return axes.with_rows(shaped), []
        return axes.without_rows(shaped), [
            Finding("warning", f"{why}, so requests are run one at a time")
        ]
    untried = "it did not run on random rows, so requests are run one at a time"
    return axes.without_rows(declared), [Finding("warning", untried)]


class _Trial:
    """Runs of the model on five random rows, together and alone."""

    def __init__(
        self,
        session: Session,
        inputs: list[Tensor],
        outputs: list[Tensor],
        length: int,
        integers: int,
    ) -> None:
        self.session = session
        self.inputs = inputs
        self.outputs = outputs
        self.tails = [
            tuple(axis if isinstance(axis, int) else length for axis in tensor.shape[1:])
            for tensor in inputs
        ]
        self.integers = integers
        self.rows: list[Array] = []

    def fits(self) -> bool:
        """Whether the tried inputs stay small enough to be made."""
        return all(_ROWS * math.prod(tail) <= TRIED_ELEMENTS for tail in self.tails)

    def run(self, picked: list[int]) -> list[Array]:
        """The outputs for the picked rows, in that order."""
        if not self.rows:
            chance = np.random.default_rng(3)
            self.rows = [
                _draw(chance, tensor.datatype, (_ROWS, *tail), self.integers)
                for tensor, tail in zip(self.inputs, self.tails, strict=True)
            ]
        feeds = {
            tensor.name: np.ascontiguousarray(rows[picked])
            for tensor, rows in zip(self.inputs, self.rows, strict=True)
        }
        names = [tensor.name for tensor in self.outputs]
        if all(tensor.datatype != "BF16" for tensor in self.inputs + self.outputs):
            return [np.asarray(array) for array in self.session.run(names, feeds)]
        # NumPy has no BF16, so it goes in and comes out as the runtime's own values, which on the
        # other hand give back no strings.
        values = self.session.run_with_ort_values(
            names,
            {tensor.name: _value(tensor.datatype, feeds[tensor.name]) for tensor in self.inputs},
        )
        return [
            _read(tensor.datatype, value)
            for tensor, value in zip(self.outputs, values, strict=True)
        ]

    def rows_depend(self) -> str | None:
        """Why the rows cannot be stacked with others; None when they can.

        Two comparisons: among other neighbours a row must stay the same almost to the bit, since
        the same code runs; alone it may differ by more, since matrix products of one row and of
        several are summed in another order, which some models amplify.
        """
        try:
            together = [self.run([0, 1]), self.run([0, 1, 2]), self.run([0, 3, 4])]
            alone = [self.run([row]) for row in range(3)]
        except Exception:  # any error of the runtime: it does not run with each number of rows
            return "it does not run with every number of rows"
        for index, tensor in enumerate(self.outputs):
            counts = (
                (together[0], 2),
                (together[1], 3),
                (together[2], 3),
                *((a, 1) for a in alone),
            )
            if any(run[index].shape[:1] != (count,) for run, count in counts):
                return f"its output {tensor.name!r} does not have one row for each row given"
            if len({run[index].shape[1:] for run, _ in counts}) > 1:
                return f"the shape of its output {tensor.name!r} depends on the rows given"
            first, other = together[1][index][:1], together[2][index][:1]
            single = np.concatenate([one[index] for one in alone])
            if not (
                _close(first, other, tensor.datatype, tight=True)
                and _close(together[1][index], single, tensor.datatype, tight=False)
                and _close(together[0][index], single[:2], tensor.datatype, tight=False)
            ):
                return f"a row of its output {tensor.name!r} depends on the rows beside it"
        return None


def _draw(
    chance: "np.random.Generator", datatype: str, shape: tuple[int, ...], integers: int
) -> Array:
    """Random data that most models accept: small floats, small integers, short strings."""
    kind = DATATYPES[datatype].kind
    if kind == "bytes":
        words = np.array(["a", "b", "one two", "3"], dtype=object)
        return words[chance.integers(0, len(words), shape)]
    if datatype == "BF16":
        floats = chance.standard_normal(shape, dtype=np.float32)
        return (floats.view(np.uint32) >> 16).astype(np.uint16)
    if kind == "float":
        return chance.standard_normal(shape).astype(DATATYPES[datatype].numpy)
    top = 2 if kind == "bool" else integers
    return chance.integers(0, top, shape).astype(DATATYPES[datatype].numpy)


def _value(datatype: str, array: Array) -> Any:
    onnxruntime = load_onnxruntime()
    make = onnxruntime.OrtValue
    if datatype == "BF16":
        return make.ortvalue_from_numpy_with_onnx_type(array, _BF16_CODE)
    return make.ortvalue_from_numpy(array)


def _read(datatype: str, value: Any) -> Array:
    if datatype != "BF16":
        return np.asarray(value.numpy())
    shape = tuple(value.shape())
    raw = ctypes.string_at(value.data_ptr(), 2 * math.prod(shape))
    bits = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
    return bits.view(np.float32).reshape(shape)


def _close(first: Array, second: Array, datatype: str, *, tight: bool) -> bool:
    """Equal up to rounding, relative to the largest value, since sums run in another order."""
    if DATATYPES[datatype].kind != "float":
        return not tight or bool(np.array_equal(first, second))
    step = {"FP16": 1e-2, "BF16": 5e-2}.get(datatype, 1e-6 if tight else 1e-2)
    one, two = first.astype(np.float64), second.astype(np.float64)
    finite = np.abs(one[np.isfinite(one)])
    scale = float(finite.max()) if finite.size else 1.0
    return bool(np.allclose(one, two, rtol=step, atol=step * scale, equal_nan=True))
