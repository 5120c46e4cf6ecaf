"""Which group each row is in, by the values of a column, or of several columns together."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import Any, Final

import numpy as np

from pilotage.checks.scored import Grouping
from pilotage.errors import PilotageError
from pilotage.evaluation.data.rows import chunks, room
from pilotage.evaluation.data.vocabulary import MISSING

GROUPS: Final = 10_000
"""Values of a column whose groups are compared; a column with more is refused."""
SMALL: Final = 32_767
"""Groups up to which a row costs two bytes, and not four."""
MISSING_GROUP: Final = "(missing)"
TIMES: Final = " × "

Array = np.ndarray[Any, np.dtype[Any]]


def grouping(codes: Array, names: Sequence[str]) -> Grouping:
    """Codes in the order of appearance -> groups in the order of their names.

    Args:
        codes: int32 (rows,), indices into `names`; `vocabulary.MISSING` for a missing value.
    """
    order = sorted(range(len(names)), key=lambda code: _numbers_first(names[code]))
    places = np.empty(len(names) + 1, np.int32)
    places[order] = np.arange(len(names), dtype=np.int32)
    places[MISSING] = len(names)
    shown = [names[code] for code in order]
    anything_missing = any(bool((codes[part] == MISSING).any()) for part in chunks(len(codes)))
    if anything_missing:
        shown.append(MISSING_GROUP)
    made = room(len(codes), _dtype(len(shown)))
    for part in chunks(len(codes)):
        made[part] = places[codes[part]]
    return Grouping(tuple(shown), made)


def intersection(groupings: Sequence[Grouping]) -> Grouping:
    """The groups of several columns together ("F × Black"); those without a row are left out."""
    sizes = [len(one.names) for one in groupings]
    rows = len(groupings[0].codes)
    counts = np.zeros(prod(sizes), np.int64)
    for part in chunks(rows):
        counts += np.bincount(_joined(groupings, sizes, part), minlength=len(counts))
    there = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int32)
    places[there] = np.arange(len(there), dtype=np.int32)
    made = room(rows, _dtype(len(there)))
    for part in chunks(rows):
        made[part] = places[_joined(groupings, sizes, part)]
    names = [
        TIMES.join(
            one.names[index]
            for one, index in zip(groupings, np.unravel_index(cell, sizes), strict=True)
        )
        for cell in there.tolist()
    ]
    return Grouping(tuple(names), made)


def with_pairs(groupings: Mapping[str, Grouping]) -> dict[str, Grouping]:
    """The groupings and, as "sex × race", those of every two columns in their order."""
    pairs = {
        TIMES.join(pair): intersection([groupings[name] for name in pair])
        for pair in combinations(groupings, 2)
        if prod(len(groupings[name].names) for name in pair) <= GROUPS
    }
    return {**groupings, **pairs}


def with_asked(
    groupings: Mapping[str, Grouping], asked: Iterable[Sequence[str]]
) -> dict[str, Grouping]:
    """The groupings and those that gates ask for: of several columns, in the order of the gate.

    Raises:
        PilotageError: so many columns, or values, that there could be more than `GROUPS` groups.
    """
    found = dict(groupings)
    for columns in asked:
        name = TIMES.join(columns)
        if name in found or any(column not in found for column in columns):
            continue
        cells = prod(len(found[column].names) for column in columns)
        if cells > GROUPS:
            raise PilotageError(
                f"{name} would be {cells:,} groups",
                expected=f"{GROUPS:,} at most",
                fix="Compare by fewer columns, or by columns with fewer values.",
            )
        found[name] = intersection([found[column] for column in columns])
    return found


def _joined(groupings: Sequence[Grouping], sizes: Sequence[int], part: slice) -> Array:
    """int64: one code for each combination."""
    joined = np.zeros(part.stop - part.start, np.int64)
    for one, size in zip(groupings, sizes, strict=True):
        joined *= size
        joined += one.codes[part]
    return joined


def _dtype(groups: int) -> Any:
    return np.int16 if groups <= SMALL else np.int32


def _numbers_first(name: str) -> tuple[int, float, str]:
    """Numbers by their size, then text by the alphabet."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
