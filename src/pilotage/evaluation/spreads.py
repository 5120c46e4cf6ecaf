"""The standard deviation of each column of numbers, in one reading and constant memory.

Batches are put together by their counts, means and sums of squared deviations, which loses no
digits to large means. Source: Chan, Golub & LeVeque (1983), The American Statistician 37.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilotage.evaluation.casting import numbers
from pilotage.evaluation.columns import Dataset

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Moments:
    """Of some values: how many, their mean, and the sum of their squared deviations from it."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def with_values(self, values: Array) -> "Moments":
        """These and the finite ones of `values`."""
        finite = values[np.isfinite(values)]
        if not finite.size:
            return self
        mean = float(finite.mean())
        squares = float(np.square(finite - mean).sum())
        count = self.count + finite.size
        apart = mean - self.mean
        return Moments(
            count,
            self.mean + apart * finite.size / count,
            self.squares + squares + apart * apart * self.count * finite.size / count,
        )

    @property
    def sd(self) -> float:
        """The standard deviation over all values (not a sample's); 0 without values."""
        return float(np.sqrt(self.squares / self.count)) if self.count else 0.0


def spreads(dataset: Dataset, columns: Sequence[str]) -> dict[str, float]:
    """The standard deviation of those of `columns` that hold numbers, by name.

    Missing and infinite values are left aside, booleans are 0 and 1; columns of text, lists or
    images have none.

    Raises:
        PilotageError: the data cannot be read.
    """
    kinds = {info.name: info.kind for info in dataset.columns}
    names = [name for name in columns if kinds.get(name) in ("int", "float", "bool")]
    found = {name: Moments() for name in names}
    if names:
        for batch in dataset.batches(names):
            for name in names:
                found[name] = found[name].with_values(numbers(batch.columns[name]))
    return {name: moments.sd for name, moments in found.items()}
