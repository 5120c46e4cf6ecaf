"""The first reading of a data set: how many rows, what was true, which groups, weights and lists.

Only the columns for that are read, so that everything wrong with them is told before a model runs;
a baseline and a candidate share one survey.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from pilotage.checks.scored import Grouping
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data.casting import numbers
from pilotage.evaluation.data.columns import Batch, ColumnInfo, Dataset
from pilotage.evaluation.data.groups import GROUPS, grouping, with_pairs
from pilotage.evaluation.data.labels import LabelReader, Truth
from pilotage.evaluation.data.rows import room
from pilotage.evaluation.data.vocabulary import MISSING, Vocabulary
from pilotage.spec.gates import DataSettings
from pilotage.spec.words import did_you_mean

QUERIES: Final = 1_000_000
"""Lists that are ranked, where a text names them."""

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int | None], None]
"""Told rows done, and rows in all where that is known."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known of the rows without a model. Arrays have one entry a row, in order."""

    rows: int
    truth: Truth
    groups: Mapping[str, Grouping]
    weight: Array | None
    query: Array | None


def survey(
    dataset: Dataset, settings: DataSettings, *, progress: Progress | None = None
) -> Surveyed:
    """Label, groups (by each protected column and every two of them), weights and query groups.

    Raises:
        PilotageError: a column is not there; the data are empty; a label is missing; a weight is
            missing, negative or not finite, with its row; a column has too many values.
    """
    infos = _columns(dataset, settings)
    reading = _Reading(infos, settings, _count(dataset, settings))
    seen = 0
    for batch in dataset.batches(list(infos)):
        seen += batch.rows
        if seen > reading.rows:
            break
        reading.take(batch)
        if progress is not None:
            progress(batch.first_row + batch.rows, reading.rows)
    if seen != reading.rows:
        raise PilotageError(
            "the data have another number of rows than when they were counted",
            where=dataset.source,
        )
    return reading.surveyed()


def _columns(dataset: Dataset, settings: DataSettings) -> dict[str, ColumnInfo]:
    """The columns that the settings name, each once.

    Raises:
        PilotageErrors: every one that is not there.
    """
    if settings.label is None:
        raise PilotageError(
            "nobody said which column holds the truth",
            where=dataset.source,
            fix="Name it: --label COLUMN, or label: under data in the gates file.",
        )
    there = {info.name: info for info in dataset.columns}
    named: dict[str, str] = {settings.label: "label"}
    named.update((name, "protected column") for name in settings.protected)
    named.update((name, "weight") for name in [settings.weight] if name)
    named.update((name, "query group") for name in [settings.query_group] if name)
    errors = [
        PilotageError(
            f"the data have no column {name!r} (the {part})",
            where=dataset.source,
            expected=f"one of {', '.join(list(there)[:20])}",
            fix=did_you_mean(name, there),
        )
        for name, part in named.items()
        if name not in there
    ]
    if errors:
        raise errors[0] if len(errors) == 1 else PilotageErrors(errors)
    return {name: there[name] for name in named}


def _count(dataset: Dataset, settings: DataSettings) -> int:
    """How many rows there are, read where nobody knows."""
    rows = dataset.rows
    if rows is None:
        rows = sum(batch.rows for batch in dataset.batches([settings.label or ""]))
    if rows == 0:
        raise PilotageError("the data have no rows", where=dataset.source)
    return rows


@dataclass(slots=True)
class _Reading:
    """What is gathered on the way."""

    infos: dict[str, ColumnInfo]
    settings: DataSettings
    rows: int
    label: LabelReader = field(init=False)
    weight: Array | None = None
    query: Array | None = None
    codes: dict[str, Array] = field(default_factory=dict[str, Array])
    words: dict[str, Vocabulary] = field(default_factory=dict[str, Vocabulary])
    lists: Vocabulary | None = None

    def __post_init__(self) -> None:
        settings = self.settings
        truth = self.infos[settings.label or ""]
        self.label = LabelReader(truth.name, truth.kind, truth.dtype, self.rows)
        for name in settings.protected:
            self.codes[name] = room(self.rows, np.int32)
            self.words[name] = Vocabulary(name, at_most=GROUPS)
        if settings.weight is not None:
            _must_be(self.infos[settings.weight], ("int", "float", "bool"), "the weight")
            self.weight = room(self.rows, np.float64)
        if settings.query_group is not None:
            self.query = room(self.rows, np.int64)
            self.lists = Vocabulary(settings.query_group, at_most=QUERIES)

    def take(self, batch: Batch) -> None:
        place = slice(batch.first_row, batch.first_row + batch.rows)
        self.label.take(batch.columns[self.settings.label or ""], batch.first_row)
        for name, vocabulary in self.words.items():
            self.codes[name][place] = vocabulary.codes(batch.columns[name])
        if self.weight is not None and self.settings.weight is not None:
            self.weight[place] = _weights(batch, self.settings.weight)
        if self.query is not None and self.lists is not None:
            self.query[place] = _lists(batch, self.settings.query_group or "", self.lists)

    def surveyed(self) -> Surveyed:
        truth = self.label.truth()
        if self.weight is not None and not self.weight.any():
            raise PilotageError(f"every weight in column {self.settings.weight!r} is 0")
        groups = {
            name: grouping(self.codes.pop(name), vocabulary.names)
            for name, vocabulary in self.words.items()
        }
        return Surveyed(self.rows, truth, with_pairs(groups), self.weight, self.query)


def _weights(batch: Batch, column: str) -> Array:
    values = numbers(batch.columns[column])
    for bad, what in (
        (np.isnan(values), "is missing"),
        (values < 0, "is negative"),
        (np.isinf(values), "is infinite"),
    ):
        rows = np.flatnonzero(bad)
        if len(rows):
            raise PilotageError(
                f"the weight in column {column!r} {what} in row"
                f" {batch.first_row + int(rows[0]) + 1:,}",
                expected="a number of 0 or more in every row",
            )
    return values


def _lists(batch: Batch, column: str, vocabulary: Vocabulary) -> Array:
    """int64: which list each row belongs to; whole numbers name their lists themselves."""
    series = batch.columns[column]
    absent = np.flatnonzero(series.is_null().to_numpy())
    if len(absent):
        raise PilotageError(
            f"the query group in column {column!r} is missing in row"
            f" {batch.first_row + int(absent[0]) + 1:,}"
        )
    if series.dtype.is_integer():
        return np.asarray(series.to_numpy(), np.int64)
    codes = vocabulary.codes(series).astype(np.int64)
    if (codes == MISSING).any():
        raise PilotageError(f"the query group in column {column!r} is NaN in a row")
    return codes


def _must_be(info: ColumnInfo, kinds: tuple[str, ...], what: str) -> None:
    if info.kind not in kinds:
        raise PilotageError(
            f"{what} in column {info.name!r} is of type {info.dtype}", expected="numbers"
        )
