"""Values into a model's inputs: nothing is cut, wrapped or invented in silence."""

import numpy as np
import polars as pl
import pytest

from pilotage.errors import PilotageError
from pilotage.evaluation.data.casting import Rows, cast, from_bf16

ROWS = Rows(10)


def series(*values, dtype=None):
    return pl.Series("pay", values, dtype=dtype, strict=False)


@pytest.mark.parametrize(
    ("values", "dtype", "datatype", "expected"),
    [
        ([1, 2], pl.Int64, "FP32", [1.0, 2.0]),
        ([1, None], pl.Int64, "FP64", [1.0, np.nan]),
        ([True, None], pl.Boolean, "FP32", [1.0, np.nan]),
        ([0.5, None], pl.Float64, "FP16", [0.5, np.nan]),
        ([float("inf"), 1], pl.Float64, "FP32", [np.inf, 1.0]),
        ([None, None], pl.Null, "FP32", [np.nan, np.nan]),
        ([1.0, -2.0], pl.Float64, "INT64", [1, -2]),
        ([127, -128], pl.Int64, "INT8", [127, -128]),
        ([255, 0], pl.Int64, "UINT8", [255, 0]),
        ([2**64 - 1, 0], pl.UInt64, "UINT64", [2**64 - 1, 0]),
        ([True, False], pl.Boolean, "INT32", [1, 0]),
        ([1, 0], pl.Int64, "BOOL", [True, False]),
        ([7, 8], pl.Int64, "BYTES", ["7", "8"]),
        (["a", "b"], pl.String, "BYTES", ["a", "b"]),
    ],
)
def test_what_fits_goes_in(values, dtype, datatype, expected):
    found = cast(series(*values, dtype=dtype), datatype, ROWS)
    np.testing.assert_array_equal(found, np.array(expected, found.dtype))


@pytest.mark.parametrize(
    ("values", "dtype", "datatype", "what"),
    [
        ([1.0, 1.5], pl.Float64, "INT64", "is no whole number in row 12"),
        ([1.0, None], pl.Float64, "INT64", "is missing in row 12"),
        ([1.0, float("nan")], pl.Float64, "INT64", "is no whole number in row 12"),
        ([1.0, float("inf")], pl.Float64, "INT64", "is outside .* in row 12"),
        ([0.0, 2.0**63], pl.Float64, "INT64", "is outside .* in row 12"),
        ([1, 128], pl.Int64, "INT8", "is outside -128 to 127 in row 12"),
        ([1, -1], pl.Int64, "UINT64", "is outside 0 to .* in row 12"),
        ([1, 2], pl.Int64, "BOOL", "is outside 0 to 1 in row 12"),
        ([1, 1e39], pl.Float64, "FP32", "is too large in row 12"),
        ([1, 70_000], pl.Int64, "FP16", "is too large in row 12"),
        (["a", None], pl.String, "BYTES", "is missing in row 12"),
        (["a", "b"], pl.String, "FP32", "is of type String"),
        ([1.5, 2.5], pl.Float64, "BYTES", "is of type Float64"),
    ],
)
def test_what_does_not_fit_is_told_with_row_and_column(values, dtype, datatype, what):
    with pytest.raises(PilotageError, match=what) as caught:
        cast(series(*values, dtype=dtype), datatype, ROWS)
    assert "'pay'" in caught.value.what
    assert datatype in caught.value.expected


def test_further_bad_values_are_counted():
    with pytest.raises(PilotageError, match="in row 11, and 2 more"):
        cast(series(0.5, 1.5, 2.5), "INT64", ROWS)


def test_a_missing_text_is_empty_where_the_model_knows_an_empty_one():
    found = cast(series("a", None, dtype=pl.String), "BYTES", ROWS, categories=("", "a"))
    assert found.tolist() == ["a", ""]


def test_the_row_of_a_value_inside_lists_is_that_of_its_list():
    with pytest.raises(PilotageError, match="in row 12"):
        cast(series(1.0, 2.0, 3.0, 0.5), "INT64", Rows(10, values_each=2))


def test_bf16_is_rounded_to_the_nearest():
    values = np.array([1.0, 1.00390625, 1.01171875, -2.5, np.nan, np.inf, 3.3], np.float32)
    back = from_bf16(cast(pl.Series("x", values), "BF16", ROWS))
    np.testing.assert_array_equal(back[:6], np.float32([1.0, 1.0, 1.015625, -2.5, np.nan, np.inf]))
    assert abs(back[6] - 3.3) <= 3.3 * 2**-8
