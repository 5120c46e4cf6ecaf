"""A column's values -> the array that a model's input takes, nothing changed in silence.

Allowed: rounding to the input's float type; whole numbers that came as floats into an integer
input; 0 and 1 into a boolean one; a missing number as NaN into a float input; whole numbers as
their digits into a text input. Everything else is an error that tells row and column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.errors import PilotageError
from pilotage.evaluation.data.columns import Kind, kind_of

if TYPE_CHECKING:
    import polars

TAKEN: Final[dict[str, frozenset[Kind]]] = {
    "float": frozenset({"float", "int", "bool", "missing"}),
    "int": frozenset({"int", "float", "bool"}),
    "bool": frozenset({"bool", "int"}),
    "bytes": frozenset({"text", "int"}),
}
"""Which columns an input of each kind of datatype takes."""

WORDS: Final = {
    "float": "numbers",
    "int": "whole numbers",
    "bool": "true or false",
    "bytes": "text",
}

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a series holds: the number of the first, from 0, and how many values each has."""

    first: int
    values_each: int = 1

    def number(self, position: int) -> int:
        """The number, from 1, of the row with the value at `position`."""
        return self.first + position // self.values_each + 1


def cast(
    series: "polars.Series", datatype: str, rows: Rows, *, categories: Sequence[str] = ()
) -> Array:
    """The series as an array (rows,) of the datatype's NumPy type; BF16 as its raw 16 bits.

    Args:
        rows: which rows they are, for errors.
        categories: known values of a text input; where "" is one, a missing text becomes "".

    Raises:
        PilotageError: a value that the datatype cannot hold, with its row (from 1) and column.
    """
    kind = DATATYPES[datatype].kind
    if kind_of(series.dtype) not in TAKEN[kind]:
        raise PilotageError(
            f"column {series.name!r} is of type {series.dtype} from row {rows.number(0):,} on",
            expected=f"{WORDS[kind]} ({datatype})",
        )
    if kind == "float":
        return _floats(series, datatype, rows)
    if kind == "bytes":
        return _texts(series, rows, categories)
    _refuse(series.is_null().to_numpy(), series, datatype, "is missing", rows)
    return _integers(series, datatype, rows)


def numbers(series: "polars.Series") -> Array:
    """Integers, floats or booleans as float64, a missing value as NaN."""
    import polars as pl

    return np.asarray(series.cast(pl.Float64).to_numpy(), np.float64)


def from_bf16(raw: Array) -> Array:
    """BF16 as raw 16 bits -> float32."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


def _floats(series: "polars.Series", datatype: str, rows: Rows) -> Array:
    import polars as pl

    plain = series.dtype.is_integer() or series.dtype.is_float()
    values = np.asarray((series if plain else series.cast(pl.Float64)).to_numpy())
    dtype = np.float32 if datatype == "BF16" else np.dtype(DATATYPES[datatype].numpy)
    if values.dtype == dtype:
        return as_bf16(values) if datatype == "BF16" else values
    with np.errstate(over="ignore"):
        made = values.astype(dtype)
    endless = np.isinf(made)
    if endless.any():
        grown = endless & np.isfinite(values.astype(np.float64))
        _refuse(grown, series, datatype, "is too large", rows)
    return as_bf16(made) if datatype == "BF16" else made


def as_bf16(values: Array) -> Array:
    """float32 -> raw bits of BF16, rounded to the nearest, ties to even; NaN stays NaN."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), np.uint32(0x7FC0), rounded).astype(np.uint16)


def _integers(series: "polars.Series", datatype: str, rows: Rows) -> Array:
    """A series without missing values, as integers or booleans."""
    into = DATATYPES[datatype]
    low, high = (0, 1) if into.kind == "bool" else (into.low, into.high)
    values = np.asarray(series.to_numpy())
    if values.dtype == bool:
        return values.astype(into.numpy)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            broken = ~(np.floor(values) == values)
        _refuse(broken, series, datatype, "is no whole number", rows)
        outside = (values < low) | (values >= float(high) + 1.0)
    else:
        smallest, largest = (int(values.min()), int(values.max())) if values.size else (0, 0)
        if low <= smallest and largest <= high:
            return values.astype(into.numpy)
        outside = np.array([not low <= int(value) <= high for value in values.tolist()])
    _refuse(outside, series, datatype, f"is outside {low} to {high}", rows)
    return values.astype(into.numpy)


def _texts(series: "polars.Series", rows: Rows, categories: Sequence[str]) -> Array:
    import polars as pl

    text = series if series.dtype == pl.String else series.cast(pl.String)
    if text.null_count():
        if "" not in categories:
            _refuse(text.is_null().to_numpy(), series, "BYTES", "is missing", rows)
        text = text.fill_null("")
    return text.to_numpy().astype(object)


def _refuse(bad: Array, series: "polars.Series", datatype: str, what: str, rows: Rows) -> None:
    """Nothing when no row is bad, else an error with the first of them.

    Raises:
        PilotageError: a row is bad.
    """
    found = np.flatnonzero(bad)
    if not len(found):
        return
    others = len(found) - 1
    more = f", and {others:,} more of those that were read with it" if others else ""
    kind = DATATYPES[datatype].kind
    raise PilotageError(
        f"a value of column {series.name!r} {what} in row {rows.number(int(found[0])):,}{more}",
        expected=f"{WORDS[kind]} ({datatype})",
        fix="Fill it in the data, or save the model with a step that fills it."
        if what == "is missing"
        else "",
    )
