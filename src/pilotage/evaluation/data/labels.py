"""What was true of each row: the label column, read once, before any model has run.

Text and booleans become codes; numbers stay numbers, with their distinct values beside them as far
as they may be classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from pilotage.errors import PilotageError
from pilotage.evaluation.data.casting import numbers
from pilotage.evaluation.data.columns import kind_of
from pilotage.evaluation.data.rows import chunks, room
from pilotage.evaluation.data.vocabulary import MISSING, Vocabulary, name_of

if TYPE_CHECKING:
    import polars

CLASSES: Final = 10_000
"""Classes of a label; a text label with more values is refused."""
SHOWN_LABELS: Final = 5

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["text", "bool", "int", "float"]


@dataclass(frozen=True, slots=True)
class Truth:
    """A whole label column, none of it missing.

    `values`: int32 codes into `names` for text and booleans, else float64. `names`: the distinct
    values as a person writes them, numbers and booleans in their order, text by the alphabet; None
    for numbers with more than `CLASSES` of them.
    """

    column: str
    kind: Kind
    values: Array
    names: tuple[str, ...] | None

    def codes(self, places: Sequence[int]) -> Array:
        """int32 (rows,): for each row the place of its label, given one for each of `names`."""
        assert self.names is not None
        table = np.array(places, np.int32)
        made = room(len(self.values), np.int32)
        distinct = np.array([float(name) for name in self.names]) if self._is_number else None
        for part in chunks(len(made)):
            index = self.values[part]
            made[part] = table[index if distinct is None else np.searchsorted(distinct, index)]
        return made

    def as_numbers(self) -> Array:
        """float64 (rows,): numbers as they are, booleans as 0 and 1.

        Raises:
            PilotageError: the label is text.
        """
        if self._is_number:
            return self.values
        if self.kind == "text":
            raise PilotageError(
                f"the label {self.column!r} is text, and the model gives a number for each row",
                expected="a column of numbers",
            )
        return self.codes([int(name == "True") for name in self.names or ()]).astype(np.float64)

    @property
    def _is_number(self) -> bool:
        return self.kind in ("int", "float")


class LabelReader:
    """Takes a label column batch by batch.

    Args:
        rows: how many there will be.
    """

    def __init__(self, column: str, kind: str, dtype: str, rows: int) -> None:
        if kind == "missing":
            raise PilotageError(f"the label {column!r} is missing in every row")
        if kind not in ("text", "bool", "int", "float"):
            raise PilotageError(
                f"the label {column!r} is of type {dtype}",
                expected="text, numbers, or true and false",
            )
        self._column = column
        self._kind: Kind = kind  # pyright: ignore[reportAttributeAccessIssue]
        self._coded = kind in ("text", "bool")
        self._vocabulary = Vocabulary(column, at_most=CLASSES)
        self._values = room(rows, np.int32 if self._coded else np.float64)
        self._distinct: Array | None = np.empty(0)
        self._missing = 0
        self._missing_rows: list[int] = []

    def take(self, series: "polars.Series", first_row: int) -> None:
        """The labels of the rows from `first_row` on."""
        end = first_row + len(series)
        if self._coded:
            if kind_of(series.dtype) not in (self._kind, "missing"):
                raise self._mixed(first_row)
            values = self._vocabulary.codes(series)
            missing = values == MISSING
        else:
            if kind_of(series.dtype) not in ("int", "float", "missing"):
                raise self._mixed(first_row)
            values = numbers(series)
            missing = np.isnan(values)
            self._gather(values, first_row)
        found = np.flatnonzero(missing)
        self._missing += len(found)
        room_left = SHOWN_LABELS - len(self._missing_rows)
        self._missing_rows += [first_row + int(row) + 1 for row in found[:room_left]]
        self._values[first_row:end] = values

    def _gather(self, values: Array, first_row: int) -> None:
        """Adds to the distinct numbers, until there are too many to be classes."""
        if np.isinf(values).any():
            row = first_row + int(np.flatnonzero(np.isinf(values))[0]) + 1
            raise PilotageError(f"the label {self._column!r} is infinite in row {row:,}")
        if self._distinct is None:
            return
        known = np.unique(np.concatenate([self._distinct, values[~np.isnan(values)]]))
        self._distinct = known if len(known) <= CLASSES else None

    def truth(self) -> Truth:
        """The whole column.

        Raises:
            PilotageError: labels are missing.
        """
        if self._missing:
            shown = ", ".join(f"{row:,}" for row in self._missing_rows)
            more = " and others" if self._missing > len(self._missing_rows) else ""
            raise PilotageError(
                f"the label {self._column!r} is missing in {self._missing:,} of"
                f" {len(self._values):,} rows: {shown}{more}",
                expected="a label in every row",
                fix="Wait for the labels, or leave those rows out of the data yourself: which ones"
                " are left out can change the answer.",
            )
        if not self._coded:
            names = None
            if self._distinct is not None:
                names = tuple(name_of(value) for value in self._distinct.tolist())
            return Truth(self._column, self._kind, self._values, names)
        known = self._vocabulary.names
        order = sorted(range(len(known)), key=lambda code: known[code])
        places = np.empty(max(1, len(known)), np.int32)
        places[order] = np.arange(len(known), dtype=np.int32)
        for part in chunks(len(self._values)):
            self._values[part] = places[self._values[part]]
        return Truth(self._column, self._kind, self._values, tuple(known[code] for code in order))

    def _mixed(self, first_row: int) -> PilotageError:
        return PilotageError(
            f"the label {self._column!r} is of another type from row {first_row + 1:,} on",
            expected=f"one type: {self._kind}",
        )
