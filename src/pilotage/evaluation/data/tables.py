"""Parquet, CSV and JSON lines, read by Polars in bounded memory.

Parquet is read in slices, each decoded whole: 10 million rows with 12 columns took 0.6 to 1 s and
under 200 MB of memory where row groups had Polars' usual length. In a file with a single row group
Polars holds that group's columns, compressed (0.5 GB there), and took 2.4 s. CSV and JSON lines
come from Polars' stream, which held 330 MB however long the file was. Two shared cores, Polars 2.1;
`python -m benchmarks.evaluation.ten_million_rows` measures the whole way.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pilotage.errors import PilotageError
from pilotage.evaluation.data import columns as columns_of_rows
from pilotage.evaluation.data.columns import ROWS_A_BATCH, Batch, ColumnInfo

if TYPE_CHECKING:
    import polars

SLICE_ROWS: Final = 1_048_576
"""Rows of a Parquet file that are decoded at once, where so many fit into `SLICE_BYTES`."""
SLICE_BYTES: Final = 64 * 1024 * 1024
"""Bytes of one slice, reckoned as 8 a value."""
INFERRED_BYTES: Final = 256 * 1024 * 1024
"""Up to this size all of a CSV or JSON lines file decides about its types; above, its beginning."""
INFERRED_ROWS: Final = 100_000
"""Rows of that beginning."""
HEAD_BYTES: Final = 64 * 1024
"""Bytes of a file by which it is recognised."""

Format = Literal["parquet", "csv", "json"]
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Table:
    """A file of rows, as a `Dataset`."""

    path: Path
    format: Format
    columns: tuple[ColumnInfo, ...]
    rows: int
    separator: str
    stamp: Stamp
    """Size and time of the last change, when it was opened."""
    schema: "dict[str, polars.DataType]" = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return str(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        self._unchanged()
        return _digest(self.path, self.stamp)

    def counted(self) -> int:
        """Rows in the file. Of a CSV every value is looked at: a line with too many is told of only
        where all columns are read, and its values may stand in the wrong ones. That costs 0.7 s for
        1 million rows with 12 numbers (235 MB, two shared cores)."""
        import polars as pl

        try:
            scan = _scan(self.path, self.format, self.separator, self.schema)
            wanted = {"rows": pl.len()}
            if self.format == "csv" and self.schema:
                wanted["absent"] = pl.sum_horizontal(pl.all().null_count())
            return int(scan.select(**wanted).collect(engine="streaming")["rows"].item())
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._explained(error) from error

    def batches(
        self, columns: Sequence[str] | None = None, rows_a_batch: int = ROWS_A_BATCH
    ) -> Iterator[Batch]:
        import polars as pl

        names = list(columns) if columns is not None else [info.name for info in self.columns]
        first_row = 0
        self._unchanged()
        try:
            for frame in self._frames(names, rows_a_batch):
                yield from columns_of_rows.cut(
                    columns_of_rows.plain(frame), first_row, rows_a_batch
                )
                first_row += frame.height
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._explained(error) from error
        self._unchanged()

    def _frames(self, names: list[str], rows: int) -> "Iterator[polars.DataFrame]":
        """Frames of any length, in order, none of them long."""
        frames = self._scan().select(names)
        if self.format != "parquet":
            yield from frames.collect_batches(chunk_size=rows, maintain_order=True)
            return
        fitting = SLICE_BYTES // (8 * max(1, len(names)))
        step = max(1, min(SLICE_ROWS, fitting) // rows) * rows
        for start in range(0, self.rows, step):
            yield frames.slice(start, step).collect()

    def _scan(self) -> "polars.LazyFrame":
        return _scan(self.path, self.format, self.separator, self.schema)

    def _unchanged(self) -> None:
        if _stamp(self.path) != self.stamp:
            raise _changed(self.path)

    def _explained(self, error: Exception) -> PilotageError:
        """Polars' error; where the types of a long file were guessed, that is said."""
        said = _first_line(error)
        if "more fields than" in said:
            return _unreadable(
                self.path,
                "a line has more values than the first line has names; is a value with"
                " a separator in it without quotes?",
            )
        if self.format == "parquet" or self.stamp[0] <= INFERRED_BYTES:
            return _unreadable(self.path, said)
        return PilotageError(
            f"the data cannot be read: {said}",
            where=str(self.path),
            expected=f"columns of the types of the first {INFERRED_ROWS:,} rows",
            fix="Save the table as Parquet, which tells its types.",
        )


def open_table(path: Path) -> Table:
    """The table in a file, its format recognised by content.

    Raises:
        PilotageError: it cannot be read, is of another format, or names a column twice.
    """
    columns_of_rows.need_polars()
    import polars as pl

    try:
        stamp = _stamp(path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not head.strip():
        raise PilotageError("the data are empty", where=str(path))
    kind = _format(head, path)
    separator = _separator(head, path) if kind == "csv" else ","
    try:
        scan = _scan(path, kind, separator, None, whole=stamp[0] <= INFERRED_BYTES)
        schema = dict(scan.collect_schema())
        frame = columns_of_rows.plain(pl.DataFrame(schema=schema))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, _first_line(error)) from error
    table = Table(path, kind, columns_of_rows.described(frame), 0, separator, stamp, schema)
    return replace(table, rows=table.counted())


@lru_cache(maxsize=8)
def _digest(path: Path, stamp: Stamp) -> str:
    """SHA-256 in hex of the file that had this stamp."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if _stamp(path) != stamp:
        raise _changed(path)
    return digest


def _scan(
    path: Path,
    kind: Format,
    separator: str,
    schema: "dict[str, polars.DataType] | None",
    *,
    whole: bool = True,
) -> "polars.LazyFrame":
    import polars as pl

    length = None if whole else INFERRED_ROWS
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False)
    if kind == "json":
        return pl.scan_ndjson(path, schema=schema, infer_schema_length=length)
    return pl.scan_csv(
        path, separator=separator, schema=schema, infer_schema_length=length, glob=False
    )


def _format(head: bytes, path: Path) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        return "json"
    what = ""
    if start == b"[":
        what = "a JSON array"
    elif head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")):
        what = "a compressed file"
    elif b"\x00" in head:
        what = "a binary file"
    if what:
        raise PilotageError(
            f"the data are {what}", where=str(path), expected="Parquet, CSV or JSON lines"
        )
    return "csv"


def _separator(head: bytes, path: Path) -> str:
    """The separator that the header has most of; a comma where it has none."""
    header = head.decode("utf-8-sig", "replace").lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    separator = max(",;\t", key=header.count)
    names = next(csv.reader([header], delimiter=separator))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PilotageError(
            f"{len(twice)} columns have a name that another one has: {', '.join(twice[:5])}",
            where=str(path),
            expected="a first line with a name for each column",
        )
    return separator


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return found.st_size, found.st_mtime_ns


def _changed(path: Path) -> PilotageError:
    return PilotageError(
        "the data changed while they were read",
        where=str(path),
        fix="Try again when the file is written whole.",
    )


def _unreadable(path: Path, why: str) -> PilotageError:
    return PilotageError(
        f"the data cannot be read: {why}",
        where=str(path),
        expected="Parquet, CSV with a header, or JSON lines",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
