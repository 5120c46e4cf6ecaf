"""How far a model's inputs spread over the rows, gathered in one reading. Pure.

Counts, means and sums of squared distances are merged batch by batch, which stays exact where the
sums of squares would cancel.

Source: Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance", The American
Statistician 37(3).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(slots=True)
class Spread:
    """The spread of one input, by position in a row, or (`pooled`) over all of its values.

    Attributes:
        counts, means, squares: (positions,), or (1,) where it is pooled: finite values so far,
            their mean, and the sum of their squared distances from it.
    """

    pooled: bool
    counts: Array | None = None
    means: Array | None = None
    squares: Array | None = None

    def add(self, values: Array) -> None:
        """One more batch: numbers (rows, positions); what is not finite does not count."""
        given = np.asarray(values, np.float64)
        if not given.size:
            return
        given = given.reshape(-1, 1) if self.pooled else given.reshape(len(given), -1)
        known = np.isfinite(given)
        counts = known.sum(axis=0).astype(np.float64)
        means = np.where(known, given, 0.0).sum(axis=0) / np.maximum(counts, 1)
        squares = (np.where(known, given - means, 0.0) ** 2).sum(axis=0)
        if self.counts is None or self.means is None or self.squares is None:
            self.counts, self.means, self.squares = counts, means, squares
            return
        whole = self.counts + counts
        apart = means - self.means
        self.means = self.means + apart * counts / np.maximum(whole, 1)
        self.squares += squares + apart**2 * self.counts * counts / np.maximum(whole, 1)
        self.counts = whole

    @property
    def deviations(self) -> Array:
        """Standard deviations, shape (positions,) or (1,); 0 where there are not two values."""
        if self.counts is None or self.squares is None:
            return np.zeros(1)
        return np.sqrt(self.squares / np.maximum(self.counts - 1, 1))
