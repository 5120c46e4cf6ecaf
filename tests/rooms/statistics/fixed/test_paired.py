"""Tango and McNemar: reference cases, the likelihood itself, error rates over every table."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.statistics.fixed.paired import (
    mcnemar_exact,
    paired_ends,
    paired_interval,
    tango_interval,
    tango_p_value,
    tango_statistic,
)
from pilotage.statistics.interval import Guarantee
from simulators.every_table import paired, trinomial
from vectors import cases

rows_that_differ = st.integers(1, 300).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n)).filter(
        lambda counts: counts[0] + counts[1] <= counts[2]
    )
)


def test_tango_meets_the_reference_cases() -> None:
    for case in cases("tango"):
        asked, expect = case["given"], case["expect"]
        counts = asked["b"], asked["c"], asked["n"]
        found = tango_interval(*counts, confidence=asked["confidence"])
        assert (found.low, found.high) == pytest.approx(expect["interval"], abs=case["tolerance"])
        statistic = tango_statistic(*counts, difference=0.02)
        assert statistic == pytest.approx(expect["statistic_at_0_02"], abs=case["tolerance"])


def test_mcnemar_meets_the_reference_case() -> None:
    for case in cases("mcnemar_exact"):
        found = mcnemar_exact(case["given"]["b"], case["given"]["c"])
        assert found == pytest.approx(case["expect"], abs=case["tolerance"])
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(0, 5) == mcnemar_exact(5, 0) == pytest.approx(2 / 32)


def ever_missed(difference: float, alone: float, trials: int) -> tuple[float, float]:
    """P(low end above), P(high end below) the difference; `alone` is the smaller of both shares."""
    gains, losses = paired(trials)
    found = paired_ends(gains, losses, trials, error_rate=0.05)
    gain, loss = alone + max(difference, 0.0), alone + max(-difference, 0.0)
    chance = trinomial(gains, losses, trials, gain, loss)
    return (
        float((chance * (found.low > difference)).sum()),
        float((chance * (found.high < difference)).sum()),
    )


@pytest.mark.parametrize("trials", [20, 50, 100, 150])
def test_a_pass_against_a_margin_and_a_fail_against_zero_err_as_seldom_as_stated(
    trials: int,
) -> None:
    shares = [0.0, 0.001, 0.005, 0.01, 0.025, 0.05, 0.15, 0.25]
    false_passes = [
        ever_missed(-margin, share, trials)[0]
        for margin in (0.01, 0.02, 0.05, 0.1)
        for share in shares
    ]
    false_fails = [ever_missed(0.0, share, trials)[1] for share in shares]
    assert max(false_passes) <= 0.06
    assert max(false_fails) <= 0.055
    if trials >= 100:
        assert min(max(false_passes), max(false_fails)) > 0.045


def test_a_fail_against_a_claimed_drop_errs_somewhat_more_often() -> None:
    missed = [
        ever_missed(-drop, share, trials)[1]
        for trials in (50, 100)
        for drop in (0.02, 0.05, 0.1)
        for share in (0.0, 0.01, 0.05)
    ]
    assert 0.055 < max(missed) <= 0.075


@settings(derandomize=True, deadline=None, max_examples=100)
@given(rows_that_differ, st.one_of(st.floats(0.01, 0.9), st.floats(-0.9, -0.01)))
def test_the_statistic_uses_the_most_likely_shares(
    counts: tuple[int, int, int], difference: float
) -> None:
    gains, losses, rows = counts
    z = tango_statistic(*counts, difference=difference)
    grid = np.linspace(max(0.0, -difference), (1 - difference) / 2, 200_001)[1:-1]
    gain = grid + difference
    likelihood = (
        gains * np.log(gain)
        + losses * np.log(grid)
        + (rows - gains - losses) * np.log1p(-grid - gain)
    )
    loss = grid[np.argmax(likelihood)]
    expected = (gains - losses - rows * difference) / math.sqrt(
        rows * (2 * loss + difference * (1 - difference))
    )
    assert z == pytest.approx(expected, rel=2e-3, abs=1e-6)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(rows_that_differ, st.floats(-0.5, 0.5), st.floats(0.6, 0.99))
def test_gains_mirror_losses_and_a_p_value_is_the_dual_of_a_bound(
    counts: tuple[int, int, int], difference: float, confidence: float
) -> None:
    gains, losses, rows = counts
    for interval in (tango_interval, paired_interval):
        found = interval(gains, losses, rows, confidence=confidence)
        mirrored = interval(losses, gains, rows, confidence=confidence)
        assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-9)
        assert found.low <= (gains - losses) / rows <= found.high
    lower = tango_interval(gains, losses, rows, confidence=confidence, side="lower")
    p = tango_p_value(*counts, difference=difference, alternative="greater")
    if abs(lower.low - difference) > 1e-9:
        assert (p < 1 - confidence) == (lower.low > difference)


def test_few_rows_that_differ_are_judged_exactly() -> None:
    found = paired_interval(0, 0, 2_000, confidence=0.95)
    assert found.guarantee is Guarantee.EXACT
    assert found.high == pytest.approx(math.log(80) / 2_000, rel=2e-3)
    many = paired_interval(60, 50, 2_000, confidence=0.95)
    assert many == tango_interval(60, 50, 2_000, confidence=0.95)


def test_no_rows_say_nothing_and_impossible_counts_are_refused() -> None:
    assert tango_interval(0, 0, 0, confidence=0.95).width == 2.0
    assert paired_interval(0, 0, 0, confidence=0.95).width == 2.0
    for counts in ((-1, 0, 10), (6, 5, 10)):
        with pytest.raises(ValueError, match="more than all rows"):
            tango_interval(*counts, confidence=0.95)
