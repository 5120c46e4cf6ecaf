"""Rows to try a model on, drawn from what the model itself tells of its columns.

Pure: chance is an argument. Six kinds of rows, because converters go wrong in different places:
inside the ranges, exactly at the points where a model's answer changes and one float step beside
them, on and between rows that the model has stored, outside the ranges, with missing values, and
with categories never seen.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct

PROBE_ROWS: Final = 4096
"""Rows drawn for one proof; the promise is at least 2,000."""

UNSEEN: Final = "a category never seen"
UNSEEN_NUMBER: Final = 987654.0
SCALES: Final = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Spreads of a column about which the model tells nothing, one a row."""

Array = np.ndarray[Any, np.dtype[Any]]


class Feature(Struct):
    """What a model tells of one column.

    Attributes:
        text: its values are strings.
        low, high: its range in training; None where it is not told.
        points: values at which the answer changes exactly (thresholds): tried to one float step.
        near: values near which it changes, known up to rounding because arithmetic lies between
            them and the column; tried from a ten-thousandth of the range on.
        categories: its known values, strings or numbers; empty for a column of numbers or of
            free text.
        words: for free text, the vocabulary.
        missing: NaN (or None for strings) is taken by the model.
        unseen: values outside `categories` are taken by the model.
    """

    name: str
    text: bool = False
    low: float | None = None
    high: float | None = None
    points: Any = ()
    near: Any = ()
    categories: Sequence[Any] = ()
    words: Sequence[str] = ()
    missing: bool = False
    unseen: bool = False


def draw(
    features: Sequence[Feature],
    chance: np.random.Generator,
    stored: Array | None = None,
    rows: int = PROBE_ROWS,
) -> list[Array]:
    """One array a column: float32 for numbers, objects (str or None) for text.

    Args:
        stored: rows the model keeps from its training, float[n, columns], where all are numbers.
    """
    ways = ("inside", "at", "mixed", "outside", "missing", "unseen", "inside", "at")
    way = np.repeat(np.array(ways), -(-rows // len(ways)))[:rows]
    spread = chance.choice(SCALES, rows)
    columns = [_column(feature, way, spread, chance) for feature in features]
    if stored is not None and len(stored) > 1 and not any(feature.text for feature in features):
        _put_stored(columns, stored, way, chance)
    return columns


def _put_stored(
    columns: list[Array], stored: Array, way: Array, chance: np.random.Generator
) -> None:
    """Replaces the last rows by stored ones, points half way between two, and close ones."""
    places = np.flatnonzero(way == "at")
    first = chance.integers(0, len(stored), len(places))
    second = chance.integers(0, len(stored), len(places))
    share = chance.choice([0.0, 0.0, 0.5, 0.5, 0.25], len(places))[:, None]
    rows = stored[first] * (1 - share) + stored[second] * share
    for index, column in enumerate(columns):
        column[places] = rows[:, index]


def _column(feature: Feature, way: Array, spread: Array, chance: np.random.Generator) -> Array:
    rows = len(way)
    if feature.words:
        return _sentences(feature, way, chance)
    if len(feature.categories):
        return _categories(feature, way, chance)
    inside = _inside(feature, spread, chance)
    at = _at_points(feature, inside, chance)
    outside = _outside(feature, inside, chance)
    column = np.where(way == "at", at, np.where(way == "outside", outside, inside))
    column = np.where((way == "mixed") & (chance.random(rows) < 0.5), at, column)
    if feature.missing:
        share = np.where(way == "missing", 0.35, 0.0)
        column = np.where(chance.random(rows) < share, np.nan, column)
    return column.astype(np.float32)


def _inside(feature: Feature, spread: Array, chance: np.random.Generator) -> Array:
    rows = len(spread)
    if feature.low is None or feature.high is None:
        return chance.standard_normal(rows) * spread
    return chance.uniform(feature.low, max(feature.high, feature.low + 1e-6), rows)


def _at_points(feature: Feature, inside: Array, chance: np.random.Generator) -> Array:
    """A point, the float32 below it or the one above it; or close to a point known nearly."""
    points = _finite(feature.points)
    near = _finite(feature.near)
    if not len(points) and not len(near):
        return np.round(inside, 1)
    rows = len(inside)
    at = beside = inside
    if len(points):
        picked = chance.choice(points, rows)
        steps = [
            picked,
            np.nextafter(picked, np.float32(-np.inf)),
            np.nextafter(picked, np.float32(np.inf)),
        ]
        at = _one_of(steps, chance)
    if len(near):
        span = float(np.ptp(near)) or max(abs(float(near[0])), 1.0)
        away = span * chance.choice([-1e-2, -1e-3, -1e-4, 1e-4, 1e-3, 1e-2], rows)
        beside = chance.choice(near, rows) + away
    if not len(points):
        return beside
    return np.where(chance.random(rows) < 0.5, beside, at) if len(near) else at


def _finite(values: Any) -> Array:
    array = np.asarray(values, np.float64)
    return array[np.isfinite(array)].astype(np.float32)


def _outside(feature: Feature, inside: Array, chance: np.random.Generator) -> Array:
    rows = len(inside)
    if feature.low is None or feature.high is None:
        return inside * chance.choice([0.0, 1.0, 3.0], rows)
    span = max(feature.high - feature.low, 1e-3)
    far = span * chance.choice([0.1, 1.0, 4.0], rows)
    choices = [feature.low - far, feature.high + far, np.zeros(rows), inside]
    return _one_of(choices, chance)


def _one_of(choices: Sequence[Array], chance: np.random.Generator) -> Array:
    """Row by row, one of the arrays' values."""
    table = np.stack(choices)
    picked = chance.integers(0, len(choices), (1, table.shape[1]))
    return np.take_along_axis(table, picked, axis=0)[0]


def _categories(feature: Feature, way: Array, chance: np.random.Generator) -> Array:
    rows = len(way)
    values = np.array(list(feature.categories), dtype=object if feature.text else np.float64)
    column = values[chance.integers(0, len(values), rows)]
    if feature.unseen:
        share = np.where(way == "unseen", 0.35, np.where(way == "outside", 0.1, 0.0))
        chosen = chance.random(rows) < share
        column[chosen] = UNSEEN if feature.text else chance.choice([UNSEEN_NUMBER, -1.0])
    if feature.missing and not feature.text:
        share = np.where(way == "missing", 0.35, 0.0)
        column[chance.random(rows) < share] = np.nan
    return column if feature.text else column.astype(np.float32)


def _sentences(feature: Feature, way: Array, chance: np.random.Generator) -> Array:
    """Texts of known words, with unknown words, other cases, signs and empty ones among them."""
    known = list(feature.words)
    glued = ("é", "ß", "б", "字", "_", "7", "'s", "-", "\u0301")
    odd = [
        "",
        UNSEEN,
        "ÄÖÜ straße",
        "x",
        "1234",
        "a-b c_d",
        "UPPER Case",
        "tab\tand\nline",
        "e.g. 3.5%",
    ]
    column = np.empty(len(way), dtype=object)
    for row in range(len(way)):
        words: list[str] = [
            known[i] for i in chance.integers(0, len(known), int(chance.integers(1, 20)))
        ]
        if way[row] in ("outside", "unseen", "missing"):
            words[0] += glued[int(chance.integers(0, len(glued)))]
            words.insert(0, odd[int(chance.integers(0, len(odd)))])
            words = words[: int(chance.integers(1, 4))]
        text = " ".join(words)
        column[row] = text.upper() if way[row] == "outside" else text
    return column
