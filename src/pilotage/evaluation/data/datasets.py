"""From what a person names (a file, a folder, a database's address) to a data set.

A file is recognised by its content. A query is the address of a database and its SQL, as two
arguments: `--data sqlite:///people.db --query "SELECT * FROM people ORDER BY id"`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.errors import PilotageError

if TYPE_CHECKING:
    from pilotage.evaluation.data.columns import Dataset


def open_dataset(source: str, *, query: str | None = None) -> "Dataset":
    """The data set at `source`: a Parquet, CSV or JSON lines file, a folder of images with one
    folder a label, or, with `query`, the rows of a SQL query at a database's URL.

    Raises:
        PilotageError: there is nothing, it cannot be read, or it is of no known kind.
    """
    if "://" in source:
        if not query:
            raise PilotageError(
                "the address of a database came without a query",
                expected="a SQL query beside it",
                fix='Add --query "SELECT … FROM … ORDER BY …".',
            )
        from pilotage.evaluation.data.queries import open_query

        return open_query(source, query)
    path = Path(source).expanduser()
    if query is not None:
        raise PilotageError(
            "a query needs a database",
            where=str(path),
            expected="the database's URL: sqlite:///people.db, postgresql://user@host/name",
        )
    if path.is_dir():
        from pilotage.evaluation.data.images import open_images

        return open_images(path)
    if not path.is_file():
        raise PilotageError("the data cannot be read: no such file", where=str(path))
    from pilotage.evaluation.data.tables import open_table

    return open_table(path)
