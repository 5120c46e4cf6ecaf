"""Columns -> what a model takes: which column goes where, decided once, with every error at once.

In this order: an input is fed by the column of its name; the only input of several values by the
columns whose names the model knows, else by all columns in file order that are no label, weight or
query group (nor protected, nor an id, where only then the count is right), else by the only list
column; an input of images by the images.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Axis, Signature, Tensor
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data.casting import TAKEN, WORDS
from pilotage.evaluation.data.columns import ColumnInfo
from pilotage.evaluation.data.images import PixelForm, pixel_form
from pilotage.spec.words import did_you_mean

SHOWN_COLUMNS: Final = 12
"""Column names that a message lists."""

_MADE_UP: Final = re.compile(r"(column_|Column_|f|x)\d+$")
"""Names that frameworks give to columns without one."""
_ID: Final = re.compile(r"(.*_)?(id|index|row|row_number)$|__index_level_0__$", re.IGNORECASE)
"""Names of columns that number the rows."""

Array = np.ndarray[Any, np.dtype[Any]]
Form = Literal["column", "columns", "list", "image", "absent"]


@dataclass(frozen=True, slots=True)
class Reserved:
    """Columns with a part of their own: never an input, and protected ones only where needed."""

    label: str | None = None
    protected: tuple[str, ...] = ()
    weight: str | None = None
    query_group: str | None = None

    @property
    def never(self) -> frozenset[str]:
        return frozenset(filter(None, (self.label, self.weight, self.query_group)))


@dataclass(frozen=True, slots=True)
class Feed:
    """How one input is fed. `row_shape` is the shape of one row's values; `leading` tells whether
    the input has an axis of rows before it."""

    tensor: Tensor
    form: Form
    columns: tuple[str, ...]
    row_shape: tuple[Axis, ...]
    leading: bool
    pixels: PixelForm | None = None

    @property
    def bytes_a_row(self) -> int:
        """Bytes of one row, text reckoned as 64."""
        if self.pixels:
            return self.pixels.bytes_each
        values = math.prod(axis if isinstance(axis, int) else 1 for axis in self.row_shape)
        return max(values, len(self.columns)) * (DATATYPES[self.tensor.datatype].bytes_each or 64)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column's values are in a model's inputs: the input, and for inputs that several
    columns share, the position in a row; None where it is alone."""

    column: str
    input: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the rows of one data set become the inputs of one model."""

    feeds: tuple[Feed, ...]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, each once, in the order of the inputs."""
        return tuple(dict.fromkeys(name for feed in self.feeds for name in feed.columns))

    @property
    def bytes_a_row(self) -> int:
        return sum(feed.bytes_a_row for feed in self.feeds)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where each column went, for whoever changes inputs on purpose."""
        return tuple(
            Place(name, index, position if feed.form == "columns" else None)
            for index, feed in enumerate(self.feeds)
            for position, name in enumerate(feed.columns)
        )


def plan(
    signature: Signature,
    columns: Sequence[ColumnInfo],
    *,
    known: Sequence[str] = (),
    reserved: Reserved | None = None,
) -> Encoding:
    """The encoding of rows with these columns for a model with this signature.

    Args:
        known: the model's column names in the order of its values, where it tells them.

    Raises:
        PilotageErrors: every input without a column, and every column of a wrong type.
    """
    planner = _Planner(signature, columns, tuple(known), reserved or Reserved())
    feeds = planner.feeds()
    planner.check(feeds)
    if planner.errors:
        raise PilotageErrors(planner.errors)
    return Encoding(tuple(feeds), tuple(planner.notes))


class _Planner:
    """One plan in the making: what is there, what went wrong, what is worth a note."""

    def __init__(
        self,
        signature: Signature,
        columns: Sequence[ColumnInfo],
        known: tuple[str, ...],
        reserved: Reserved,
    ) -> None:
        self.inputs = signature.inputs
        self.stacked = signature.batch_axis is not None
        self.there = {info.name: info for info in columns}
        self.reserved = reserved
        self.known = known
        self.errors: list[PilotageError] = []
        self.notes: list[str] = []

    def feeds(self) -> list[Feed]:
        required = [tensor for tensor in self.inputs if not tensor.optional]
        by_order = self._by_order(required)
        return [
            feed
            for tensor in self.inputs
            if (feed := self._feed(tensor, by_order, alone=required == [tensor])) is not None
        ]

    def _by_order(self, required: list[Tensor]) -> dict[str, str]:
        """Inputs with made-up names, of which none is a column: fed in file order."""
        names = [tensor.name for tensor in required]
        if len(names) < 2 or any(name in self.there for name in names):
            return {}
        if not all(_MADE_UP.match(name) for name in names):
            return {}
        chosen = self._in_file_order(len(names), kind=None)
        return dict(zip(names, chosen, strict=True)) if chosen else {}

    def _feed(self, tensor: Tensor, by_order: dict[str, str], *, alone: bool) -> Feed | None:
        leading, row_shape = _rows_of(tensor, stacked=self.stacked)
        feed = Feed(tensor, "column", (), row_shape, leading)
        name = by_order.get(tensor.name, tensor.name)
        if name in self.there and self.there[name].kind != "image":
            is_list = self.there[name].kind == "list"
            if is_list or row_shape in ((), (1,)):
                return replace(feed, form="list" if is_list else "column", columns=(name,))
        form = pixel_form(row_shape, tensor.datatype)
        images = [info.name for info in self.there.values() if info.kind == "image"]
        if form is not None and images:
            self.notes.append(
                f"images are resized to {form.width} × {form.height} pixels, with values of"
                f" 0 to {255 if form.dtype == 'uint8' else 1}"
            )
            return replace(feed, form="image", columns=(images[0],), pixels=form)
        if alone:
            return self._alone(feed)
        if tensor.optional:
            return replace(feed, form="absent")
        self.errors.append(self._missing(tensor, row_shape))
        return None

    def _alone(self, feed: Feed) -> Feed | None:
        """The only input there is: names that the model knows, file order, or one list."""
        shape = feed.row_shape
        width = 1 if shape == () else shape[0] if len(shape) == 1 else 0
        form: Form = "columns" if len(shape) == 1 else "column"
        names = self._known(width)
        if names:
            absent = [name for name in names if name not in self.there]
            self.errors += [self._absent(name) for name in absent]
            return None if absent else replace(feed, form=form, columns=names)
        kind = DATATYPES[feed.tensor.datatype].kind
        chosen = self._in_file_order(width, kind=kind) if width != 0 else ()
        if chosen:
            shown = _listed(chosen)
            self.notes.append(f"the model names no columns, and takes in file order: {shown}")
            return replace(feed, form=form, columns=chosen)
        lists = [info.name for info in self._free() if info.kind == "list"]
        if len(lists) == 1:
            return replace(feed, form="list", columns=(lists[0],))
        self.errors.append(self._wrong_count(feed, width))
        return None

    def _known(self, width: Axis) -> tuple[str, ...]:
        """The names the model gives its columns, unless they are made up and nowhere."""
        if not self.known or len(self.known) != width:
            return ()
        if not any(name in self.there for name in self.known) and all(
            _MADE_UP.match(name) for name in self.known
        ):
            return ()
        return self.known

    def _free(self) -> list[ColumnInfo]:
        return [info for info in self.there.values() if info.name not in self.reserved.never]

    def _in_file_order(self, width: Axis, *, kind: str | None) -> tuple[str, ...]:
        """The columns that are taken when nobody names them; () when no choice has the count.

        All of them, or those that are neither protected nor ids; last, those alone that the input
        can take, where just as many are wanted.
        """
        free = [info for info in self._free() if info.kind not in ("list", "image")]
        bare = [info for info in free if info.name not in self.reserved.protected]
        choices = [free, bare, _without_ids(free), _without_ids(bare)]
        if kind is not None and isinstance(width, int):
            choices += [[info for info in one if info.kind in TAKEN[kind]] for one in choices]
        for candidates in choices:
            fits = all(kind is None or info.kind in TAKEN[kind] for info in candidates)
            if candidates and fits and (len(candidates) == width or isinstance(width, str)):
                return tuple(info.name for info in candidates)
        return ()

    def check(self, feeds: Iterable[Feed]) -> None:
        """Notes an error for each column whose type its input does not take."""
        for feed in feeds:
            kind = DATATYPES[feed.tensor.datatype].kind
            for name in feed.columns:
                info = self.there[name]
                if name in self.reserved.never:
                    self.errors.append(_is_reserved(name, feed))
                if feed.form in ("column", "columns") and info.kind not in TAKEN[kind]:
                    self.errors.append(_wrong_type(info, kind, feed))
                if feed.form == "list" and kind == "bytes":
                    self.errors.append(_wrong_type(info, kind, feed))

    def _missing(self, tensor: Tensor, row_shape: tuple[Axis, ...]) -> PilotageError:
        if row_shape in ((), (1,)):
            return self._absent(tensor.name)
        wide = " × ".join(str(axis) for axis in row_shape)
        return PilotageError(
            f"the data have no list column named {tensor.name!r}",
            expected=f"lists of {wide} values for the model's input {tensor.name!r}",
        )

    def _absent(self, name: str) -> PilotageError:
        shown = _listed([info.name for info in self._free()])
        return PilotageError(
            f"the data have no column {name!r}, which the model takes",
            expected=f"it among the columns: {shown}",
            fix=did_you_mean(name, self.there),
        )

    def _wrong_count(self, feed: Feed, width: Axis) -> PilotageError:
        kind = DATATYPES[feed.tensor.datatype].kind
        free = self._free()
        fitting = [info.name for info in free if info.kind in TAKEN[kind]]
        values = width if width != 0 else math.prod(a for a in feed.row_shape if isinstance(a, int))
        return PilotageError(
            f"the model takes {values} values a row and names no columns; the data have"
            f" {len(free)} columns for it, {len(fitting)} of them with {WORDS[kind]}",
            where=f"input {feed.tensor.name!r}",
            expected=f"{values} columns besides label, weight, protected columns and ids,"
            " or one column of lists",
            fix=_to_mend(fitting, [info for info in free if info.kind not in TAKEN[kind]], values),
        )


def _to_mend(fitting: Sequence[str], others: Sequence[ColumnInfo], values: object) -> str:
    """What to do about columns that are too many or too few."""
    if isinstance(values, int) and len(fitting) < values:
        unfit = _listed([f"{info.name} ({info.dtype})" for info in others])
        return (
            f"Add what is missing, or mend what has another type: {unfit}"
            if others
            else (f"Add what is missing; there are only: {_listed(fitting)}" if fitting else "")
        )
    return f"Leave out of the data what the model does not take; there are: {_listed(fitting)}"


def _rows_of(tensor: Tensor, *, stacked: bool) -> tuple[bool, tuple[Axis, ...]]:
    """Whether the input's first axis is rows, and the shape of one row's values."""
    first = tensor.shape[0] if tensor.shape else None
    leading = stacked or isinstance(first, str) or first == 1
    return leading, tensor.shape[1:] if leading else tensor.shape


def _without_ids(columns: list[ColumnInfo]) -> list[ColumnInfo]:
    return [info for info in columns if not _ID.match(info.name)]


def _is_reserved(name: str, feed: Feed) -> PilotageError:
    return PilotageError(
        f"column {name!r} is an input of the model, and the label, the weight or the query group",
        where=f"input {feed.tensor.name!r}",
        fix="Name another column: a model that is given the answer proves nothing.",
    )


def _wrong_type(info: ColumnInfo, kind: str, feed: Feed) -> PilotageError:
    return PilotageError(
        f"column {info.name!r} is of type {info.dtype}",
        where=f"input {feed.tensor.name!r}",
        expected=f"{WORDS[kind]} ({feed.tensor.datatype})",
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_COLUMNS
    return ", ".join(names[:SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")
