"""Bounds for the median ratio of paired times, at every look."""

import numpy as np
import pytest

from pilotage.statistics.procedure import StateError
from pilotage.statistics.sequential.ratio_bounds import EDGES, RatioBounds

RUNS, LOOKS = 200, 30
FALSE_ONES = 27
"""Of 200 runs at 5 %: a correct procedure has more less than once in a million seeds."""


def bounds_of(candidate: list[float], baseline: list[float]) -> RatioBounds:
    bounds = RatioBounds(0.05)
    bounds.update(candidate, baseline)
    bounds.close_block()
    return bounds


def test_nothing_is_known_before_any_probe() -> None:
    bounds = RatioBounds(0.05)
    assert bounds.bounds() == (0.0, float("inf"))
    assert bounds.estimate() is None


@pytest.mark.parametrize("ratio", [0.5, 0.97, 1.3, 4.0])
def test_the_median_ratio_is_enclosed_to_a_step(ratio: float) -> None:
    bounds = bounds_of([ratio] * 50, [1.0] * 50)
    low, high = bounds.bounds()
    assert low <= ratio <= high
    assert high / low < 1.011
    assert bounds.estimate() == pytest.approx(ratio, rel=0.01)


def test_equal_times_are_enclosed_and_count_for_neither_side() -> None:
    low, high = bounds_of([1.0] * 50, [1.0] * 50).bounds()
    assert low < 1.0 < high


def test_ratios_beyond_the_grid_leave_an_open_end() -> None:
    assert bounds_of([100.0] * 50, [1.0] * 50).bounds() == (EDGES[-1], float("inf"))
    assert bounds_of([1.0] * 50, [100.0] * 50).bounds() == (0.0, EDGES[0])


def test_an_end_never_moves_out_again() -> None:
    bounds = bounds_of([1.3] * 50, [1.0] * 50)
    low, high = bounds.bounds()
    bounds.update([0.2] * 30 + [5.0] * 30, [1.0] * 60)
    bounds.close_block()
    after_low, after_high = bounds.bounds()
    assert after_low >= low
    assert after_high <= high


def test_an_end_is_beyond_the_median_as_seldom_as_stated_however_often_one_looks() -> None:
    median = 1.25
    rng = np.random.default_rng(3)
    beyond = np.zeros(2, np.int64)
    for _ in range(RUNS):
        bounds = RatioBounds(0.05)
        for _ in range(LOOKS):
            times = median * np.exp(rng.normal(0.0, 0.1, 5))
            bounds.update(times, np.ones(5))
            bounds.close_block()
        low, high = bounds.bounds()
        beyond += (low > median, high < median)
    print(f"{beyond.tolist()} of {RUNS}")
    assert beyond.max() <= FALSE_ONES


def test_a_saved_state_goes_on_bit_for_bit() -> None:
    bounds = bounds_of([1.3] * 9, [1.0] * 9)
    bounds.update([1.1], [1.0])
    loaded = RatioBounds.load(0.05, bounds.save())
    for each in (bounds, loaded):
        each.update([1.2], [1.0])
        each.close_block()
    assert loaded.save() == bounds.save()
    assert loaded.bounds() == bounds.bounds()


def test_a_state_of_another_error_rate_is_refused() -> None:
    with pytest.raises(StateError):
        RatioBounds.load(0.01, RatioBounds(0.05).save())
