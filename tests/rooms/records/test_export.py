import json
from datetime import UTC, datetime

import numpy as np
import pytest

from pilotage.contracts.records import Block, Column, Entry, records_of
from pilotage.errors import PilotageError
from pilotage.records import export as exporting
from pilotage.records.export import FACTS, export
from pilotage.records.values import facts_of

DIGEST = bytes(range(32))


def _records(*columns: Column, count: int = 2, rows: int = 1):
    entries = [Entry(bytes([n]) * 16, 1_790_000_000_000_000_000 + n, rows, 3) for n in range(count)]
    output = Column("y", "INT64", (), np.arange(count * rows, dtype=np.int64).tobytes())
    block = Block(
        "iris", "v", 1, "baseline", 10**6, "", "", 2, 30, 4, "whole", columns, (output,), entries
    )
    return records_of(block)


def _floats(name: str = "x", datatype: str = "FP32") -> Column:
    kind = {"FP32": np.float32, "FP64": np.float64}[datatype]
    return Column(name, datatype, (2,), np.array([1, 2, 3, np.nan], kind).tobytes())


def test_the_columns_of_the_table_are_the_facts_of_a_record():
    (record, _) = _records()
    assert list(facts_of(record)) == [name for name in FACTS if name != "usage"]


def test_lines_hold_one_object_a_prediction(tmp_path):
    strings = Column("s", "BYTES", (), b"\x02\0\0\0ab\x01\0\0\0\xff")
    path = tmp_path / "new" / "out.jsonl"
    assert export(_records(_floats(), strings), path) == 2
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["id"] == "00" * 16
    assert first["inputs"][0] == {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
    assert second["inputs"][0]["data"] == [3, None]
    assert second["inputs"][1]["data"] == ["\\xff"]
    assert second["outputs"][0]["data"] == [1]


def test_a_table_holds_tensors_as_lists_with_their_shapes(tmp_path):
    polars = pytest.importorskip("polars", reason="Polars is not installed: no Parquet")
    strings = Column("s", "BYTES", (), b"\x02\0\0\0ab\x01\0\0\0\xff")
    kept = Column("d", "FP32", (9,), digests=(DIGEST, DIGEST))
    path = tmp_path / "out.parquet"
    assert export(_records(_floats(), strings, kept), path) == 2
    table = polars.read_parquet(path)
    assert table["input_x"].to_list()[0] == [1.0, 2.0]
    assert table["input_x_shape"].to_list() == [[1, 2], [1, 2]]
    assert table["input_s"].to_list() == [["ab"], ["\\xff"]]
    assert table["output_y"].to_list() == [[0], [1]]
    assert table["input_d"].to_list() == [None, None]
    assert table["input_d_sha256"].to_list() == [DIGEST.hex()] * 2
    assert table["received_at"][0] == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert table["engine_us"].to_list() == [30, 30]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_models_with_other_tensors_share_a_table(tmp_path, monkeypatch):
    polars = pytest.importorskip("polars", reason="Polars is not installed: no Parquet")
    for chunk in (1, 3, 100):
        monkeypatch.setattr(exporting, "CHUNK_RECORDS", chunk)
        path = tmp_path / f"{chunk}.parquet"
        both = [*_records(_floats()), *_records(_floats(datatype="FP64")), *_records(_floats("z"))]
        assert export(iter(both), path) == 6
        table = polars.read_parquet(path)
        assert table["input_x"].null_count() == 4
        assert table["input_x_FP64"].null_count() == 4
        assert table["input_z"].null_count() == 4
        assert table["id"].len() == 6


def test_no_records_make_an_empty_file(tmp_path):
    assert export(iter(()), tmp_path / "a.jsonl") == 0
    polars = pytest.importorskip("polars", reason="Polars is not installed: no Parquet")
    assert export(iter(()), tmp_path / "a.parquet") == 0
    assert polars.read_parquet(tmp_path / "a.parquet").columns == list(FACTS)


def test_another_ending_is_refused(tmp_path):
    for name in ("a.csv", "a"):
        with pytest.raises(PilotageError, match=r"expected \.parquet or \.jsonl"):
            export(iter(()), tmp_path / name)


def test_without_polars_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(PilotageError, match="jsonl"):
        export(iter(()), tmp_path / "a.parquet")


def test_a_file_that_is_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old")

    def broken():
        yield from _records()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        export(broken(), path)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]
