"""What label a recorded prediction gave, and whether an outcome is the same label. Pure.

The predicted label of a row is the element of the first output that is not floating and has one
element a row; else the place of the largest element in the first floating output whose last axis,
longer than 1, is all of a row; else whether a single floating element is 0.5 or more (1, else 0).

Labels are compared by a code of 64 bits: equal numbers and equal texts have equal codes, True is 1,
and a whole number equals its own text (3 and "3"). Other labels are told apart by 63 bits of a
digest, so two of them pass for equal less than once in 10^18.
"""

import hashlib
import math
from typing import Any, Final

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.records import Block, Column

NONE: Final = 0
"""The code of a prediction whose label is not known."""
_WHOLE: Final = 1 << 61
"""Whole numbers nearer to 0 than this are their own code."""
_DIGEST: Final = 1 << 63
_HALF: Final = 0.5

Array = np.ndarray[Any, np.dtype[Any]]


def code_of(value: bool | int | float | str) -> int:
    """The label's code, above 0 and below 2^64."""
    if isinstance(value, str):
        return _code_of_text(value)
    if isinstance(value, float):
        if not math.isfinite(value) or not value.is_integer():
            return _digest(repr(value))
        value = int(value)
    return value + _WHOLE if -_WHOLE < value < _WHOLE else _digest(str(int(value)))


def _code_of_text(text: str) -> int:
    if len(text) <= 19 and text.removeprefix("-").isdecimal() and text.isascii():
        whole = int(text)
        if str(whole) == text:
            return code_of(whole)
    return _digest(text)


def _digest(text: str) -> int:
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw) | _DIGEST


def codes_of(block: Block) -> list[int] | None:
    """One code for each row of the block, in order; None where its outputs do not tell.

    That is where they were not recorded whole, hold no label, or have another number of rows.
    """
    rows = sum(entry.rows or 1 for entry in block.entries)
    chosen = _chosen(block.outputs)
    if chosen is None or not chosen.data:
        return None
    if chosen.datatype == "BYTES":
        codes = [_code_of_text(text) for text in _texts(chosen.data)]
    else:
        codes = _codes_of_numbers(chosen)
    return codes if len(codes) == rows else None


def _chosen(outputs: tuple[Column, ...]) -> Column | None:
    """The output that says the label: discrete, else a vector of scores, else one score.

    A column's tail is the shape of a row, or of the one prediction of a model without rows.
    """
    scores: Column | None = None
    single: Column | None = None
    for column in outputs:
        elements = math.prod(column.tail)
        if DATATYPES[column.datatype].kind != "float":
            if elements == 1:
                return column
        elif elements == 1:
            single = single or column
        elif column.tail and column.tail[-1] == elements:
            scores = scores or column
    return scores or single


def _codes_of_numbers(column: Column) -> list[int]:
    elements = math.prod(column.tail)
    kind = DATATYPES[column.datatype]
    if len(column.data) % (elements * kind.bytes_each):
        return []
    numbers = np.frombuffer(column.data, np.dtype(kind.numpy).newbyteorder("<"))
    if kind.kind != "float":
        return [code_of(each) for each in numbers.tolist()]
    values = _of_bfloat(numbers) if column.datatype == "BF16" else numbers
    if elements == 1:
        places = (values >= _HALF).astype(np.int64)
    else:
        places = values.reshape(-1, elements).argmax(axis=1)
    return [place + _WHOLE for place in places.tolist()]


def _of_bfloat(raw: Array) -> Array:
    """float32 from the upper 16 bits of each."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


def _texts(data: bytes) -> list[str]:
    texts: list[str] = []
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        texts.append(data[at + 4 : end].decode("utf-8", "replace"))
        at = end
    return texts
