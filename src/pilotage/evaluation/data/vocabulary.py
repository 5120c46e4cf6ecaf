"""Values of a column as small codes, in the order in which they were first seen.

A value's name is how a person writes it: text as it is, whole numbers without a point (a float 3.0
is "3"), booleans as True and False.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pilotage.errors import PilotageError
from pilotage.evaluation.data.columns import kind_of

if TYPE_CHECKING:
    import polars

MISSING: Final = -1
"""The code of a missing value, NaN among them."""

Array = np.ndarray[Any, np.dtype[Any]]


class Vocabulary:
    """Names in the order of their codes; grows while columns are read.

    Args:
        column: for errors.
        names: the codes that exist from the start.
        at_most: names; a column with more is refused.
    """

    def __init__(self, column: str, *, names: tuple[str, ...] = (), at_most: int) -> None:
        self._column = column
        self._at_most = at_most
        self._codes = {name: code for code, name in enumerate(names)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._codes)

    def codes(self, series: "polars.Series") -> Array:
        """int32 (rows,): the code of each value, new names added; `MISSING` where it is missing.

        Raises:
            PilotageError: more than `at_most` names, or a column that has no names (lists, dates).
        """
        import polars as pl

        if kind_of(series.dtype) in ("list", "other"):
            raise PilotageError(
                f"column {self._column!r} is of type {series.dtype}",
                expected="text, whole numbers, or true and false",
            )
        if series.dtype.is_float():
            series = series.fill_nan(None)
        seen = series.unique(maintain_order=True).drop_nulls()
        if len(self._codes) + len(seen) > 2 * self._at_most:
            raise self._too_many()
        codes = [self._code(name_of(value)) for value in seen.to_list()]
        if len(self._codes) > self._at_most:
            raise self._too_many()
        if not codes:
            return np.full(len(series), MISSING, np.int32)
        made = series.replace_strict(
            seen, pl.Series(codes, dtype=pl.Int32), default=MISSING, return_dtype=pl.Int32
        )
        return np.asarray(made.fill_null(MISSING).to_numpy(), np.int32)

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    def _too_many(self) -> PilotageError:
        return PilotageError(
            f"column {self._column!r} has more than {self._at_most:,} values",
            expected=f"at most {self._at_most:,}",
            fix="Put its values into ranges, or name another column.",
        )


def name_of(value: object) -> str:
    """How a person writes a value."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
