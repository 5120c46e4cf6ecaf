"""The people whom projects ask about, and the models, as files to lay down.

Answers of the American Community Survey (Public Use Microdata Sample, US Census Bureau, in the
public domain): Massachusetts 2017, aged 16 and over. Made by `tests/learn_material.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

MATERIAL: Final = Path(__file__).parent / "material"
CODES: Final = (
    *("age", "schooling", "married", "household", "disabled", "moved", "citizen", "military"),
)
OWN_ROWS: Final = 6_000
"""Rows that a learner gets; the package keeps as many others back."""


def own_people() -> bytes:
    """The learner's rows, as CSV."""
    return rows_as_csv(0, OWN_ROWS)


def other_people() -> bytes:
    """The rows that are kept back, as CSV."""
    return rows_as_csv(OWN_ROWS, 2 * OWN_ROWS)


def rows_as_csv(begin: int, end: int) -> bytes:
    """Rows from `begin` up to `end`: the codes, sex and race in words, and who is employed."""
    import numpy as np

    with np.load(MATERIAL / "people.npz") as kept:
        columns = [kept[name][begin:end].tolist() for name in CODES]
        columns.append(kept["sexes"][kept["sex"][begin:end]].tolist())
        columns.append(kept["races"][kept["race"][begin:end]].tolist())
        columns.append(kept["employed"][begin:end].tolist())
    lines = [",".join((*CODES, "sex", "race", "employed"))]
    lines += [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join((*lines, "")).encode()


def model(name: str) -> Callable[[], bytes]:
    """A model's file, read when it is wanted."""
    return (MATERIAL / f"{name}.onnx").read_bytes
