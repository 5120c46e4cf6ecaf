"""A feature as it was when its monitor began, frozen: bins, their shares, and where a value falls.

Numbers get quantile bins, categories their most frequent values and "other"; missing values have a
bin of their own. What is monitored is only the histogram, so a tick of any number of rows is as
large as its bins.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[Any]]
BINS = 64
"""Of numbers; of categories, the last one is "other"."""


@dataclass(frozen=True, slots=True, repr=False)
class Reference:
    """The bins of one feature.

    `edges` are the upper ends of bins (a value equal to an edge is below it), none for categories;
    `masses` are the bins' shares of the values that were not missing; `rows` is how many those
    were; `missing_limit` is the upper confidence limit of the missing rate (Clopper-Pearson's,
    say), computed by whoever freezes the reference.
    """

    edges: tuple[float, ...]
    masses: tuple[float, ...]
    rows: int
    missing_limit: float
    categories: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("a reference needs at least one value that is not missing")
        if not 0.0 <= self.missing_limit <= 1.0:
            raise ValueError("a limit of a missing rate lies between 0 and 1")

    @classmethod
    def of_numbers(cls, values: ArrayLike, *, missing_limit: float = 0.0) -> Self:
        """Quantile bins of numbers; NaN is missing. Ties make fewer bins than `BINS`.

        Raises:
            ValueError: no value that is a number.
        """
        numbers = np.asarray(values, np.float64).ravel()
        numbers = numbers[~np.isnan(numbers)]
        if not numbers.size:
            raise ValueError("a reference needs at least one value that is not missing")
        inner = np.arange(1, BINS) / BINS
        edges = np.unique(np.quantile(numbers, inner, method="inverted_cdf"))
        places = np.searchsorted(edges, numbers, side="left")
        masses = np.bincount(places, minlength=edges.size + 1) / numbers.size
        return cls(tuple(edges.tolist()), tuple(masses.tolist()), numbers.size, missing_limit)

    @classmethod
    def of_categories(cls, values: Iterable[Hashable], *, missing_limit: float = 0.0) -> Self:
        """The most frequent categories and "other"; None and NaN are missing.

        Raises:
            ValueError: no value.
        """
        found = {name: n for name, n in Counter(values).items() if not _missing(name)}
        rows = sum(found.values())
        # Equally frequent ones by their text, so that a reference does not depend on row order.
        ordered = sorted(found.items(), key=lambda item: (-item[1], repr(item[0])))[: BINS - 1]
        masses = [count / max(rows, 1) for _, count in ordered]
        other = (rows - sum(count for _, count in ordered)) / max(rows, 1)
        names = tuple(name for name, _ in ordered)
        return cls((), (*masses, other), rows, missing_limit, names)

    def histograms(self, values: Any, shape: tuple[int, ...] = ()) -> Array:
        """int64 (*shape, bins + 1): how many values fall into each bin; the last is missing.

        Args:
            values: numbers (*shape, n), or (n,), the same for every run; categories (n,).

        Raises:
            ValueError: numbers of another shape.
        """
        bins = len(self.masses) + 1
        if self.categories:
            return np.broadcast_to(self._of_categories(values), (*shape, bins))
        numbers = np.atleast_1d(np.asarray(values, np.float64))
        leading = numbers.shape[:-1]
        if leading not in ((), shape):
            raise ValueError(f"values of shape {numbers.shape}, expected {(*shape, 'any number')}")
        places = np.searchsorted(np.asarray(self.edges), numbers, side="left")
        places[np.isnan(numbers)] = bins - 1
        runs = math.prod(leading)
        # One count for all runs: each has a stretch of bins of its own.
        places = places.reshape(runs, -1) + np.arange(runs)[:, None] * bins
        found = np.bincount(places.ravel(), minlength=runs * bins).reshape(*leading, bins)
        return np.broadcast_to(found, (*shape, bins))

    def _of_categories(self, values: Iterable[Hashable]) -> Array:
        place_of = {name: place for place, name in enumerate(self.categories)}
        other = len(self.masses) - 1
        found = np.zeros(len(self.masses) + 1, np.int64)
        for name, count in Counter(values).items():
            place = len(self.masses) if _missing(name) else place_of.get(name, other)
            found[place] += count
        return found

    def __repr__(self) -> str:
        content = repr((self.edges, self.masses, self.rows, self.missing_limit, self.categories))
        return f"Reference(sha256={hashlib.sha256(content.encode()).hexdigest()})"


def _missing(value: Hashable) -> bool:
    return value is None or value != value
