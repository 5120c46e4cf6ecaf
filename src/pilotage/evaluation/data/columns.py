"""What a data set is to the rest of the room: named columns, read in batches, as often as wanted.

Rows are numbered from 0 in `Batch.first_row`, and from 1 where a person reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pilotage.errors import PilotageError

if TYPE_CHECKING:
    import polars

ROWS_A_BATCH: Final = 65_536
"""Rows that are read at once where nobody asks for another number."""

Kind = Literal["int", "float", "bool", "text", "list", "image", "missing", "other"]
"""`missing` is a column without a single value, `image` one of paths to image files."""


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column's name, what it holds, and the source's own word for that."""

    name: str
    kind: Kind
    dtype: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that follow one another: a Polars series of equal length for each column."""

    first_row: int
    rows: int
    columns: "Mapping[str, polars.Series]"


class Dataset(Protocol):
    """Rows with named columns. Every reading gives the same rows in the same order, or an error.

    `source` is shown to people and holds no password. `rows` is None where it is not known before
    reading. `notes` are sentences about what was left aside (files that are no images).
    """

    @property
    def source(self) -> str: ...

    @property
    def columns(self) -> tuple[ColumnInfo, ...]: ...

    @property
    def rows(self) -> int | None: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def digest(self) -> str:
        """SHA-256 in hex: of the file, of all image files with their names, or of a query's rows.

        Raises:
            PilotageError: it cannot be read.
        """
        ...

    def batches(
        self, columns: Sequence[str] | None = None, rows_a_batch: int = ROWS_A_BATCH
    ) -> Iterator[Batch]:
        """All rows in order, the named columns alone (all when None), in batches of at most
        `rows_a_batch`.

        Raises:
            PilotageError: it cannot be read, or is not what it was when it was opened.
        """
        ...


def kind_of(dtype: "polars.DataType") -> Kind:
    """What a column of this Polars type holds, after `plain`."""
    import polars as pl

    if dtype.is_integer():
        return "int"
    if dtype.is_float():
        return "float"
    if dtype == pl.Boolean:
        return "bool"
    if dtype == pl.String:
        return "text"
    if isinstance(dtype, (pl.List, pl.Array)):
        return "list" if dtype.inner.is_numeric() else "other"  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    return "missing" if dtype == pl.Null else "other"


def plain(frame: "polars.DataFrame") -> "polars.DataFrame":
    """The frame with decimals and giant integers as 64-bit floats, and categories as text."""
    import polars as pl

    casts: dict[str, pl.DataType] = {}
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Decimal) or str(dtype) in ("Int128", "UInt128"):
            casts[name] = pl.Float64()
        elif isinstance(dtype, (pl.Categorical, pl.Enum)):
            casts[name] = pl.String()
    return frame.cast(casts) if casts else frame  # pyright: ignore[reportArgumentType]


def described(frame: "polars.DataFrame") -> tuple[ColumnInfo, ...]:
    """The columns of a frame that `plain` has made, whatever rows it has."""
    return tuple(
        ColumnInfo(name, kind_of(dtype), str(dtype)) for name, dtype in frame.schema.items()
    )


def cut(frame: "polars.DataFrame", first_row: int, rows_a_batch: int) -> Iterator[Batch]:
    """The frame in batches of at most `rows_a_batch`; its first row has the number `first_row`."""
    for start in range(0, frame.height, rows_a_batch):
        part = frame.slice(start, rows_a_batch)
        columns = {series.name: series for series in part.get_columns()}
        yield Batch(first_row + start, part.height, columns)


def need_polars() -> None:
    """Polars is there.

    Raises:
        PilotageError: it is not installed.
    """
    from importlib.util import find_spec

    if find_spec("polars") is None:
        raise not_installed("Polars", "tables")


def not_installed(package: str, what: str) -> PilotageError:
    """The error for a package of the extra that is not there."""
    return PilotageError(
        f"{package}, which reads {what}, is not installed",
        fix="Install it: pip install 'pilotage[evaluate]'.",
    )
