"""The rows of a SQL query, streamed from the database, as often as wanted.

Nothing is written: PostgreSQL and SQLite are told to refuse it, and nothing is ever committed.
Every reading is digested; rows that came in another order, or other rows, are an error.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pilotage.errors import PilotageError
from pilotage.evaluation.data import columns as columns_of_rows
from pilotage.evaluation.data.columns import ROWS_A_BATCH, Batch, ColumnInfo

if TYPE_CHECKING:
    import polars
    from sqlalchemy import CursorResult, Engine
    from sqlalchemy.engine import URL

INFERRED_ROWS: Final = 10_000
"""First rows that decide what the columns hold."""
DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The driver that the extra brings, where a URL names none."""

Schema = "dict[str, polars.DataType]"


class Query:
    """A query at a database, as a `Dataset`. Its number of rows is known after one reading."""

    def __init__(self, engine: "Engine", sql: str, source: str, secrets: tuple[str, ...]) -> None:
        self._engine = engine
        self._sql = sql
        self._secrets = secrets
        self._digest: str | None = None
        self.source = source
        self.rows: int | None = None
        self.notes: tuple[str, ...] = ()
        self._schema: dict[str, polars.DataType] = self._types()
        self.columns: tuple[ColumnInfo, ...] = self._described()

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the rows in order; read once more where nobody has read them."""
        if self._digest is None:
            for _ in self.batches():
                pass
        return self._digest or ""

    def batches(
        self, columns: Sequence[str] | None = None, rows_a_batch: int = ROWS_A_BATCH
    ) -> Iterator[Batch]:
        names = list(columns) if columns is not None else [info.name for info in self.columns]
        digest = hashlib.sha256()
        first_row = 0
        with self._result(rows_a_batch) as result:
            for part in result.partitions(rows_a_batch):
                rows = [tuple(row) for row in part]
                digest.update("".join(f"{row!r}\n" for row in rows).encode())
                frame = self._frame(rows, first_row).select(names)
                yield from columns_of_rows.cut(frame, first_row, rows_a_batch)
                first_row += len(rows)
        self._same(digest.hexdigest(), first_row)

    def _same(self, digest: str, rows: int) -> None:
        if self._digest not in (None, digest):
            raise PilotageError(
                "the query gave other rows, or another order, than when it was read first",
                where=self.source,
                expected="the same rows in the same order",
                fix="Add ORDER BY with a unique key, and query a table that nobody changes.",
            )
        self._digest, self.rows = digest, rows

    def _types(self) -> "dict[str, polars.DataType]":
        """The columns' types, by the first rows."""
        import polars as pl

        with self._result(INFERRED_ROWS) as result:
            names = list(result.keys())
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise PilotageError(
                    f"the query gives several columns named {', '.join(twice[:5])}",
                    where=self.source,
                    fix="Name them apart with AS.",
                )
            rows = [tuple(row) for row in result.fetchmany(INFERRED_ROWS)]
        try:
            frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise self._mixed(0) from error
        return dict(columns_of_rows.plain(frame).schema)

    def _described(self) -> tuple[ColumnInfo, ...]:
        import polars as pl

        return columns_of_rows.described(pl.DataFrame(schema=self._schema))

    def _frame(self, rows: list[tuple[Any, ...]], first_row: int) -> "polars.DataFrame":
        """Rows as a frame; a column that began as whole numbers, or empty, may go on otherwise."""
        import polars as pl

        names = list(self._schema)
        try:
            frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise self._mixed(first_row) from error
        return columns_of_rows.plain(frame)

    def _mixed(self, first_row: int) -> PilotageError:
        return PilotageError(
            f"a column of the query mixes types, in row {first_row + 1} or after it",
            where=self.source,
            expected="one type a column",
            fix="CAST the column in the query.",
        )

    @contextmanager
    def _result(self, rows: int) -> "Generator[CursorResult[Any]]":
        """The query's result, streamed; whatever the database objects to is told in one line."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        options: dict[str, Any] = {"stream_results": True, "max_row_buffer": rows}
        if self._engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        try:
            with self._engine.connect().execution_options(**options) as connection:
                if self._engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only = ON")
                # A colon before a word would be a parameter, and there are none.
                result = connection.execute(text(self._sql.replace(":", "\\:")))
                if not result.returns_rows:
                    raise PilotageError("the query gives no rows", where=self.source)
                yield result
        except (SQLAlchemyError, UnicodeDecodeError) as error:
            raise PilotageError(
                f"the query failed: {_said(error, self._secrets)}", where=self.source
            ) from None


def open_query(url: str, sql: str) -> Query:
    """The rows of `sql` at the database `url` (`sqlite:///file.db`,
    `postgresql://user:password@host/name`).

    Raises:
        PilotageError: the URL is none, a driver is missing, or the database refuses. No error
            holds the password.
    """
    columns_of_rows.need_polars()
    try:
        import sqlalchemy
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError as error:
        raise columns_of_rows.not_installed("SQLAlchemy", "queries") from error
    try:
        address = sqlalchemy.make_url(url)
    except (ArgumentError, ValueError):
        raise PilotageError(
            "the address of the database cannot be read",
            expected="sqlite:///people.db or postgresql://user@host/name",
        ) from None
    driver = DRIVERS.get(address.drivername, address.drivername)
    address = address.set(drivername=driver)
    source = _shown(address)
    _sqlite_file(address, source)
    try:
        engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    except (ArgumentError, ImportError):
        raise PilotageError(
            f"there is no driver for {driver}",
            where=source,
            expected="sqlite or postgresql, or a driver that is installed",
        ) from None
    return Query(engine, sql, source, _secrets(address))


def _sqlite_file(address: "URL", source: str) -> None:
    """SQLite would make a database that is not there."""
    if address.get_backend_name() != "sqlite":
        return
    database = address.database or ""
    if not database or database == ":memory:" or not Path(database).is_file():
        raise PilotageError("the database cannot be read: no such file", where=source)


def _shown(address: "URL") -> str:
    """The address without password and options, either of which may be secret."""
    bare = address.set(query={})
    return bare.render_as_string(hide_password=True)


def _secrets(address: "URL") -> tuple[str, ...]:
    """What of the address must not be shown, the longest first."""
    options = [value for values in address.query.values() for value in _several(values)]
    found = {secret for secret in (address.password or "", *options) if secret}
    return tuple(sorted(found, key=len, reverse=True))


def _several(values: str | Sequence[str]) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _said(error: Exception, secrets: tuple[str, ...]) -> str:
    """The database's own sentence, on one line, without secrets."""
    original = getattr(error, "orig", None) or error
    said = " ".join(str(original).split())[:300] or type(error).__name__
    for secret in secrets:
        said = said.replace(secret, "***")
    return said
