"""Which column goes where, and every way in which columns and a model do not fit together."""

import numpy as np
import polars as pl
import pytest

from pilotage.contracts.signature import Signature, Tensor
from pilotage.errors import PilotageErrors
from pilotage.evaluation.data.columns import Batch, ColumnInfo
from pilotage.evaluation.scoring.encoding import Place, Reserved, plan
from pilotage.evaluation.scoring.feeding import Tally, inputs_of

OUT = (Tensor("y", "FP32", ("n", 1)),)


def takes(*inputs):
    return Signature(tuple(inputs), OUT)


def there(**kinds):
    return [ColumnInfo(name, kind, kind) for name, kind in kinds.items()]


def one(width, datatype="FP32"):
    return takes(Tensor("x", datatype, ("n", width)))


def chosen(signature, columns, **named):
    return [feed.columns for feed in plan(signature, columns, **named).feeds]


def refused(signature, columns, **named):
    with pytest.raises(PilotageErrors) as caught:
        plan(signature, columns, **named)
    return caught.value.errors


def batch(**columns):
    made = {name: pl.Series(name, values) for name, values in columns.items()}
    return Batch(0, len(next(iter(made.values()))), made)


def test_inputs_are_fed_by_the_columns_of_their_names_in_any_order():
    signature = takes(
        Tensor("age", "FP32", ("n", 1)),
        Tensor("word", "BYTES", ("n",)),
        Tensor("k", "INT64", ("n", 1)),
    )
    encoding = plan(signature, there(k="int", word="text", other="float", age="float"))
    assert encoding.columns == ("age", "word", "k")
    rows = batch(age=[1.5, None], word=["a", "b"], k=[1, 2])
    age, word, k = inputs_of(rows, encoding, Tally())
    assert (age.shape, age.dtype) == ((2, 1), np.float32)
    assert word.tolist() == ["a", "b"]
    assert k.tolist() == [[1], [2]]


def test_names_that_the_model_knows_decide_the_order_of_values():
    columns = there(b="float", label="int", a="int", c="float")
    assert chosen(one(2), columns, known=("a", "b")) == [("a", "b")]
    encoding = plan(one(2), columns, known=("a", "b"))
    (made,) = inputs_of(batch(a=[1, 2], b=[3.0, 4.0]), encoding, Tally())
    assert made.tolist() == [[1, 3], [2, 4]]
    assert encoding.places == (Place("a", 0, 0), Place("b", 0, 1))


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (5, ("row_id", "a", "sex", "b", "race")),
        (4, ("a", "sex", "b", "race")),
        (3, ("row_id", "a", "b")),
        (2, ("a", "b")),
    ],
)
def test_without_names_columns_are_taken_in_file_order_where_their_count_is_right(width, expected):
    columns = there(row_id="int", a="float", y="int", sex="int", b="float", w="float", race="int")
    reserved = Reserved("y", ("sex", "race"), weight="w")
    encoding = plan(
        one(width), columns, reserved=reserved, known=[f"column_{i}" for i in range(width)]
    )
    assert encoding.columns == expected
    assert "in file order" in encoding.notes[0]


def test_without_names_a_text_is_no_number_where_just_as_many_numbers_are_there():
    columns = there(a="float", y="int", city="text", b="float")
    encoding = plan(one(2), columns, reserved=Reserved("y"))
    assert encoding.columns == ("a", "b")
    assert "takes in file order: a, b" in encoding.notes[0]
    (error,) = refused(one(3), columns, reserved=Reserved("y"))
    assert "2 of them with numbers" in error.what


def test_a_count_that_is_wrong_is_told_with_both_counts():
    (error,) = refused(one(3), there(a="float", y="int", b="float"), reserved=Reserved("y"))
    assert "takes 3 values" in error.what
    assert "2 columns for it" in error.what


def test_inputs_with_made_up_names_are_fed_in_file_order():
    inputs = [Tensor(f"column_{i}", kind, ("n", 1)) for i, kind in enumerate(("FP32", "BYTES"))]
    assert chosen(takes(*inputs), there(a="float", b="text")) == [("a",), ("b",)]


