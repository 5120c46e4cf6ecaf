"""What a model said about every row of a data set, beside what was true.

All arrays have one entry a row, in the order of the data. Nothing is ever left out: a row on which
the model failed is an error of the evaluation, told before any metric is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Task = Literal["binary", "multiclass", "regression", "ranking"]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which group each row is in. A missing value is a group too, named `(missing)`."""

    names: tuple[str, ...]
    codes: Array
    """int16 or int32 (rows,): an index into `names`."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows of a data set with one model's answers.

    `truth`: int32 codes into `classes`, or float64 values (regression; relevance for ranking).
    `answer`: int32 codes, or float64 values. `score`: for two classes float32 (rows,), the
    probability (or any score) of `classes[1]`, which counts as positive; for more classes float32
    (rows, classes); None where the model gives labels alone. `probabilities` tells whether the
    scores are probabilities. `groups`: by column name, intersections as "sex × race". `weight`:
    float64 or None. `query`: int64 codes of the lists that are ranked, or None.
    """

    task: Task
    truth: Array
    answer: Array
    score: Array | None
    probabilities: bool
    classes: tuple[str, ...]
    groups: Mapping[str, Grouping]
    weight: Array | None = None
    query: Array | None = None
    losses: Mapping[str, Array] = field(default_factory=dict[str, Array])
    """Of custom metrics, by name: float64 (rows,) in [0, 1]."""

    @property
    def rows(self) -> int:
        return int(self.truth.shape[0])
