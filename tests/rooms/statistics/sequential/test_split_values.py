"""Values on 129 points: the mean is kept, the spread hardly grows, and concave sums only lose."""

import numpy as np
import pytest

from pilotage.statistics.sequential.split_values import (
    INTERVALS,
    POINTS,
    ROUNDING,
    ends_sums,
    masses,
    mean_of,
    split_sums,
)


@pytest.mark.parametrize("shape", [(0.5, 0.5), (2.0, 700.0), (300.0, 1.0)])
def test_number_and_mean_are_kept(shape: tuple[float, float]) -> None:
    values = np.random.default_rng(1).beta(*shape, 10_000)
    on_points = masses(split_sums(values))
    assert on_points.min() >= 0
    assert on_points.sum() == pytest.approx(10_000, abs=1e-6)
    assert on_points @ POINTS / 10_000 == pytest.approx(values.mean(), abs=ROUNDING)
    assert mean_of(split_sums(values)) == pytest.approx(values.mean(), abs=ROUNDING)


@pytest.mark.parametrize("value", [1e-6, 0.003, 0.21, 0.5, 0.77, 0.9999])
def test_splitting_adds_little_to_the_largest_possible_variance(value: float) -> None:
    on_points = masses(split_sums(np.array([value])))
    assert (
        on_points @ (POINTS - value) ** 2 <= 1.51e-4 * value * (1 - value) + 1e-5 * (1 / 128) ** 2
    )


@pytest.mark.parametrize("stake", [-0.9, -0.01, 0.5, 30.0])
def test_the_logarithm_of_a_bet_never_gains(stake: float) -> None:
    values = np.random.default_rng(2).random(1000)
    exact = np.log1p(stake * values).sum()
    split = masses(split_sums(values)) @ np.log1p(stake * POINTS)
    assert split <= exact + 1e-6
    assert split == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("place", [0, 1, 64, INTERVALS - 1, INTERVALS])
def test_a_value_on_a_point_stays_there(place: int) -> None:
    on_points = masses(split_sums(POINTS[place : place + 1]))
    assert on_points[place] == 1
    assert on_points.sum() == 1


def test_ones_and_zeros_may_be_counted() -> None:
    counted = ends_sums(np.array([3, 0]), np.array([2, 7]))
    listed = split_sums(np.array([[1.0, 0, 1, 1, 0, 0, 0], [0.0] * 7]))
    listed[0, 0, 0] -= 2
    assert np.array_equal(counted, listed)


def test_any_cut_gives_the_same_sums() -> None:
    values = np.random.default_rng(3).random((4, 100))
    cut = split_sums(values[:, :37]) + split_sums(values[:, 37:])
    assert np.array_equal(cut, split_sums(values))


def test_nothing_has_no_mean() -> None:
    assert np.isnan(mean_of(split_sums(np.empty(0))))
