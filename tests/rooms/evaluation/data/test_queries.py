"""Rows of a SQL query: streamed, the same at every reading, nothing written, no secret told."""

import sqlite3

import pytest

from pilotage.errors import PilotageError
from pilotage.evaluation.data.datasets import open_dataset

ALL = "SELECT * FROM people ORDER BY id"


@pytest.fixture
def url(tmp_path):
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE people (id INTEGER, name TEXT, pay REAL)")
        rows = [(i, f"p{i}", None if i == 2 else i / 2) for i in range(10)]
        made.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
    made.close()
    return f"sqlite:///{path}"


def changed(url, sql):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as made:
        made.execute(sql)
    made.close()


def test_a_query_gives_its_rows_in_batches_as_often_as_wanted(url):
    dataset = open_dataset(url, query=ALL)
    kinds = [(info.name, info.kind) for info in dataset.columns]
    assert kinds == [("id", "int"), ("name", "text"), ("pay", "float")]
    for _ in range(2):
        batches = list(dataset.batches(["pay", "id"], 4))
        assert [(batch.first_row, batch.rows) for batch in batches] == [(0, 4), (4, 4), (8, 2)]
        assert batches[0].columns["pay"].to_list() == [0.0, 0.5, None, 1.5]
        assert list(batches[0].columns) == ["pay", "id"]
    assert dataset.rows == 10


def test_the_digest_is_of_the_rows(url):
    first = open_dataset(url, query=ALL).digest
    assert len(first) == 64
    assert open_dataset(url, query="SELECT id, name, pay FROM people ORDER BY id").digest == first
    assert open_dataset(url, query="SELECT * FROM people ORDER BY id DESC").digest != first


def test_rows_that_change_between_two_readings_are_an_error(url):
    dataset = open_dataset(url, query=ALL)
    list(dataset.batches())
    changed(url, "UPDATE people SET pay = 99 WHERE id = 5")
    with pytest.raises(PilotageError, match="other rows") as caught:
        list(dataset.batches())
    assert "ORDER BY" in caught.value.fix


@pytest.mark.parametrize("sql", ["DELETE FROM people", "DROP TABLE people"])
def test_a_query_cannot_write(url, sql):
    with pytest.raises(PilotageError, match="failed"):
        open_dataset(url, query=sql)
    assert open_dataset(url, query="SELECT count(*) AS n FROM people").digest
    assert sum(batch.rows for batch in open_dataset(url, query=ALL).batches()) == 10


def test_colons_and_percent_signs_are_the_querys_own(url):
    dataset = open_dataset(url, query="SELECT ':a' AS x, '%s' AS y, name FROM people WHERE id = 1")
    (batch,) = dataset.batches()
    assert [series.to_list() for series in batch.columns.values()] == [[":a"], ["%s"], ["p1"]]
    assert open_dataset(url, query="SELECT * FROM people WHERE name LIKE 'p%'").digest


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT wages FROM people", "no such column"),
        ("SELECT 1 AS a, 2 AS a", "several columns named a"),
        ("SELECT x'00' AS a UNION ALL SELECT 1", "mixes types"),
        ("nonsense", "failed"),
    ],
)
def test_a_query_that_cannot_be_used_is_told_in_one_line(url, sql, what):
    with pytest.raises(PilotageError, match=what) as caught:
        open_dataset(url, query=sql)
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    path = tmp_path / "none.db"
    with pytest.raises(PilotageError, match="no such file"):
        open_dataset(f"sqlite:///{path}", query="SELECT 1")
    assert not path.exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://anna:very-secret@127.0.0.1:1/db?application_name=very-secret",
        "postgresql://anna:very-secret@127.0.0.1:1/db?sslmode=very-secret",
        "mysql+nothing://anna:very-secret@127.0.0.1/db",
        "postgresql://anna:very-secret@127.0.0.1:port/db",
    ],
)
def test_no_error_holds_the_password(url):
    with pytest.raises(PilotageError) as caught:
        open_dataset(url, query="SELECT 1")
    error = caught.value
    assert "very-secret" not in f"{error} {error!r}"
    assert error.__cause__ is None


def test_a_url_needs_a_query_and_a_query_a_url(tmp_path):
    with pytest.raises(PilotageError, match="without a query"):
        open_dataset("sqlite:///people.db")
    with pytest.raises(PilotageError, match="needs a database"):
        open_dataset(str(tmp_path), query="SELECT 1")
