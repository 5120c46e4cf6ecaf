"""Tables in files: the same rows from every format, in bounded batches, or a clear error."""

import hashlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotage.errors import PilotageError
from pilotage.evaluation.data import tables
from pilotage.evaluation.data.datasets import open_dataset

WORDS = st.one_of(st.none(), st.text("abcxyz éß,\";'", min_size=1).filter(lambda w: w.strip()))
COLUMNS = {
    "whole": (pl.Int64, st.one_of(st.none(), st.integers(-(2**53), 2**53))),
    "real": (pl.Float64, st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))),
    "word": (pl.String, WORDS),
    "flag": (pl.Boolean, st.one_of(st.none(), st.booleans())),
}
ROWS = st.lists(st.tuples(*(values for _, values in COLUMNS.values())), min_size=1, max_size=30)


def rows_of(source, columns=None, rows_a_batch=7):
    found, expected = [], 0
    for batch in open_dataset(str(source)).batches(columns, rows_a_batch):
        assert batch.first_row == expected
        assert 1 <= batch.rows <= rows_a_batch
        assert all(len(series) == batch.rows for series in batch.columns.values())
        expected += batch.rows
        found += zip(*(series.to_list() for series in batch.columns.values()), strict=True)
    return found


def written(folder: Path, frame: pl.DataFrame) -> dict[str, Path]:
    paths = {kind: folder / f"data.{kind}" for kind in ("parquet", "csv", "jsonl")}
    frame.write_parquet(paths["parquet"], row_group_size=5)
    frame.write_csv(paths["csv"])
    frame.write_ndjson(paths["jsonl"])
    return paths


@settings(
    max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS)
def test_parquet_csv_and_json_lines_of_one_table_give_the_same_rows(tmp_path, rows):
    first = (1, 1.5, "a", True)  # so that no column is empty, and each has its type in text too
    schema = {name: dtype for name, (dtype, _) in COLUMNS.items()}
    frame = pl.DataFrame([first, *rows], schema=schema, orient="row")
    found = {kind: rows_of(path) for kind, path in written(tmp_path, frame).items()}
    assert found["parquet"] == frame.rows()
    assert found["csv"] == frame.rows()
    assert found["jsonl"] == frame.rows()


def test_a_data_set_is_read_twice_and_tells_columns_rows_and_digest(tmp_path):
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
    for path in written(tmp_path, frame).values():
        dataset = open_dataset(str(path))
        assert [(info.name, info.kind) for info in dataset.columns] == [("a", "int"), ("b", "text")]
        assert dataset.rows == 3
        assert dataset.digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert [batch.rows for batch in dataset.batches()] == [3]
        assert [batch.rows for batch in dataset.batches(["b"], 2)] == [2, 1]


def test_only_the_columns_asked_for_are_given_in_that_order(tmp_path):
    frame = pl.DataFrame({"a": [1], "b": [2], "c": [3]})
    for path in written(tmp_path, frame).values():
        (batch,) = open_dataset(str(path)).batches(["c", "a"])
        assert list(batch.columns) == ["c", "a"]


def test_parquet_is_read_in_slices_that_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "SLICE_ROWS", 20)
    frame = pl.DataFrame({"a": range(105)})
    path = tmp_path / "one_group.parquet"
    frame.write_parquet(path, row_group_size=105)
    assert rows_of(path) == frame.rows()
    assert rows_of(path, rows_a_batch=50) == frame.rows()


def test_categories_become_text_and_decimals_floats(tmp_path):
    frame = pl.DataFrame(
        {
            "c": pl.Series(["x", "y"], dtype=pl.Categorical),
            "d": pl.Series(["1.50", "2.25"]).cast(pl.Decimal(8, 2)),
            "l": [[1.0, 2.0], [3.0, 4.0]],
            "t": pl.Series(["2020-01-01", "2020-01-02"]).str.to_date(),
        }
    )
    path = tmp_path / "data.parquet"
    frame.write_parquet(path)
    kinds = [info.kind for info in open_dataset(str(path)).columns]
    assert kinds == ["text", "float", "list", "other"]
    assert rows_of(path, ["c", "d"]) == [("x", 1.5), ("y", 2.25)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_the_one_the_header_uses(tmp_path, separator):
    path = tmp_path / "data.csv"
    path.write_text(f"a{separator}b\n1{separator}2\n", "utf-8-sig")
    assert rows_of(path) == [(1, 2)]


def test_a_type_that_shows_late_is_seen_in_a_file_of_usual_size(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a\n" + "1\n" * 2000 + "1.5\n")
    assert open_dataset(str(path)).columns[0].kind == "float"


def test_a_type_that_shows_late_in_a_long_file_is_an_error_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "INFERRED_BYTES", 100)
    monkeypatch.setattr(tables, "INFERRED_ROWS", 100)
    path = tmp_path / "data.csv"
    path.write_text("a\n" + "1\n" * 2000 + "1.5\n")
    with pytest.raises(PilotageError) as caught:
        rows_of(path)
    assert "the first 100 rows" in caught.value.expected
    assert "Parquet" in caught.value.fix


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"[1, 2]", "JSON array"),
        (b"\x1f\x8b\x08aaaa", "compressed"),
        (b"a\x00b", "binary"),
        (b"PAR1 and no more PAR1", "cannot be read"),
        (b'{"a": 1}\nnothing\n', "cannot be read"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read"),
        (b"a,b\n1,\xff\n", "cannot be read"),
        (b"a,b,a\n1,2,3\n", "another one has: a"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, content, what):
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(PilotageError, match=what) as caught:
        rows_of(path)
    assert caught.value.where == str(path)


def test_a_line_with_more_values_than_names_is_refused_whichever_columns_are_wanted(tmp_path):
    path = tmp_path / "shifted.csv"
    path.write_text("place,age,y\nBern,30,1\nOslo,40,0\nBern, old town,50,1\n")
    with pytest.raises(PilotageError, match="more values than the first line has names"):
        open_dataset(str(path))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PilotageError, match="no such file"):
        open_dataset(str(tmp_path / "nothing.csv"))


def test_a_file_that_changes_between_two_readings_is_an_error(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a\n1\n")
    dataset = open_dataset(str(path))
    path.write_text("a\n1\n2\n")
    with pytest.raises(PilotageError, match="changed"):
        list(dataset.batches())
    with pytest.raises(PilotageError, match="changed"):
        _ = dataset.digest
