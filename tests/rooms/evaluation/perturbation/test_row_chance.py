"""Chance that belongs to a row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.evaluation.perturbation.row_chance import RowChance


@settings(derandomize=True, max_examples=50)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 7))
def test_a_row_draws_the_same_whatever_batch_it_is_in(first, rows, wide):
    whole = RowChance(5, 1).uniform(0, 100, wide)
    np.testing.assert_array_equal(
        RowChance(5, 1).uniform(first, rows, wide), whole[first : first + rows]
    )


def test_streams_of_different_keys_have_nothing_in_common():
    drawn = [RowChance(*key).uniform(0, 5000, 1)[:, 0] for key in ((5, 0), (5, 1), (6, 0))]
    assert np.abs(np.corrcoef(drawn) - np.eye(3)).max() < 0.05


def test_uniform_and_normal_numbers_are_distributed_so():
    uniform = RowChance(3).uniform(0, 50_000, 2)
    assert uniform.min() > 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.005
    normal = RowChance(3).normal(0, 50_000, 2)
    assert np.isfinite(normal).all()
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
