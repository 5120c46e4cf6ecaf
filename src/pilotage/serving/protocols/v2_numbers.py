"""Long arrays of numbers, read by simdjson into a buffer instead of into Python's lists."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import simdjson

from pilotage.contracts.datatypes import Datatype
from pilotage.serving.protocols.v2_elements import bfloat16

LONG_BYTES: Final = 4096
"""JSON from this size up is read here (1024 floats: 22 to 31 us by msgspec, 13 to 18 us here)."""

KEPT_BYTES: Final = 1024 * 1024
"""Longest document of the parser that is used again; it keeps about five times that."""

_FEW: Final = 16


def has_arrays(text: bytes, arrays: int) -> bool:
    """Whether `text` has exactly so many opening brackets.

    Finding a few costs a twentieth of counting all bytes.
    """
    if arrays > _FEW:
        return text.count(b"[") == arrays
    at = -1
    for _ in range(arrays):
        at = text.find(b"[", at + 1)
        if at < 0:
            return False
    return text.find(b"[", at + 1) < 0


def arrays_of(array: simdjson.Array, shape: list[int]) -> int:
    """How many arrays `array` consists of, itself included; 0 when it is not of this shape.

    That the innermost ones hold no arrays in their turn is not looked at: the caller sees it from
    the number of brackets in the text (`has_arrays`).
    """
    elements = 1
    for length in shape:
        elements *= length
    if len(array) == elements and (len(shape) <= 1 or not _starts_nested(array)):
        return 1
    return _nested_arrays(array, shape)


def _starts_nested(array: simdjson.Array) -> bool:
    first: object = array[0] if len(array) else None
    return isinstance(first, simdjson.Array)


def _nested_arrays(array: simdjson.Array, shape: list[int]) -> int:
    if not shape or len(array) != shape[0]:
        return 0
    arrays = 1
    if len(shape) > 1:
        for item in array:
            below = _nested_arrays(item, shape[1:]) if isinstance(item, simdjson.Array) else 0
            if not below:
                return 0
            arrays += below
    return arrays


def numbers(datatype: Datatype, array: simdjson.Array) -> bytes | None:
    """The numbers of an array as raw bytes, nested arrays flattened.

    None when one of them is not of the datatype's kind, or out of its range; what exactly is
    wrong, the general path says.
    """
    try:
        if datatype.kind == "float":
            return _floats(datatype, np.frombuffer(array.as_buffer(of_type="d"), np.float64))
        if datatype.name == "UINT64":
            return bytes(array.as_buffer(of_type="u"))
        return _integers(datatype, np.frombuffer(array.as_buffer(of_type="i"), np.int64))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _floats(datatype: Datatype, values: npt.NDArray[np.float64]) -> bytes | None:
    if datatype.name == "FP64":
        return values.tobytes()
    if datatype.name == "BF16":
        return bfloat16(values)
    with np.errstate(over="ignore"):
        cast_values = values.astype(datatype.numpy)
    # JSON has no infinities, so one that is here was too large for the datatype.
    return cast_values.tobytes() if np.isfinite(cast_values).all() else None


def _integers(datatype: Datatype, values: npt.NDArray[np.int64]) -> bytes | None:
    if datatype.name == "INT64":
        return values.tobytes()
    if len(values) and (values.min() < datatype.low or values.max() > datatype.high):
        return None
    return values.astype(datatype.numpy).tobytes()


class NumberReader:
    """Parses documents with one parser that is used again.

    A parser refuses the next document while something of the last one is still held, so what
    comes out of here must be let go of; where an exception held on to it, the parser is replaced.
    """

    def __init__(self) -> None:
        self._parser = simdjson.Parser()

    def parse(self, text: bytes) -> Any:
        """The document; None where simdjson does not take it."""
        try:
            # A parser keeps the memory of its longest document, so a very long one gets its own.
            parser = self._parser if len(text) <= KEPT_BYTES else simdjson.Parser()
            return parser.parse(text)
        except ValueError:
            return None
        except RuntimeError:
            self._parser = simdjson.Parser()
            return None

    def read(self, text: bytes, datatype: Datatype, shape: list[int]) -> bytes | None:
        """The JSON array `text` as raw bytes; None where the general path must look."""
        array = self.parse(text)
        if not isinstance(array, simdjson.Array):
            return None
        arrays = arrays_of(array, shape)
        return numbers(datatype, array) if arrays and has_arrays(text, arrays) else None
