"""Chance that belongs to a row: the same for the same row, however the rows are cut into batches.

A counter-based generator needs no history: the n-th number of a stream is a function of the key
and n. Pure: the seed is an argument.

Source: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11 (Philox).
"""

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_EACH: Final = 4
"""Numbers that one step of the counter gives."""


class RowChance:
    """One stream. `key` tells streams apart: a seed first, then what the stream is for."""

    def __init__(self, *key: int) -> None:
        self._key = np.random.SeedSequence(key).generate_state(2, np.uint64)

    def uniform(self, first_row: int, rows: int, wide: int) -> Array:
        """float64 (rows, wide), above 0 and below 1, for rows that follow one another.

        The numbers of a row depend on its own number and on `wide` alone.
        """
        start = first_row * wide
        steps, skipped = divmod(start, _EACH)
        generator = np.random.Generator(np.random.Philox(key=self._key, counter=steps))
        drawn = generator.random(skipped + rows * wide)[skipped:]
        return drawn.reshape(rows, wide) + 2.0**-54

    def normal(self, first_row: int, rows: int, wide: int) -> Array:
        """float64 (rows, wide), standard normal: the quantiles of `uniform`, one draw each."""
        from scipy.special import ndtri  # pyright: ignore[reportMissingTypeStubs]

        return np.asarray(ndtri(self.uniform(first_row, rows, wide)))
