"""A batch of rows -> the arrays an engine takes, while what is worth a note is counted."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data.casting import Rows, cast
from pilotage.evaluation.data.columns import Batch
from pilotage.evaluation.data.images import pixels
from pilotage.evaluation.scoring.encoding import Encoding, Feed

if TYPE_CHECKING:
    import polars

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(slots=True)
class Tally:
    """Values that went in and that a person may want to know of, counted by input or column."""

    missing: dict[str, int] = field(default_factory=dict[str, int])
    outside: dict[str, int] = field(default_factory=dict[str, int])
    unknown: dict[str, int] = field(default_factory=dict[str, int])

    def notes(self) -> tuple[str, ...]:
        """A sentence a kind."""
        kinds = (
            (self.missing, "missing, which goes in as NaN, or as an empty text"),
            (self.outside, "outside the range that the model was made for"),
            (self.unknown, "of no category that the model knows"),
        )
        return tuple(_note(counts, what) for counts, what in kinds if counts)


def _note(counts: dict[str, int], what: str) -> str:
    total = sum(counts.values())
    places = ", ".join(f"{name} ({count:,})" for name, count in sorted(counts.items()))
    return f"{total:,} {'value is' if total == 1 else 'values are'} {what}: {places}"


def inputs_of(batch: Batch, encoding: Encoding, tally: Tally) -> list[Array | None]:
    """One array an input, (rows, *the row's shape), in the signature's order; None for an input
    that is left out.

    Raises:
        PilotageErrors: values that an input cannot take: each column's first, with its row.
    """
    errors: list[PilotageError] = []
    arrays = [_input(batch, feed, tally, errors) for feed in encoding.feeds]
    if errors:
        raise PilotageErrors(errors)
    return arrays


def _input(batch: Batch, feed: Feed, tally: Tally, errors: list[PilotageError]) -> Array | None:
    if feed.form == "absent":
        return None
    if feed.form == "image":
        assert feed.pixels is not None
        return pixels(batch.columns[feed.columns[0]].to_list(), feed.pixels)
    try:
        if feed.form == "list":
            made = _lists(batch.columns[feed.columns[0]], feed, batch.first_row)
        else:
            made = _columns(batch, feed, tally, errors)
    except PilotageError as error:
        errors.append(error)
        return None
    _count_outside(made, feed, tally)
    return made


def _columns(batch: Batch, feed: Feed, tally: Tally, errors: list[PilotageError]) -> Array:
    tensor = feed.tensor
    shape = (batch.rows, len(feed.columns))
    whole = np.empty(shape, DATATYPES[tensor.datatype].numpy)
    for position, name in enumerate(feed.columns):
        series = batch.columns[name]
        if absent := _missing(series):
            tally.missing[name] = tally.missing.get(name, 0) + absent
        try:
            whole[:, position] = cast(
                series,
                tensor.datatype,
                Rows(batch.first_row),
                categories=tensor.categories,
            )
        except PilotageError as error:
            errors.append(error)
            continue
        if tensor.datatype == "BYTES" and tensor.categories:
            _count_unknown(whole[:, position], name, feed, tally)
    return whole.reshape(batch.rows, *(() if feed.row_shape == () else (len(feed.columns),)))


def _missing(series: "polars.Series") -> int:
    nans = int(series.is_nan().sum() or 0) if series.dtype.is_float() else 0
    return series.null_count() + nans


def _lists(series: "polars.Series", feed: Feed, first_row: int) -> Array:
    """A column of lists, all as long as the input's row; or all equally long where that is free."""
    import polars as pl

    lists = series if isinstance(series.dtype, pl.List) else series.arr.to_list()
    lengths = lists.list.len()
    sizes = [axis for axis in feed.row_shape if isinstance(axis, int)]
    free = len(feed.row_shape) - len(sizes)
    if free > 1:
        raise _no_lists(series, "the model leaves the length of several axes open")
    known = math.prod(sizes)
    length = lengths.max() if free else known
    wrong = lengths.is_null() | (lengths != length)
    if wrong.any():
        row = first_row + int(wrong.arg_true()[0]) + 1
        raise _no_lists(series, f"it has another length in row {row:,}", f"{length} values")
    if free and (not isinstance(length, int) or length % known):
        raise _no_lists(series, f"its lists have {length} values", f"a multiple of {known}")
    flat = lists.list.explode().rename(series.name)
    if flat.null_count() and DATATYPES[feed.tensor.datatype].kind != "float":
        raise _no_lists(series, "a value inside a list is missing")
    values = cast(flat, feed.tensor.datatype, Rows(first_row, int(length or 1)))  # pyright: ignore[reportArgumentType]
    shape = [axis if isinstance(axis, int) else -1 for axis in feed.row_shape]
    return values.reshape(len(series), *shape)


def _no_lists(series: "polars.Series", why: str, expected: str = "") -> PilotageError:
    return PilotageError(f"column {series.name!r} cannot be given to the model: {why}",
                         expected=expected)  # fmt: skip


def _count_outside(made: Array, feed: Feed, tally: Tally) -> None:
    low, high = feed.tensor.low, feed.tensor.high
    if made.dtype.kind not in "fiu" or feed.tensor.datatype == "BF16" or not made.size:
        return
    count = 0
    if low is not None and float(np.fmin.reduce(made, axis=None)) < low:
        count += int(np.count_nonzero(made < low))
    if high is not None and float(np.fmax.reduce(made, axis=None)) > high:
        count += int(np.count_nonzero(made > high))
    if count:
        name = feed.columns[0] if len(feed.columns) == 1 else feed.tensor.name
        tally.outside[name] = tally.outside.get(name, 0) + count


def _count_unknown(texts: Array, name: str, feed: Feed, tally: Tally) -> None:
    known = frozenset(feed.tensor.categories)
    count = sum(text not in known for text in texts.tolist())
    if count:
        tally.unknown[name] = tally.unknown.get(name, 0) + count
