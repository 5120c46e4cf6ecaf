"""Planning numbers against the power that the procedures then have."""

import math
from typing import Any

import numpy as np
import pytest

from pilotage.statistics.fixed.auc import auc_interval
from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.groups import group_difference_ends, group_ratio_ends
from pilotage.statistics.fixed.paired import paired_ends
from pilotage.statistics.fixed.planning import (
    rows_for_auc,
    rows_for_bounded_mean,
    rows_for_difference,
    rows_for_pairs,
    rows_for_proportion,
    rows_for_ratio,
)
from pilotage.statistics.fixed.proportions import clopper_pearson_ends
from simulators.every_table import binomial


@pytest.mark.parametrize(
    ("truth", "limit"),
    [(0.85, 0.8), (0.82, 0.8), (0.99, 0.98), (0.75, 0.8), (0.003, 0.01), (0.9, 0.7)],
)
def test_a_proportion_is_shown_with_the_planned_power(truth: float, limit: float) -> None:
    rows = rows_for_proportion(truth=truth, limit=limit)
    assert rows is not None
    low, high = clopper_pearson_ends(np.arange(rows + 1), rows, error_rate=0.05)
    shown = low > limit if truth > limit else high < limit
    assert 0.77 <= (binomial(rows, truth) * shown).sum() <= 0.83


@pytest.mark.parametrize(
    ("difference", "limit", "discordant"),
    [(0.0, -0.02, 0.1), (0.0, -0.1, 0.4), (-0.05, 0.0, 0.1), (0.02, -0.05, 0.1), (0, -0.02, 0.01)],
)
def test_a_paired_difference_is_shown_with_the_planned_power(
    difference: float, limit: float, discordant: float
) -> None:
    rows = rows_for_pairs(difference=difference, limit=limit, discordant=discordant)
    assert rows is not None
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    drawn = np.random.default_rng(3).multinomial(rows, shares, 5_000)
    found = paired_ends(drawn[:, 0], drawn[:, 1], rows, error_rate=0.05)
    shown = found.low > limit if difference > limit else found.high < limit
    assert 0.77 <= shown.mean() <= 0.86


def test_pairs_need_a_fraction_of_the_rows_that_two_samples_need() -> None:
    paired = rows_for_pairs(difference=-0.03, limit=0.0, discordant=0.08)
    apart = rows_for_difference(rate_a=0.83, rate_b=0.80, limit=0.0)
    assert paired is not None
    assert apart is not None
    assert paired < apart / 6


def power_between(
    ends: Any, rate_a: float, rate_b: float, rows: int, share_a: float, limit: float, above: bool
) -> float:
    generator = np.random.default_rng(5)
    rows_a = round(rows * share_a)
    rows_b = rows - rows_a
    successes_a = generator.binomial(rows_a, rate_a, 4_000)
    successes_b = generator.binomial(rows_b, rate_b, 4_000)
    found = ends(successes_a, rows_a, successes_b, rows_b, error_rate=0.05)
    return float((found.low > limit if above else found.high < limit).mean())


@pytest.mark.parametrize(
    ("rate_a", "rate_b", "limit", "share_a"),
    [(0.3, 0.3, 0.1, 0.5), (0.1, 0.1, 0.05, 0.2), (0.5, 0.3, 0.1, 0.5), (0.02, 0.02, 0.02, 0.5)],
)
def test_a_group_difference_is_shown_with_the_planned_power(
    rate_a: float, rate_b: float, limit: float, share_a: float
) -> None:
    rows = rows_for_difference(rate_a=rate_a, rate_b=rate_b, limit=limit, share_a=share_a)
    assert rows is not None
    above = rate_a - rate_b > limit
    power = power_between(group_difference_ends, rate_a, rate_b, rows, share_a, limit, above)
    assert 0.77 <= power <= 0.83


@pytest.mark.parametrize(
    ("rate_a", "rate_b", "limit", "share_a"),
    [(0.3, 0.3, 0.8, 0.5), (0.5, 0.5, 0.8, 0.2), (0.2, 0.3, 0.8, 0.5), (0.1, 0.1, 0.5, 0.3)],
)
def test_a_group_ratio_is_shown_with_the_planned_power(
    rate_a: float, rate_b: float, limit: float, share_a: float
) -> None:
    rows = rows_for_ratio(rate_a=rate_a, rate_b=rate_b, limit=limit, share_a=share_a)
    assert rows is not None
    above = rate_a / rate_b > limit
    power = power_between(group_ratio_ends, rate_a, rate_b, rows, share_a, limit, above)
    assert 0.77 <= power <= 0.83


