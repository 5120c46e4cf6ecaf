"""The first reading: labels, groups, weights, lists, and everything that may be wrong with them."""

import numpy as np
import polars as pl
import pytest

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data import labels, rows
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.data.surveying import survey
from pilotage.spec.gates import DataSettings
from scoring import parquet


def surveyed(folder, columns, **settings):
    settings.setdefault("label", "y")
    return survey(open_dataset(parquet(folder, columns)), DataSettings(**settings))


def test_labels_groups_weights_and_lists_are_read_in_order(tmp_path):
    found = surveyed(
        tmp_path,
        {
            "y": ["b", "a", "b"],
            "sex": ["F", None, "M"],
            "race": [1, 1, 2],
            "w": [0, 1, 2],
            "q": [7, 7, 9],
        },
        protected=("sex", "race"),
        weight="w",
        query_group="q",
    )
    assert found.rows == 3
    assert found.truth.names == ("a", "b")
    assert found.truth.values.tolist() == [1, 0, 1]
    assert list(found.groups) == ["sex", "race", "sex × race"]
    assert found.groups["sex"].names == ("F", "M", "(missing)")
    assert found.weight is not None
    assert found.weight.tolist() == [0, 1, 2]
    assert found.query is not None
    assert found.query.tolist() == [7, 7, 9]


def test_numbers_stay_numbers_with_their_distinct_values(tmp_path):
    found = surveyed(tmp_path, {"y": [2.0, 0.5, 2.0]})
    assert found.truth.values.tolist() == [2.0, 0.5, 2.0]
    assert found.truth.names == ("0.5", "2")
    assert found.truth.codes([5, 6]).tolist() == [6, 5, 6]


def test_lists_named_by_text_are_numbered(tmp_path):
    found = surveyed(tmp_path, {"y": [1, 0, 2], "q": ["x", "y", "x"]}, query_group="q")
    assert found.query is not None
    assert found.query.tolist() == [0, 1, 0]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_labels_are_counted_and_never_dropped(tmp_path, missing):
    labels = [1.0, missing, 0.0] + [missing] * 6
    with pytest.raises(PilotageError) as caught:
        surveyed(tmp_path, {"y": pl.Series(labels, dtype=pl.Float64, strict=False)})
    assert "missing in 7 of 9 rows: 2, 4, 5, 6, 7 and others" in caught.value.what


def test_a_missing_text_label_is_an_error_too(tmp_path):
    with pytest.raises(PilotageError, match="missing in 1 of 2 rows: 2"):
        surveyed(tmp_path, {"y": ["a", None]})


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([1.0, -0.5, -1.0], "'w' is negative in row 2"),
        ([1.0, 1.0, None], "'w' is missing in row 3"),
        ([float("nan"), 1.0, 1.0], "'w' is missing in row 1"),
        ([1.0, float("inf"), 1.0], "'w' is infinite in row 2"),
        ([0.0, 0.0, 0.0], "every weight in column 'w' is 0"),
        (["a", "b", "c"], "'w' is of type String"),
    ],
)
def test_a_weight_that_is_none_is_told_with_its_row(tmp_path, weights, what):
    with pytest.raises(PilotageError, match=what):
        surveyed(tmp_path, {"y": [0, 1, 1], "w": weights}, weight="w")


def test_columns_that_are_not_there_are_all_named(tmp_path):
    with pytest.raises(PilotageErrors) as caught:
        surveyed(tmp_path, {"lable": [1]}, label="label", protected=("sex",), weight="w")
    assert [error.what.split("'")[1] for error in caught.value.errors] == ["label", "sex", "w"]
    assert "Did you mean lable?" in caught.value.errors[0].fix


@pytest.mark.parametrize(
    ("columns", "settings", "what"),
    [
        ({"y": []}, {}, "no rows|missing in every row"),
        ({"y": [1]}, {"label": None}, "nobody said which column"),
        ({"y": [None, None]}, {}, "missing in every row"),
        ({"y": [[1], [2]]}, {}, "is of type List"),
        ({"y": [1.0, float("inf")]}, {}, "is infinite in row 2"),
        ({"y": [1, 1], "q": [1, None]}, {"query_group": "q"}, "missing in row 2"),
        ({"y": [1], "g": [[1]]}, {"protected": ("g",)}, "column 'g' is of type List"),
    ],
)
def test_what_cannot_be_judged_by_is_refused(tmp_path, columns, settings, what):
    with pytest.raises(PilotageError, match=what):
        surveyed(tmp_path, columns, **settings)


@pytest.mark.parametrize("classes", [3, 4])
def test_a_text_label_has_as_many_values_as_allowed(tmp_path, monkeypatch, classes):
    monkeypatch.setattr(labels, "CLASSES", 3)
    columns = {"y": [f"c{index}" for index in range(classes)]}
    if classes == 3:
        assert surveyed(tmp_path, columns).truth.names == ("c0", "c1", "c2")
        return
    with pytest.raises(PilotageError, match="more than 3 values"):
        surveyed(tmp_path, columns)


@pytest.mark.parametrize(("values", "names"), [(3, ("0", "1", "2")), (4, None)])
def test_numbers_are_classes_only_where_few_are_distinct(tmp_path, monkeypatch, values, names):
    monkeypatch.setattr(labels, "CLASSES", 3)
    assert surveyed(tmp_path, {"y": list(range(values))}).truth.names == names


def test_data_without_rows_are_told(tmp_path):
    with pytest.raises(PilotageError, match="the data have no rows"):
        surveyed(tmp_path, {"y": pl.Series([], dtype=pl.Int64)})


def test_many_rows_give_the_same_from_mapped_files(tmp_path, monkeypatch):
    chance = np.random.default_rng(3)
    columns = {
        "y": chance.choice(["a", "b", "c"], 400),
        "sex": chance.choice(["F", "M"], 400),
        "w": chance.random(400),
    }
    settings = {"protected": ("sex",), "weight": "w"}
    plain = surveyed(tmp_path, columns, **settings)
    monkeypatch.setattr(rows, "ROWS_IN_MEMORY", 399)
    monkeypatch.setattr(rows, "CHUNK_ROWS", 64)
    mapped = surveyed(tmp_path, columns, **settings)
    assert isinstance(mapped.truth.values, np.memmap)
    assert not isinstance(plain.truth.values, np.memmap)
    np.testing.assert_array_equal(mapped.truth.values, plain.truth.values)
    np.testing.assert_array_equal(mapped.groups["sex"].codes, plain.groups["sex"].codes)
    np.testing.assert_array_equal(mapped.weight, plain.weight)
    assert mapped.truth.codes([2, 0, 1]).tolist() == plain.truth.codes([2, 0, 1]).tolist()