def test_every_problem_is_listed_at_once():
    signature = takes(
        Tensor("height", "FP32", ("n", 1)),
        Tensor("word", "BYTES", ("n", 1)),
        Tensor("when", "INT64", ("n", 1)),
        Tensor("pixels", "FP32", ("n", 4)),
    )
    errors = refused(signature, there(hight="float", word="float", when="other"))
    assert len(errors) == 4
    said = "\n".join(map(str, errors))
    assert "no column 'height'" in said
    assert "Did you mean hight?" in said
    assert "no list column named 'pixels'" in said
    assert "column 'word' is of type float" in said
    assert "column 'when' is of type other" in said


def test_all_known_names_that_are_missing_are_listed():
    errors = refused(one(3), there(a="float"), known=("a", "b", "c"))
    assert [error.what.split("'")[1] for error in errors] == ["b", "c"]


def test_the_label_is_never_an_input():
    (error,) = refused(
        one(2), there(a="float", y="float"), known=("a", "y"), reserved=Reserved("y")
    )
    assert "given the answer" in error.fix


def test_an_optional_input_without_a_column_is_left_out():
    signature = takes(Tensor("x", "FP32", ("n", 1)), Tensor("z", "FP32", ("n", 1), optional=True))
    encoding = plan(signature, there(x="float"))
    assert inputs_of(batch(x=[1.0]), encoding, Tally())[1] is None


def test_a_column_of_lists_feeds_an_input_of_several_values():
    signature = takes(Tensor("x", "FP32", ("n", 2, 2)))
    encoding = plan(signature, there(y="int", pixels="list"), reserved=Reserved("y"))
    (made,) = inputs_of(batch(pixels=[[1.0, 2, 3, 4], [5.0, 6, 7, 8]]), encoding, Tally())
    assert made.shape == (2, 2, 2)
    assert made[1].tolist() == [[5, 6], [7, 8]]
    with pytest.raises(PilotageErrors, match="another length in row 2"):
        inputs_of(batch(pixels=[[1.0, 2, 3, 4], [5.0]]), encoding, Tally())


def test_lists_may_have_any_one_length_where_the_model_leaves_it_open():
    encoding = plan(takes(Tensor("x", "INT64", ("n", "length"))), there(x="list"))
    (made,) = inputs_of(batch(x=[[1, 2, 3], [4, 5, 6]]), encoding, Tally())
    assert made.shape == (2, 3)
    with pytest.raises(PilotageErrors, match="another length"):
        inputs_of(batch(x=[[1, 2, 3], [4, 5]]), encoding, Tally())


def test_bad_values_of_several_columns_are_told_together():
    encoding = plan(takes(*(Tensor(n, "INT64", ("n", 1)) for n in "ab")), there(a="int", b="float"))
    with pytest.raises(PilotageErrors) as caught:
        inputs_of(batch(a=[1, None], b=[0.5, 1.0]), encoding, Tally())
    first, second = caught.value.errors
    assert "'a' is missing in row 2" in first.what
    assert "'b' is no whole number in row 1" in second.what


def test_ranges_categories_and_missing_values_are_notes():
    signature = takes(
        Tensor("age", "FP32", ("n", 1), low=0.0, high=100.0),
        Tensor("sex", "BYTES", ("n", 1), categories=("F", "M")),
    )
    encoding = plan(signature, there(age="float", sex="text"))
    tally = Tally()
    for _ in range(2):
        inputs_of(batch(age=[-1.0, 101.0, None, 50.0], sex=["F", "X", "M", "F"]), encoding, tally)
    notes = tally.notes()
    assert tally.outside == {"age": 4}
    assert tally.unknown == {"sex": 2}
    assert tally.missing == {"age": 2}
    assert len(notes) == 3
    assert notes[2] == "2 values are of no category that the model knows: sex (2)"
