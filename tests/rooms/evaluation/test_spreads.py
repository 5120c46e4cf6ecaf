"""Standard deviations of columns, batch by batch."""

import numpy as np
import pytest

from pilotage.evaluation.datasets import open_dataset
from pilotage.evaluation.spreads import Moments, spreads
from scoring import parquet


@pytest.mark.parametrize("cuts", [[], [1], [0, 10, 499], [250, 250]])
def test_any_cut_gives_the_deviation_of_all_values(cuts):
    values = 1e6 + np.random.default_rng(2).normal(size=500)
    moments = Moments()
    for part in np.split(values, cuts):
        moments = moments.with_values(part)
    assert moments.count == 500
    assert moments.sd == pytest.approx(values.std(), rel=1e-9)


def test_columns_of_numbers_have_a_spread_and_others_none(tmp_path):
    columns = {
        "a": [1.0, 3.0, None],
        "b": [2, 2, 2],
        "c": [True, False, True],
        "d": ["x", "y", "z"],
    }
    found = spreads(open_dataset(parquet(tmp_path, columns)), ["a", "b", "c", "d"])
    assert found == pytest.approx({"a": 1.0, "b": 0.0, "c": np.std([1, 0, 1])})


def test_values_that_are_not_finite_are_left_aside(tmp_path):
    columns = {"a": [1.0, float("inf"), 3.0, float("nan")], "b": [None, None, float("nan"), None]}
    found = spreads(open_dataset(parquet(tmp_path, columns)), ["a", "b"])
    assert found == {"a": 1.0, "b": 0.0}
