"""Sums that do not depend on how a block was cut, and what a block may hold."""

import numpy as np
import pytest

from pilotage.statistics.sequential.block_sums import (
    BLOCK_OBSERVATIONS,
    FRACTION_BITS,
    LARGEST_LOGARITHM,
    bounded,
    counts,
    fixed_point,
    floating_point,
    room_for,
    sum_of_log_bets,
)


def test_a_sum_is_the_same_in_any_order_and_any_cut() -> None:
    rng = np.random.default_rng(1)
    centred = rng.uniform(-0.5, 0.5, 1_001)
    whole = sum_of_log_bets(centred, [0.1, 1.6])
    parts = sum(sum_of_log_bets(each, [0.1, 1.6]) for each in np.split(rng.permutation(centred), 7))
    assert np.array_equal(whole, parts)


def test_rounding_never_gains_evidence_and_loses_under_a_billionth_each() -> None:
    centred = np.random.default_rng(2).uniform(-0.5, 0.5, 10_000)
    exact = np.log1p(1.6 * centred).sum()
    lost = exact - floating_point(sum_of_log_bets(centred, [1.6]))[0]
    assert 0.0 <= lost < 1e-9 * centred.size


def test_a_full_block_of_the_largest_logarithms_fits() -> None:
    for sign in (1.0, -1.0):
        one = fixed_point(np.array(sign * LARGEST_LOGARITHM))
        assert int(one) * BLOCK_OBSERVATIONS == sign * 2 ** (FRACTION_BITS + 3 + 26)
        assert abs(int(one) * BLOCK_OBSERVATIONS) < 2**63


def test_a_block_takes_its_limit_and_no_more() -> None:
    room_for(np.array([0, BLOCK_OBSERVATIONS - 1]), 1)
    with pytest.raises(ValueError, match="close it"):
        room_for(np.array([0, BLOCK_OBSERVATIONS]), 1)


def test_observations_are_the_same_for_every_run_or_each_run_has_its_own() -> None:
    assert bounded([0.0, 1.0], (3,), 0.0, 1.0).shape == (3, 2)
    assert bounded(np.zeros((3, 2)), (3,), 0.0, 1.0).shape == (3, 2)
    with pytest.raises(ValueError, match="shape"):
        bounded(np.zeros((2, 2)), (3,), 0.0, 1.0)


@pytest.mark.parametrize("bad", [-1e-9, 1.0 + 1e-9, np.nan, np.inf])
def test_an_observation_out_of_range_is_refused_and_not_shown(bad) -> None:
    with pytest.raises(ValueError, match=r"1 of 2 observations are outside \[0, 1\]"):
        bounded([0.5, bad], (), 0.0, 1.0)


def test_counts_are_whole_and_not_negative() -> None:
    assert counts(2.0, (2,)).tolist() == [2, 2]
    for bad in (-1, 0.5, np.nan):
        with pytest.raises(ValueError, match="whole"):
            counts(bad, ())
