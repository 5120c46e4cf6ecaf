"""Adds to an ONNX signature what the original framework knew: ranges, categories, classes.

Pure.
"""

from collections.abc import Sequence

import msgspec

from pilotage.contracts.signature import Signature, Tensor
from pilotage.isolation.conversion import Column, Converted


def described(signature: Signature, converted: Converted) -> Signature:
    """The signature of a converted model, with ranges and categories where they are known."""
    columns = {column.name: column for column in converted.columns}
    return Signature(
        tuple(_input(tensor, columns, converted.columns) for tensor in signature.inputs),
        tuple(_output(tensor, converted.classes) for tensor in signature.outputs),
    )


def _input(tensor: Tensor, by_name: dict[str, Column], columns: Sequence[Column]) -> Tensor:
    """A column's own range and categories; over all columns where they share one input."""
    own = by_name.get(tensor.name)
    if own is not None and tensor.shape[1:] == (1,):
        return msgspec.structs.replace(
            tensor, low=own.low, high=own.high, categories=own.categories
        )
    lows = [column.low for column in columns if column.low is not None]
    highs = [column.high for column in columns if column.high is not None]
    if len(lows) < len(columns) or len(highs) < len(columns):
        return tensor
    return msgspec.structs.replace(tensor, low=min(lows), high=max(highs))


def _output(tensor: Tensor, classes: tuple[str, ...]) -> Tensor:
    if tensor.name == "label":
        return msgspec.structs.replace(tensor, categories=classes)
    if tensor.name == "probabilities":
        return msgspec.structs.replace(tensor, low=0.0, high=1.0, categories=classes)
    return tensor
