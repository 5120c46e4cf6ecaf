"""Axis names of a signature: which lengths are free, which are the same, and which one is rows.

Pure. The contract's rule is that one name on two axes means one length within a request, and that
a first axis shared by all inputs and outputs carries rows of several requests.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from pilotage.contracts.signature import Axis, Signature, Tensor

_MADE_UP: Final = re.compile(r"unk__\d+$")
"""Names that exporters make up for axes without one."""

ROWS: Final = "batch"
"""The name of the row axis where the model gives it none."""


def named(tensor: str, shape: Sequence[object]) -> tuple[Axis, ...]:
    """The declared axes; one without a length or a name gets a name of its own."""
    result: list[Axis] = []
    for index, axis in enumerate(shape):
        if (isinstance(axis, int) and axis >= 0) or (isinstance(axis, str) and axis):
            result.append(axis)
        else:
            result.append(_own_name(tensor, index))
    return tuple(result)


def may_have_rows(inputs: Sequence[Tensor]) -> bool:
    """Whether every input's first axis is free, and free of any other axis."""
    firsts = {tensor.shape[0] if tensor.shape else 0 for tensor in inputs}
    others = {axis for tensor in inputs for axis in tensor.shape[1:]}
    return all(isinstance(axis, str) and axis not in others for axis in firsts)


def with_observed(signature: Signature, shapes: Sequence[tuple[int, ...]]) -> Signature:
    """The signature with its outputs as they really came from a run.

    Runtimes let a model declare one shape and return another, or no shape at all; what came is
    what clients get. A length that differs from the declared one is free.
    """
    outputs = tuple(
        msgspec.structs.replace(tensor, shape=_observed(tensor, shape))
        for tensor, shape in zip(signature.outputs, shapes, strict=True)
    )
    return Signature(signature.inputs, outputs)


def _observed(tensor: Tensor, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """The declared axes that agree with a shape that came; own names for those that do not."""
    if len(tensor.shape) != len(shape):
        return tuple(_own_name(tensor.name, index) for index in range(len(shape)))
    return tuple(
        axis if isinstance(axis, str) or axis == length else _own_name(tensor.name, index)
        for index, (axis, length) in enumerate(zip(tensor.shape, shape, strict=True))
    )


def with_rows(signature: Signature) -> Signature:
    """The signature with one row axis, first in every input and output."""
    tensors = signature.inputs + signature.outputs
    given = [
        tensor.shape[0]
        for tensor in tensors
        if isinstance(tensor.shape[0], str)
        and tensor.shape[0] != _own_name(tensor.name, 0)
        and not _MADE_UP.match(tensor.shape[0])
    ]
    others = {axis for tensor in tensors for axis in tensor.shape[1:]}
    name = next((axis for axis in (*given, ROWS) if axis not in others), f"{ROWS}_rows")
    return Signature(
        tuple(_with_first(tensor, name) for tensor in signature.inputs),
        tuple(_with_first(tensor, name) for tensor in signature.outputs),
    )


def without_rows(signature: Signature) -> Signature:
    """The signature with nothing that could be taken for a row axis.

    Inputs keep their names, since those say which lengths must agree; outputs whose first axis
    would complete a row axis get one of their own.
    """
    if signature.batch_axis is None:
        return signature
    return Signature(
        signature.inputs,
        tuple(
            _with_first(tensor, f"{tensor.shape[0]}_of_{tensor.name}")
            for tensor in signature.outputs
        ),
    )


def _with_first(tensor: Tensor, axis: Axis) -> Tensor:
    return msgspec.structs.replace(tensor, shape=(axis, *tensor.shape[1:]))


def _own_name(tensor: str, index: int) -> str:
    return f"{tensor}_axis{index}"
