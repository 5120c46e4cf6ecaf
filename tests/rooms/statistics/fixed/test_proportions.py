"""Clopper-Pearson and Wilson: reference cases, exact coverage, edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, xlog1py, xlogy

from pilotage.statistics.fixed.proportions import (
    clopper_pearson,
    clopper_pearson_ends,
    p_value,
    wilson,
)
from pilotage.statistics.interval import Guarantee
from vectors import cases

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_clopper_pearson_meets_the_reference_cases() -> None:
    for case in cases("clopper_pearson"):
        asked = case["given"]
        found = clopper_pearson(
            asked["k"], asked["n"], confidence=asked["confidence"], side=asked["side"]
        )
        assert (found.low, found.high) == pytest.approx(case["expect"], abs=case["tolerance"])
        assert found.guarantee is Guarantee.EXACT


def test_wilson_meets_the_reference_cases() -> None:
    for case in cases("wilson"):
        asked = case["given"]
        found = wilson(asked["k"], asked["n"], confidence=asked["confidence"])
        assert (found.low, found.high) == pytest.approx(case["expect"], abs=case["tolerance"])
        assert found.guarantee is Guarantee.APPROXIMATE


@pytest.mark.parametrize("trials", [1, 2, 5, 10, 30, 100, 317, 1_000])
def test_each_end_misses_at_most_as_often_as_stated_for_every_proportion(trials: int) -> None:
    successes = np.arange(trials + 1)
    for error_rate in (0.005, 0.025, 0.05):
        low, high = clopper_pearson_ends(successes, trials, error_rate=error_rate)
        # On and beside each end, where the coverage jumps, and between them.
        points = np.concatenate([low + 1e-9, high - 1e-9, np.linspace(0.001, 0.999, 199)])
        points = points[(points > 0) & (points < 1)]
        chances = np.exp(
            gammaln(trials + 1)
            - gammaln(successes + 1)
            - gammaln(trials - successes + 1)
            + xlogy(successes, points[:, None])
            + xlog1py(trials - successes, -points[:, None])
        )
        assert (chances * (low > points[:, None])).sum(axis=1).max() <= error_rate + 1e-6
        assert (chances * (high < points[:, None])).sum(axis=1).max() <= error_rate + 1e-6


@settings(derandomize=True, deadline=None, max_examples=60)
@given(counts, st.floats(0.01, 0.99), st.floats(0.55, 0.999))
def test_a_p_value_is_at_most_alpha_where_the_bound_is_beyond(
    count: tuple[int, int], proportion: float, confidence: float
) -> None:
    lower = clopper_pearson(*count, confidence=confidence, side="lower")
    upper = clopper_pearson(*count, confidence=confidence, side="upper")
    alpha = 1 - confidence
    greater = p_value(*count, proportion=proportion, alternative="greater")
    less = p_value(*count, proportion=proportion, alternative="less")
    assert (greater <= alpha) == (lower.low >= proportion)
    assert (less <= alpha) == (upper.high <= proportion)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(counts)
def test_successes_and_failures_are_mirror_images(count: tuple[int, int]) -> None:
    successes, trials = count
    found = clopper_pearson(successes, trials, confidence=0.95)
    mirrored = clopper_pearson(trials - successes, trials, confidence=0.95)
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)
    assert found.high == pytest.approx(1 - mirrored.low, abs=1e-12)
    assert successes / trials in found
    assert found.low <= wilson(successes, trials, confidence=0.95).high


def test_a_one_sided_bound_is_tighter_and_its_other_end_open() -> None:
    both = clopper_pearson(90, 100, confidence=0.95)
    lower = clopper_pearson(90, 100, confidence=0.95, side="lower")
    assert both.low < lower.low < 0.9
    assert lower.high == 1.0
    assert clopper_pearson(90, 100, confidence=0.95, side="upper").low == 0.0


def test_no_trials_say_nothing() -> None:
    for found in (clopper_pearson(0, 0, confidence=0.95), wilson(0, 0, confidence=0.95)):
        assert (found.low, found.high) == (0.0, 1.0)
    assert p_value(0, 0, proportion=0.5, alternative="less") == 1.0


def test_a_hundred_million_rows_have_an_interval() -> None:
    found = clopper_pearson(3, 100_000_000, confidence=0.95)
    assert found.low == pytest.approx(0.61867e-8, rel=1e-4)
    assert found.high == pytest.approx(8.76727e-8, rel=1e-4)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 10), (11, 10), (1, 0)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        clopper_pearson(successes, trials, confidence=0.95)
    with pytest.raises(ValueError, match="outside"):
        wilson(successes, trials, confidence=0.95)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 10, confidence=confidence)
