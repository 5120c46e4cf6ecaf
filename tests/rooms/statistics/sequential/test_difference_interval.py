"""The interval of a difference at every look: coverage, width, outward ends, state."""

import numpy as np
import pytest

from pilotage.statistics.interval import Guarantee
from pilotage.statistics.sequential.difference_interval import (
    DifferenceInterval,
    DifferenceIntervalConfiguration,
)

EVERY_BLOCK = DifferenceIntervalConfiguration(bundle=1)


@pytest.mark.parametrize(("rate", "harm"), [(0.003, 0.0), (0.01, 0.005), (0.1, -0.0049)])
def test_both_ends_hold_at_every_look(rate: float, harm: float) -> None:
    # 200 runs: 26 misses of an end at a nominal 5 % come less than once in 10,000 times.
    rng = np.random.default_rng(21)
    runs = 200
    interval = DifferenceInterval(EVERY_BLOCK, (runs,))
    missed_below, missed_above = np.zeros(runs, bool), np.zeros(runs, bool)
    for _ in range(20):
        errors_b = rng.binomial(5_700, rate, runs)
        interval.update(5_700, errors_b, 300, rng.binomial(300, rate + harm, runs))
        interval.close_block()
        low, high = interval.bounds()
        missed_below |= low > harm
        missed_above |= high < harm
    assert np.count_nonzero(missed_below) < 26
    assert np.count_nonzero(missed_above) < 26


@pytest.mark.parametrize(("rate", "widest"), [(0.003, 0.008), (0.1, 0.055)])
def test_ten_minutes_of_traffic_narrow_it(rate: float, widest: float) -> None:
    rng = np.random.default_rng(22)
    interval = DifferenceInterval(EVERY_BLOCK, (20,))
    for _ in range(10):
        interval.update(5_700, rng.binomial(5_700, rate, 20), 300, rng.binomial(300, rate, 20))
        interval.close_block()
    low, high = interval.bounds()
    assert np.median(high - low) < widest


def fed(configuration: DifferenceIntervalConfiguration, blocks: int) -> DifferenceInterval:
    rng = np.random.default_rng(23)
    interval = DifferenceInterval(configuration)
    for _ in range(blocks):
        interval.update(950, rng.binomial(950, 0.01), 50, rng.binomial(50, 0.03))
        interval.close_block()
    return interval


def test_before_the_first_look_everything_is_possible() -> None:
    interval = fed(DifferenceIntervalConfiguration(bundle=6), 5)
    assert interval.bounds() == (-1.0, 1.0)
    shown = interval.interval()
    assert shown is not None
    assert (shown.low, shown.high, shown.confidence) == (-1.0, 1.0, 0.9)
    assert shown.guarantee is Guarantee.ANYTIME
    interval.look()
    assert interval.bounds() != (-1.0, 1.0)


def test_a_bundle_says_what_its_blocks_say_one_by_one() -> None:
    one_by_one = fed(EVERY_BLOCK, 60)
    bundled = fed(DifferenceIntervalConfiguration(bundle=6), 60)
    low, high = one_by_one.bounds()
    # It looks less often, so what fell in between and rose again is not seen.
    assert bundled.bounds()[0] <= low + 1e-12
    assert bundled.bounds()[1] >= high - 1e-12
    assert bundled.bounds()[1] - bundled.bounds()[0] < 1.5 * (high - low)


def test_the_ends_only_come_closer() -> None:
    rng = np.random.default_rng(24)
    interval = DifferenceInterval(EVERY_BLOCK, (50,))
    low, high = interval.bounds()
    for _ in range(20):
        interval.update(950, rng.binomial(950, 0.1, 50), 50, rng.binomial(50, 0.1, 50))
        interval.close_block()
        new_low, new_high = interval.bounds()
        assert np.all(new_low >= low)
        assert np.all(new_high <= high)
        low, high = new_low, new_high


def test_a_difference_that_changed_has_no_single_interval() -> None:
    interval = DifferenceInterval(EVERY_BLOCK)
    for errors in [5] * 100 + [50] * 100:
        interval.update(5_000, 50, 500, errors)
        interval.close_block()
    low, high = interval.bounds()
    assert low > high
    assert interval.interval() is None


@pytest.mark.parametrize("resolution", [1e-4, 0.005, 0.1, 0.9])
def test_the_grid_reaches_over_all_differences(resolution: float) -> None:
    grid = DifferenceIntervalConfiguration(resolution=resolution).grid()
    assert np.all(np.diff(grid) > 0)
    assert 0.0 in grid
    assert np.array_equal(grid, -grid[::-1])
    assert 0.8 < grid[-1] < 1.0
    near = grid[(grid >= 0) & (grid <= 2 * resolution)]
    assert np.allclose(np.diff(near), resolution / 16)


def test_a_saved_interval_goes_on_bit_for_bit() -> None:
    configuration = DifferenceIntervalConfiguration(bundle=4)
    interval = fed(configuration, 10)
    interval.update(100, 1, 10, 0)
    loaded = DifferenceInterval.load(configuration, interval.save())
    for each in (interval, loaded):
        each.update(850, 8, 40, 1)
        for _ in range(3):
            each.close_block()
    assert loaded.save() == interval.save()


def test_nothing_observed_narrows_nothing() -> None:
    interval = DifferenceInterval(EVERY_BLOCK)
    for block in [(0, 0, 0, 0), (10**6, 10, 0, 0), (0, 0, 10**6, 10**5)]:
        interval.update(*block)
        interval.close_block()
    assert interval.bounds() == (-1.0, 1.0)


def test_a_billion_requests_leave_a_cell_around_the_truth() -> None:
    interval = DifferenceInterval(EVERY_BLOCK)
    for _ in range(3):
        interval.update(10**9, 10**7, 10**9, 10**7)
        interval.close_block()
    low, high = interval.bounds()
    assert low < 0.0 < high
    assert high - low < 0.001


@pytest.mark.parametrize(
    "settings", [{"resolution": 0.0}, {"resolution": 1.0}, {"bundle": 0}, {"error_rate": 0.0}]
)
def test_an_interval_without_meaning_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"between|at least one"):
        DifferenceIntervalConfiguration(**settings)  # type: ignore[arg-type]
