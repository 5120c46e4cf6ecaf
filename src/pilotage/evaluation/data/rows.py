"""Room for one value a row: in memory, or for many rows in a file without a name.

The file goes when the last array on it goes, whatever ends the process.
"""

import tempfile
from typing import Any, Final

import numpy as np

from pilotage.errors import PilotageError

ROWS_IN_MEMORY: Final = 1_000_000
"""Rows up to which values are kept in memory; those of more rows lie in a file that is mapped."""
CHUNK_ROWS: Final = 1_048_576
"""Rows of a long array that are worked on at once."""

Array = np.ndarray[Any, np.dtype[Any]]


def room(rows: int, dtype: Any, *, wide: int = 0) -> Array:
    """An array (rows,), or (rows, wide), of zeros.

    Raises:
        PilotageError: there is no space on the disk.
    """
    shape = (rows, wide) if wide else (rows,)
    if rows <= ROWS_IN_MEMORY:
        return np.zeros(shape, dtype)
    try:
        with tempfile.TemporaryFile(prefix="pilotage-rows-") as file:
            return np.memmap(file, dtype=dtype, mode="w+", shape=shape)
    except OSError as error:
        raise PilotageError(
            f"there is no room for what is kept of {rows:,} rows: {error.strerror}",
            where=tempfile.gettempdir(),
            fix="Free space there, or set TMPDIR to a folder with more.",
        ) from error


def chunks(rows: int) -> list[slice]:
    """The rows in slices of `CHUNK_ROWS`."""
    return [slice(start, min(start + CHUNK_ROWS, rows)) for start in range(0, rows, CHUNK_ROWS)]
