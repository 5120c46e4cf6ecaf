"""The hedged-capital interval: the published numbers, coverage, and the edges."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotage.statistics.fixed.bounded_means import falling_root, hedged_interval
from vectors import cases


def test_it_meets_the_reference_cases() -> None:
    for case in cases("betting_ci"):
        given, expect = case["given"], case["expect"]
        found = hedged_interval(given["sequence"], confidence=1 - given["alpha"], seed=None)
        assert (found.low, found.high) == pytest.approx(expect["bisected"], abs=1e-6)
        assert (found.low, found.high) == pytest.approx(expect["interval"], abs=case["tolerance"])
        # Outward: the exact solution lies inside.
        assert found.low <= expect["bisected"][0] + 1e-12
        assert found.high >= expect["bisected"][1] - 1e-12


def ends_by_bisection(values: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """The definition, row by row and without a bracket."""

    def rich(mean: float, upward: bool) -> bool:
        total, squares, variance, wealth = 0.0, 0.25, 0.25, 0.0
        for index, value in enumerate(values):
            stake = np.sqrt(2 * np.log(1 / alpha) / (len(values) * variance))
            bound = mean if upward else 1 - mean
            stake = min(stake, 0.75 / bound) if bound > 0 else stake
            wealth += np.log1p((stake if upward else -stake) * (value - mean))
            if wealth >= np.log(1 / alpha):
                return True
            total += value
            squares += (value - (0.5 + total) / (index + 2)) ** 2
            variance = squares / (index + 2)
        return False

    ends: list[float] = []
    for upward in (True, False):
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if rich(middle, upward) == upward else (low, middle)
        ends.append(low)
    return ends[0], ends[1]


@pytest.mark.parametrize("shape", [(0.5, 0.5), (2.0, 5.0), (0.05, 3.0)])
def test_the_search_finds_what_bisection_of_the_definition_finds(
    shape: tuple[float, float],
) -> None:
    values = np.random.default_rng(3).beta(*shape, 60)
    found = hedged_interval(values, confidence=0.9, seed=None)
    assert (found.low, found.high) == pytest.approx(ends_by_bisection(values, 0.05), abs=1e-6)
    lower = hedged_interval(values, confidence=0.95, side="lower", seed=None)
    assert (lower.low, lower.high) == pytest.approx((found.low, 1.0))
    upper = hedged_interval(values, confidence=0.95, side="upper", seed=None)
    assert (upper.low, upper.high) == pytest.approx((0.0, found.high))


def population(name: str, chance: np.random.Generator, shape: tuple[int, int]) -> tuple[Any, float]:
    """Samples, one a row, and the mean they come from."""
    match name:
        case "rare ones":
            return (chance.random(shape) < 0.01) * 1.0, 0.01
        case "many ones":
            return (chance.random(shape) < 0.8) * 1.0, 0.8
        case "beta":
            return chance.beta(0.3, 4.0, shape), 0.3 / 4.3
        case _:
            return np.where(chance.random(shape) < 0.02, 1.0, 0.01), 0.0298


@pytest.mark.parametrize("name", ["rare ones", "many ones", "beta", "two points"])
def test_it_covers_the_mean_at_least_as_often_as_it_says(name: str) -> None:
    samples, mean = population(name, np.random.default_rng(11), (1000, 150))
    misses = sum(mean not in hedged_interval(sample, confidence=0.95) for sample in samples)
    # 1,000 runs at 5 %: a right interval misses 88 times less than once in a million.
    assert misses < 88


def test_values_on_another_range_give_the_same_interval_there() -> None:
    values = np.random.default_rng(5).random(200)
    unit = hedged_interval(values, confidence=0.95)
    there = hedged_interval(values * 6 - 2, confidence=0.95, low=-2, high=4)
    assert (there.low, there.high) == pytest.approx((unit.low * 6 - 2, unit.high * 6 - 2))


def test_mirrored_values_give_the_mirrored_interval() -> None:
    values = np.random.default_rng(6).beta(1, 5, 300)
    there = hedged_interval(values, confidence=0.95)
    mirrored = hedged_interval(1 - values, confidence=0.95)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - there.high, 1 - there.low))


def test_the_same_seed_gives_the_same_interval_and_is_named() -> None:
    values = np.random.default_rng(7).random(50)
    one, same = (hedged_interval(values, confidence=0.95, seed=4) for _ in range(2))
    other = hedged_interval(values, confidence=0.95, seed=5)
    assert one == same
    assert one.low != other.low
    assert one.method == "hedged capital, rows permuted with seed 4"


def test_sorted_rows_are_as_good_as_shuffled_ones() -> None:
    values = np.sort(np.random.default_rng(8).random(2000))
    found = hedged_interval(values, confidence=0.95)
    normal = 2 * 1.96 * values.std() / np.sqrt(2000)
    assert values.mean() in found
    assert found.width < 1.4 * normal


def test_no_rows_say_nothing() -> None:
    found = hedged_interval([], confidence=0.95, low=-1, high=3)
    assert (found.low, found.high) == (-1, 3)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_equal_values_are_inside_their_interval(value: float, rows: int) -> None:
    found = hedged_interval([value] * rows, confidence=0.95)
    assert value in found
    assert 0 <= found.low <= found.high <= 1


def test_an_order_that_makes_both_gamblers_rich_still_gives_an_interval() -> None:
    rows = np.repeat([1.0, 0.0], 500)
    found = hedged_interval(rows, confidence=0.5, seed=None)
    assert found.low <= found.high


@pytest.mark.parametrize("values", [[0.5, 1.1], [-0.1], [float("nan")], [[0.5]]])
def test_values_outside_the_range_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected|inside"):
        hedged_interval(values, confidence=0.95)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_outside_zero_to_one_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        hedged_interval([0.5], confidence=confidence)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="low"):
        hedged_interval([0.5], confidence=0.95, low=1, high=1)


@pytest.mark.parametrize("root", [1e-9, 0.3, 0.999])
def test_the_root_of_a_falling_function_is_found_from_below(root: float) -> None:
    found = falling_root(lambda x: (root - x) ** 3, 0.0, 1.0, 1e-7)
    assert root - 1e-7 <= found <= root
