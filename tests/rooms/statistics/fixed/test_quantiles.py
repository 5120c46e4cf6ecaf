"""Order-statistic intervals: the exact binomial sums, coverage, and the edges."""

import math

import numpy as np
import pytest
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.fixed.quantiles import quantile_interval, quantile_ranks


def tail(below: int, rows: int, quantile: float) -> float:
    """P(fewer than `below` of the rows lie under the quantile), by the sum itself."""
    terms = (
        math.comb(rows, count) * quantile**count * (1 - quantile) ** (rows - count)
        for count in range(below)
    )
    return math.fsum(terms)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.05])
@pytest.mark.parametrize("rows", [30, 100, 301])
def test_the_ranks_are_the_narrowest_with_the_stated_error(rows: int, quantile: float) -> None:
    first, last = quantile_ranks(rows, quantile, confidence=0.95)
    for rank, share in ((first, quantile), (last and rows + 1 - last, 1 - quantile)):
        assert tail(rank or 0, rows, share) <= 0.025
        assert tail((rank or 0) + 1, rows, share) > 0.025


def test_the_docstrings_example_holds() -> None:
    assert quantile_ranks(1000, 0.99, confidence=0.95) == (983, 997)


@pytest.mark.parametrize(("rows", "bounded"), [(298, False), (299, True)])
def test_a_p99_has_an_upper_bound_from_299_rows(rows: int, bounded: bool) -> None:
    values = np.arange(rows, dtype=float)
    found = quantile_interval(values, 0.99, confidence=0.95, side="upper")
    assert found.low == -math.inf
    assert found.high == (rows - 1 if bounded else math.inf)


@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_it_covers_the_quantile_with_ties_as_often_as_it_says(quantile: float) -> None:
    chance = np.random.default_rng(1)
    samples = chance.poisson(3.0, (1000, 120))
    truth = float(stats.poisson.ppf(quantile, 3.0))  # pyright: ignore
    misses = sum(
        truth not in quantile_interval(sample, quantile, confidence=0.95) for sample in samples
    )
    # 1,000 runs at 5 %: a right interval misses 88 times less than once in a million.
    assert misses < 88


def test_it_is_not_wider_than_it_must_be_for_many_rows() -> None:
    values = np.random.default_rng(2).random(100_000)
    found = quantile_interval(values, 0.9, confidence=0.95)
    assert found.width == pytest.approx(2 * 1.96 * 0.3 / math.sqrt(100_000), rel=0.1)


def test_one_sided_ends_are_those_of_the_two_sided_interval_at_twice_the_error() -> None:
    values = np.random.default_rng(3).normal(size=500)
    both = quantile_interval(values, 0.7, confidence=0.9)
    lower = quantile_interval(values, 0.7, confidence=0.95, side="lower")
    upper = quantile_interval(values, 0.7, confidence=0.95, side="upper")
    assert (lower.low, lower.high) == (both.low, math.inf)
    assert (upper.low, upper.high) == (-math.inf, both.high)


@pytest.mark.parametrize("values", [[], [4.0]])
def test_too_few_values_say_nothing(values: list[float]) -> None:
    found = quantile_interval(values, 0.5, confidence=0.95)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_equal_values_are_their_own_quantile() -> None:
    found = quantile_interval([2.0] * 50, 0.5, confidence=0.95)
    assert (found.low, found.high) == (2.0, 2.0)


def test_answers_that_never_came_count_as_infinite_times() -> None:
    values = [1.0] * 95 + [math.inf] * 5
    assert quantile_interval(values, 0.99, confidence=0.95).high == math.inf
    assert quantile_interval(values, 0.5, confidence=0.95).high == 1.0


@pytest.mark.parametrize(
    ("values", "quantile", "confidence"),
    [([math.nan], 0.5, 0.95), ([[1.0]], 0.5, 0.95), ([1.0], 1.0, 0.95), ([1.0], 0.5, 1.0)],
)
def test_what_has_no_quantile_is_refused(
    values: list[float], quantile: float, confidence: float
) -> None:
    with pytest.raises(ValueError, match=r"NaN|shape|quantile|confidence"):
        quantile_interval(values, quantile, confidence=confidence)
