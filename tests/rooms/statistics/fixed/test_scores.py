"""Score intervals of differences and ratios: published numbers, the likelihood itself, symmetry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from pilotage.statistics.fixed.scores import (
    Variance,
    difference_ends,
    difference_interval,
    difference_p_value,
    rates_with_difference,
    rates_with_ratio,
    ratio_interval,
    ratio_p_value,
)
from pilotage.statistics.interval import Guarantee
from vectors import cases

group = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("table", "mee", "miettinen_nurminen"),
    [
        ((56, 70, 48, 80), (0.0533, 0.3377), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1821, 0.8370), (0.1700, 0.8406)),
        ((5, 56, 0, 29), (-0.0313, 0.1926), (-0.0326, 0.1933)),
        ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
        ((10, 10, 0, 20), (0.7225, 1.0), (0.7156, 1.0)),
    ],
)
def test_differences_meet_the_published_table(
    table: tuple[int, int, int, int],
    mee: tuple[float, float],
    miettinen_nurminen: tuple[float, float],
) -> None:
    """Newcombe (1998), Statistics in Medicine 17:873, table II, methods 5 and 6."""
    published: dict[Variance, tuple[float, float]] = {
        "mee": mee,
        "miettinen_nurminen": miettinen_nurminen,
    }
    for variance, ends in published.items():
        found = difference_interval(*table, confidence=0.95, variance=variance)
        assert (found.low, found.high) == pytest.approx(ends, abs=5.1e-5)
        assert found.guarantee is Guarantee.APPROXIMATE


def test_differences_are_near_the_reference_cases() -> None:
    """Near, not at: their source has a wrong coefficient in the cubic (statsmodels issue 10269).

    Its restricted rates do not maximise the likelihood; ours do, by the next test.
    """
    for case in cases("score_difference_ci"):
        asked = case["given"]
        found = difference_interval(
            asked["k_cand"],
            asked["n_cand"],
            asked["k_live"],
            asked["n_live"],
            confidence=asked["confidence"],
        )
        assert (found.low, found.high) == pytest.approx(case["expect"], abs=3e-4)


def log_likelihood(k_a: int, n_a: int, k_b: int, n_b: int, p_a: float, p_b: float) -> float:
    parts = ((k_a, p_a), (n_a - k_a, 1 - p_a), (k_b, p_b), (n_b - k_b, 1 - p_b))
    return float(sum(xlogy(count, max(rate, 0.0)) for count, rate in parts))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(group, group, st.one_of(st.just(0.0), st.floats(1e-3, 0.98), st.floats(-0.98, -1e-3)))
def test_no_other_rates_with_that_difference_are_more_likely(
    a: tuple[int, int], b: tuple[int, int], difference: float
) -> None:
    p_a, p_b = (float(rate) for rate in rates_with_difference(*a, *b, difference))
    assert p_a - p_b == pytest.approx(difference, abs=1e-12)
    least, most = max(0.0, -difference), min(1.0, 1 - difference)
    best = log_likelihood(*a, *b, p_a, p_b)
    for other in np.concatenate([np.linspace(least, most, 101), [p_b - 1e-4, p_b + 1e-4]]):
        if least <= other <= most:
            assert log_likelihood(*a, *b, other + difference, other) <= best + 1e-7


@settings(derandomize=True, deadline=None, max_examples=200)
@given(group, group, st.floats(0.02, 50))
def test_no_other_rates_with_that_ratio_are_more_likely(
    a: tuple[int, int], b: tuple[int, int], ratio: float
) -> None:
    p_a, p_b = (float(rate) for rate in rates_with_ratio(*a, *b, ratio))
    assert p_a == pytest.approx(ratio * p_b, abs=1e-12)
    best = log_likelihood(*a, *b, p_a, p_b)
    for other in np.linspace(0, min(1.0, 1 / ratio), 101):
        assert log_likelihood(*a, *b, other * ratio, other) <= best + 1e-7


def test_ratios_meet_reference_numbers() -> None:
    """statsmodels 0.15.0, confint_proportions_2indep(compare="ratio", method="score")."""
    found = ratio_interval(15, 300, 9, 310, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((0.7824696010, 3.8005687806), abs=1e-8)
    found = ratio_interval(15, 300, 9, 310, confidence=0.95, variance="miettinen_nurminen")
    assert (found.low, found.high) == pytest.approx((0.7819886746, 3.8029200925), abs=1e-8)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(group, group)
def test_a_against_b_mirrors_b_against_a(a: tuple[int, int], b: tuple[int, int]) -> None:
    found = difference_interval(*a, *b, confidence=0.9)
    other = difference_interval(*b, *a, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    assert a[0] / a[1] - b[0] / b[1] in found
    failures = difference_interval(a[1] - a[0], a[1], b[1] - b[0], b[1], confidence=0.9)
    assert (failures.low, failures.high) == pytest.approx((other.low, other.high), abs=1e-9)

    ratio, inverse = ratio_interval(*a, *b, confidence=0.9), ratio_interval(*b, *a, confidence=0.9)
    if b[0]:
        assert ratio.high == pytest.approx(1 / inverse.low, rel=1e-6)
        assert a[0] * b[1] / (a[1] * b[0]) in ratio
    else:
        assert ratio.high == math.inf
        assert inverse.low == 0.0


def test_a_difference_of_almost_nothing_is_none() -> None:
    tiny = float(difference_p_value(1, 1, 1, 1, difference=3e-129, alternative="less"))
    assert tiny == float(difference_p_value(1, 1, 1, 1, difference=0.0, alternative="less"))


@settings(derandomize=True, deadline=None, max_examples=80)
@given(group, group, st.floats(-0.9, 0.9), st.floats(0.6, 0.99))
def test_a_p_value_is_small_exactly_where_the_bound_is_beyond(
    a: tuple[int, int], b: tuple[int, int], difference: float, confidence: float
) -> None:
    upper = difference_interval(*a, *b, confidence=confidence, side="upper")
    p = float(difference_p_value(*a, *b, difference=difference, alternative="less"))
    if abs(upper.high - difference) > 1e-9:
        assert (p < 1 - confidence) == (upper.high < difference)
    ratio = 1 + difference
    lower = ratio_interval(*a, *b, confidence=confidence, side="lower")
    p = float(ratio_p_value(*a, *b, ratio=ratio, alternative="greater"))
    if abs(lower.low - ratio) > 1e-9:
        assert (p < 1 - confidence) == (lower.low > ratio)


def test_rare_events_on_which_others_raise_have_intervals() -> None:
    for events in ((0, 2), (1, 2), (0, 0)):
        found = difference_interval(events[0], 300, events[1], 300, confidence=0.95)
        assert -0.03 < found.low < 0 < found.high < 0.03
        assert found.low <= (events[0] - events[1]) / 300 <= found.high
    assert ratio_interval(0, 300, 0, 300, confidence=0.95).high == math.inf
    everything = ratio_interval(300, 300, 300, 300, confidence=0.95)
    assert 0.98 < everything.low < 1 < everything.high < 1.02


def test_all_pairs_are_one_call_with_the_same_ends() -> None:
    successes, trials = np.array([3, 40, 0, 20]), np.array([30, 90, 25, 20])
    low, high = difference_ends(
        successes[:, None], trials[:, None], successes, trials, error_rate=0.025
    )
    assert low.shape == (4, 4)
    one = difference_interval(3, 30, 40, 90, confidence=0.95)
    assert (low[0, 1], high[0, 1]) == pytest.approx((one.low, one.high), abs=1e-11)


def test_a_group_without_rows_says_nothing() -> None:
    found = difference_interval(0, 0, 3, 10, confidence=0.95)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert ratio_interval(3, 10, 0, 0, confidence=0.95).high == math.inf
    with pytest.raises(ValueError, match="no rows"):
        difference_p_value(0, 0, 3, 10, difference=0.0, alternative="less")
    with pytest.raises(ValueError, match="outside"):
        difference_interval(11, 10, 3, 10, confidence=0.95)
