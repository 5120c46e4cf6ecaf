"""The spread of inputs, gathered in batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.evaluation.perturbation.input_spreads import Spread


def _spread(values, cuts=(), *, pooled=False):
    spread = Spread(pooled=pooled)
    for part in np.split(values, cuts):
        spread.add(part)
    return spread


@settings(derandomize=True, max_examples=30)
@given(st.lists(st.integers(0, 200), max_size=5), st.integers(0, 2**32 - 1))
def test_batches_however_cut_give_the_deviation_of_all_rows(cuts, seed):
    values = np.random.default_rng(seed).normal(1e6, [1.0, 0.1, 30.0], (200, 3))
    spread = _spread(values, sorted(cuts))
    np.testing.assert_allclose(spread.deviations, values.std(axis=0, ddof=1), rtol=1e-9)


def test_what_is_missing_or_infinite_does_not_count():
    values = np.array([[1.0, np.nan], [np.inf, np.nan], [3.0, 5.0], [np.nan, np.nan]])
    np.testing.assert_allclose(_spread(values, [2]).deviations, [np.sqrt(2), 0.0])


def test_a_pooled_spread_is_over_all_values():
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    expected = values.std(ddof=1)
    np.testing.assert_allclose(_spread(values, [1], pooled=True).deviations, [expected])


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_values_have_no_spread(rows):
    assert not _spread(np.ones((rows, 2))).deviations.any()
    assert not Spread(pooled=True).deviations.any()
