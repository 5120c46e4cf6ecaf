"""A batch of inputs -> the same batch with values missing and noise on its numbers. Pure.

Chance belongs to the row (`row_chance`), so that the same seed changes the same values in the same
way, whatever the batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor
from pilotage.evaluation.data.casting import as_bf16, from_bf16
from pilotage.evaluation.perturbation.row_chance import RowChance

MISSING, NOISE = 0, 1
"""What a stream of chance is for."""
WHOLE_FLOAT: Final = 2.0**53
"""Up to here a 64-bit float holds every whole number."""
BF16_NAN: Final = 0x7FC0

Array = np.ndarray[Any, np.dtype[Any]]
Inputs = list[Array | None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is done to one input.

    Attributes:
        input: its index in the signature.
        positions: which values of a row are meant; None for all.
        missing: the probability with which a value goes missing; 0 for an input that cannot.
        noise: the noise's standard deviation, in the input's unit, by position or for all, shape
            (positions,) or (1,); None for no noise.
    """

    input: int
    positions: tuple[int, ...] | None = None
    missing: float = 0.0
    noise: Array | None = None


def perturb(
    inputs: Inputs,
    signature: Signature,
    targets: Sequence[Target],
    *,
    first_row: int,
    seed: tuple[int, ...],
) -> Inputs:
    """Other inputs of the same shapes; those that come in are not changed.

    Args:
        inputs: (rows, ...) each, as the engine takes them; None for one that is left out.
        first_row: the number of the first row, from 0.
        seed: the same seed and row give the same change.
    """
    made = list(inputs)
    for target in targets:
        array = made[target.input]
        if array is not None and array.size:
            tensor = signature.inputs[target.input]
            made[target.input] = _changed(array, tensor, target, first_row, seed)
    return made


def _changed(
    array: Array, tensor: Tensor, target: Target, first_row: int, seed: tuple[int, ...]
) -> Array:
    rows = len(array)
    flat: Array = array.reshape(rows, -1).copy()
    wide = flat.shape[1]
    meant = np.full(wide, target.positions is None)
    if target.positions is not None:
        meant[list(target.positions)] = True
    if target.noise is not None:
        drawn = RowChance(*seed, target.input, NOISE).normal(first_row, rows, wide)
        flat = _noised(flat, tensor.datatype, drawn * (target.noise * meant))
    if target.missing:
        drawn = RowChance(*seed, target.input, MISSING).uniform(first_row, rows, wide)
        flat[(drawn < target.missing) & meant] = _nothing(tensor.datatype)
    return np.asarray(flat).reshape(array.shape)


def _noised(values: Array, datatype: str, noise: Array) -> Array:
    if datatype == "BF16":
        return as_bf16((from_bf16(values) + noise).astype(np.float32))
    if DATATYPES[datatype].kind == "int":
        return _moved(values, datatype, noise)
    limits = np.finfo(values.dtype)
    low, high = float(limits.min), float(limits.max)
    return np.clip(values.astype(np.float64) + noise, low, high).astype(values.dtype)


def _moved(values: Array, datatype: str, noise: Array) -> Array:
    """Whole numbers moved by rounded noise, as far as their type goes.

    Distances to the ends are exact in 64 bits without a sign, whatever the type.
    """
    into = DATATYPES[datatype]
    bits: Array = values.astype(np.int64 if into.low else np.uint64).view(np.uint64)
    down = bits - np.uint64(into.low % 2**64)
    up = np.uint64(into.high) - bits
    least = -np.minimum(down.astype(np.float64), WHOLE_FLOAT)
    most = np.minimum(up.astype(np.float64), WHOLE_FLOAT)
    moved = np.clip(np.rint(noise), least, most).astype(np.int64).view(np.uint64)
    ends: Any = (bits + moved).view(np.int64 if into.low else np.uint64)
    return np.asarray(ends, values.dtype)


def _nothing(datatype: str) -> Any:
    if datatype == "BF16":
        return np.uint16(BF16_NAN)
    return "" if datatype == "BYTES" else np.nan