@pytest.mark.parametrize(("a", "b", "gap"), [(2, 5, 0.03), (5, 5, 0.02), (0.3, 1, 0.05)])
def test_a_bounded_mean_is_shown_with_about_the_planned_power(
    a: float, b: float, gap: float
) -> None:
    truth = a / (a + b)
    deviation = math.sqrt(truth * (1 - truth) / (a + b + 1))
    generator = np.random.default_rng(11)
    for limit, side in ((truth - gap, "lower"), (truth + gap, "upper")):
        rows = rows_for_bounded_mean(truth=truth, limit=limit, deviation=deviation)
        assert rows is not None
        shown = 0
        for _ in range(200):
            values = generator.beta(a, b, rows)
            if side == "lower":
                shown += hedged_interval(values, confidence=0.95, side="lower").low > limit
            else:
                shown += hedged_interval(values, confidence=0.95, side="upper").high < limit
        assert 0.65 <= shown / 200 <= 0.96


@pytest.mark.parametrize(("truth", "limit", "share"), [(0.85, 0.8, 0.3), (0.75, 0.7, 0.5)])
def test_an_auc_is_shown_with_about_the_planned_power(
    truth: float, limit: float, share: float
) -> None:
    rows = rows_for_auc(truth=truth, limit=limit, positive_share=share)
    assert rows is not None
    generator = np.random.default_rng(13)
    # Exponential scores: P(positive > negative) = scale / (1 + scale).
    scale = truth / (1 - truth)
    shown = 0
    for _ in range(300):
        labels = np.arange(rows) < round(rows * share)
        scores = generator.exponential(np.where(labels, scale, 1.0))
        shown += auc_interval(labels, scores, confidence=0.95, side="lower").low > limit
    assert 0.72 <= shown / 300 <= 0.92


def test_more_power_or_a_nearer_limit_needs_more_rows() -> None:
    def needed(**given: float) -> int:
        rows = rows_for_proportion(**{"truth": 0.85, "limit": 0.8, **given})
        assert rows is not None
        return rows

    assert needed() < needed(power=0.9) < needed(power=0.9, confidence=0.99)
    assert needed() < needed(limit=0.82)


def test_a_truth_on_the_limit_is_decided_by_no_number_of_rows() -> None:
    assert rows_for_proportion(truth=0.8, limit=0.8) is None
    assert rows_for_pairs(difference=0.0, limit=0.0, discordant=0.1) is None
    assert rows_for_difference(rate_a=0.5, rate_b=0.25, limit=0.25) is None
    assert rows_for_ratio(rate_a=0.25, rate_b=0.5, limit=0.5) is None
    assert rows_for_bounded_mean(truth=0.5, limit=0.5, deviation=0.1) is None
    assert rows_for_auc(truth=0.8, limit=0.8, positive_share=0.5) is None


def test_a_plan_asks_for_the_rows_below_which_nothing_is_compared() -> None:
    # Twenty rows in a group that is a tenth; five events at 18 % in it.
    assert rows_for_difference(rate_a=0.9, rate_b=0.2, limit=0.0, share_a=0.1) == 200
    assert rows_for_difference(rate_a=0.9, rate_b=0.1, limit=0.0, share_a=0.1) == 278
    assert rows_for_pairs(difference=0.5, limit=-0.3, discordant=0.6) == 20


def test_rates_at_the_edges_have_plans_too() -> None:
    assert rows_for_proportion(truth=1.0, limit=0.0) == 1
    # 0.99 ** 299 is just below 5 %; the approximation errs on the side of more rows.
    assert 299 <= (rows_for_proportion(truth=1.0, limit=0.99) or 0) <= 370
    assert rows_for_pairs(difference=0.0, limit=-0.02, discordant=0.0) is not None
    assert rows_for_difference(rate_a=0.0, rate_b=0.0, limit=0.05) is not None
    assert rows_for_ratio(rate_a=1.0, rate_b=1.0, limit=0.8) is not None
    assert rows_for_auc(truth=1.0, limit=0.9, positive_share=0.5) is not None


def test_fewer_rows_that_differ_than_the_difference_are_refused() -> None:
    with pytest.raises(ValueError, match="discordant"):
        rows_for_pairs(difference=-0.1, limit=0.0, discordant=0.05)
