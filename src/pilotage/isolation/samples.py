"""A user's sample rows, from CSV, JSON lines or Parquet, as columns a model can be tried on."""

import csv
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.probes import Feature

SAMPLE_ROWS: Final = 100_000
"""Rows of a sample that are used: its first."""

Array = np.ndarray[Any, np.dtype[Any]]


def read_sample(path: Path, features: Sequence[Feature]) -> list[Array]:
    """One array a feature, as `probes.draw` makes them.

    Columns are found by name; where no name of the model is in the file, by position.

    Raises:
        PilotageError: the file cannot be read, lacks a column, or holds text for a number.
    """
    columns = _read(path)
    names = [feature.name for feature in features]
    if not set(names) & set(columns) and len(columns) >= len(names):
        columns = dict(zip(names, columns.values(), strict=False))
    absent = [name for name in names if name not in columns]
    if absent:
        raise PilotageError(
            f"the sample has no column {absent[0]!r}",
            where=str(path.name),
            expected=f"the columns {', '.join(names[:20])}",
        )
    return [_converted(columns[feature.name], feature, path) for feature in features]


def _read(path: Path) -> dict[str, list[Any]]:
    with path.open("rb") as file:
        head = file.read(4096)
    try:
        if head.startswith(b"PAR1"):
            return _parquet(path)
        return _json_lines(path) if head.lstrip().startswith(b"{") else _csv(path)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise PilotageError(
            f"the sample cannot be read: {error}",
            where=path.name,
            expected="CSV with a header, JSON lines or Parquet",
        ) from error


def _csv(path: Path) -> dict[str, list[Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file)
        header: list[str] = next(lines, [""])
        rows = [line for _, line in zip(range(SAMPLE_ROWS), lines, strict=False)]
    return {name: [row[i] if i < len(row) else "" for row in rows] for i, name in enumerate(header)}


def _json_lines(path: Path) -> dict[str, list[Any]]:
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                rows.append(json.loads(line))
            if len(rows) == SAMPLE_ROWS:
                break
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _parquet(path: Path) -> dict[str, list[Any]]:
    try:
        polars: Any = import_module("polars")
    except ModuleNotFoundError as error:
        raise PilotageError(
            "a Parquet sample needs Polars",
            fix="Install it (pip install 'pilotage[export]'), or give the sample as CSV.",
        ) from error
    return polars.read_parquet(path, n_rows=SAMPLE_ROWS).to_dict(as_series=False)


def _converted(values: list[Any], feature: Feature, path: Path) -> Array:
    if feature.text:
        column = np.empty(len(values), dtype=object)
        column[:] = ["" if value is None else str(value) for value in values]
        return column
    try:
        numbers = [float("nan") if value in (None, "") else float(value) for value in values]
    except (TypeError, ValueError):
        raise PilotageError(
            f"the sample's column {feature.name!r} holds text",
            where=path.name,
            expected="numbers",
        ) from None
    return np.array(numbers, dtype=np.float32)
