"""Groups of rows by values of columns: names, missing values, intersections, limits."""

import numpy as np
import polars as pl
import pytest

from pilotage.errors import PilotageError
from pilotage.evaluation.data import rows
from pilotage.evaluation.data.groups import SMALL, grouping, intersection, with_asked, with_pairs
from pilotage.evaluation.data.vocabulary import Vocabulary


def grouped(*values, dtype=None):
    words = Vocabulary("g", at_most=101)
    codes = words.codes(pl.Series("g", values, dtype=dtype))
    return grouping(codes, words.names)


def members(one):
    return [one.names[code] for code in one.codes.tolist()]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a", None], ("a", "b", "(missing)")),
        ([10, 9, 10], ("9", "10")),
        ([2.0, 1.0, float("nan")], ("1", "2", "(missing)")),
        ([True, False, None], ("False", "True", "(missing)")),
    ],
)
def test_groups_are_named_as_people_write_them(values, names):
    assert grouped(*values).names == names


def test_each_row_is_in_the_group_of_its_value():
    one = grouped("M", None, "F", "M")
    assert members(one) == ["M", "(missing)", "F", "M"]
    assert one.codes.dtype == np.int16


def test_a_vocabulary_keeps_its_codes_over_batches():
    words = Vocabulary("g", at_most=3)
    assert words.codes(pl.Series(["x", "y"])).tolist() == [0, 1]
    assert words.codes(pl.Series(["z", None, "x"])).tolist() == [2, -1, 0]
    assert words.names == ("x", "y", "z")


def test_as_many_values_as_allowed_are_taken_and_one_more_is_refused():
    words = Vocabulary("age", at_most=3)
    words.codes(pl.Series([1, 2, 3]))
    with pytest.raises(PilotageError, match="column 'age' has more than 3 values"):
        words.codes(pl.Series([4]))


def test_many_groups_cost_four_bytes_a_row():
    names = [str(i) for i in range(SMALL + 1)]
    assert grouping(np.zeros(3, np.int32), names[:-1]).codes.dtype == np.int16
    assert grouping(np.zeros(3, np.int32), names).codes.dtype == np.int32


def test_intersections_hold_only_groups_with_rows():
    sex = grouped("F", "M", "F", "F")
    race = grouped("w", "w", None, "b")
    both = intersection([sex, race])
    assert both.names == ("F × b", "F × w", "F × (missing)", "M × w")
    assert members(both) == ["F × w", "M × w", "F × (missing)", "F × b"]
    assert list(with_pairs({"sex": sex, "race": race})) == ["sex", "race", "sex × race"]


def test_what_a_gate_asks_for_is_there_in_its_order_and_of_three_columns():
    sex, race, old = grouped("F", "M", "F"), grouped("w", "w", "b"), grouped(True, False, False)
    made = with_asked(
        with_pairs({"sex": sex, "race": race, "old": old}),
        [("race", "sex"), ("sex", "race", "old"), ("sex",), ("sex", "nowhere")],
    )
    assert made["race × sex"].names == ("b × F", "w × F", "w × M")
    assert members(made["sex × race × old"]) == ["F × w × True", "M × w × False", "F × b × False"]
    assert "sex × nowhere" not in made


def test_as_many_groups_together_as_allowed_are_made_and_more_are_refused():
    hundred = grouped(*range(100))
    more = grouped(*range(101))
    assert len(with_asked({"a": hundred, "b": hundred}, [("a", "b")])["a × b"].names) == 100
    with pytest.raises(PilotageError, match="a × b would be 10,100 groups"):
        with_asked({"a": hundred, "b": more}, [("a", "b")])


def test_long_columns_give_the_same_groups_from_a_mapped_file(monkeypatch):
    values = ["F", "M", None] * 40
    plain = grouped(*values)
    monkeypatch.setattr(rows, "ROWS_IN_MEMORY", 119)
    monkeypatch.setattr(rows, "CHUNK_ROWS", 50)
    mapped = grouped(*values)
    assert isinstance(mapped.codes, np.memmap)
    assert members(mapped) == members(plain)
    assert members(intersection([mapped, mapped])) == members(intersection([plain, plain]))
    monkeypatch.setattr(rows, "ROWS_IN_MEMORY", 120)
    assert not isinstance(grouped(*values).codes, np.memmap)
