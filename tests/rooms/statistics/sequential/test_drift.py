"""Rank drift: exact bets, quiet inside the tolerance, alarms as fast as was measured."""

from statistics import NormalDist

import numpy as np
import pytest

from pilotage.statistics.sequential.detectors import (
    AlarmBudget,
    AlarmBudgetConfiguration,
    Monitor,
)
from pilotage.statistics.sequential.drift import (
    BETS,
    STAKES_A_FEATURE,
    RankDrift,
    RankDriftConfiguration,
    allowance,
)
from pilotage.statistics.sequential.references import Reference

FEATURES = 10
YEAR = 365
ENORMOUS = 10**12
cdf = np.vectorize(NormalDist().cdf)


def reference(rows: int = 200_000, missing_limit: float = 0.0) -> Reference:
    values = np.random.default_rng(5).standard_normal(rows)
    return Reference.of_numbers(values, missing_limit=missing_limit)


def masses_of(frozen: Reference, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """The chances of the bins, the missing one included, for normal values."""
    edges = cdf((np.asarray(frozen.edges) - shift) / scale)
    return np.append(np.diff(edges, prepend=0.0, append=1.0), 0.0)


def days(
    frozen: Reference, shifts: list[float], rows: int, runs: int, length: int, effect: float = 0.05
) -> tuple[np.ndarray, np.ndarray, AlarmBudget]:
    """Alarms of each run, each acknowledged at once, and the first alarm's day (inf: none)."""
    rng = np.random.default_rng(1)
    names = [f"feature {i}" for i in range(len(shifts))]
    monitors = tuple(Monitor(name, YEAR, stakes=STAKES_A_FEATURE) for name in names)
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0), (runs,))
    drift = RankDrift(RankDriftConfiguration(frozen, effect), (runs,))
    chances = [masses_of(frozen, shift) for shift in shifts]
    first = np.full(runs, np.inf)
    for day in range(1, length + 1):
        for name, chance in zip(names, chances, strict=True):
            drift.update_counts(rng.multinomial(rows, chance, runs))
            drift.close_block()
            pot.update(name, drift.log_factors())
        pot.close_block()
        first[pot.alarmed() & np.isinf(first)] = day
        pot.acknowledge()
    return pot.alarms(), first, pot


@pytest.mark.parametrize(("effect", "expected"), [(0.05, 0.0141), (0.1, 0.0282), (0.2, 0.0562)])
def test_the_allowance_for_an_effect_is_that_of_the_specification(effect, expected) -> None:
    assert allowance(effect, ENORMOUS) == pytest.approx(expected, abs=5e-5)
    assert allowance(effect, ENORMOUS) == pytest.approx(
        NormalDist().cdf(effect / np.sqrt(2)) - 0.5, abs=1e-5
    )


def test_the_allowance_for_a_reference_of_5000_rows_alone_is_that_of_the_specification() -> None:
    assert allowance(0.0, 5_000) == pytest.approx(0.014, abs=5e-4)
    assert allowance(0.0, 5_000, bets=400) > allowance(0.0, 5_000, bets=40)


@pytest.mark.parametrize("bad", [(-0.1, 100, 40), (0.05, 0, 40), (0.05, 100, 0)])
def test_an_allowance_needs_an_effect_rows_and_bets(bad) -> None:
    with pytest.raises(ValueError, match="allowance"):
        allowance(*bad)


def test_the_mean_rank_of_a_reference_is_a_half_so_no_bet_grows_on_average() -> None:
    frozen = Reference.of_numbers([0.0] * 5 + [1.0] * 3 + [2.0] * 2, missing_limit=0.1)
    drift = RankDrift(RankDriftConfiguration(frozen, effect=0.0), (25,))
    # Every outcome of a tick of two rows; one of the bins is missing, with a chance of a tenth.
    outcomes = np.array([[a, b] for a in range(5) for b in range(5)])
    drift.update_counts(np.stack([np.bincount(each, minlength=5) for each in outcomes]))
    drift.close_block()
    chances = np.append(0.9 * np.asarray(frozen.masses), 0.1)
    weight = chances[outcomes].prod(axis=1)
    expected = weight @ np.exp(drift.log_factors())
    assert expected.max() <= 1.0 + 1e-12
    assert np.exp(drift.log_factors()).max() > 1.0


@pytest.mark.parametrize(
    ("shift", "scale", "bet"),
    [
        (0.5, 1.0, "ranks up"),
        (-0.5, 1.0, "ranks down"),
        (0.0, 1.5, "spread up"),
        (0.0, 0.6, "spread down"),
    ],
)
def test_each_kind_of_drift_is_found_by_its_own_bet(shift, scale, bet) -> None:
    values = np.random.default_rng(2).normal(shift, scale, 5_000)
    drift = RankDrift(RankDriftConfiguration(reference()))
    drift.update(values)
    drift.close_block()
    strongest = max(BETS, key=lambda each: drift.evidence_of(each).max())
    assert strongest == bet
    assert drift.evidence_of(bet).max() > 20.0


def test_missing_values_are_found_and_say_nothing_about_ranks() -> None:
    drift = RankDrift(RankDriftConfiguration(reference(missing_limit=0.001)))
    drift.update([np.nan] * 500)
    drift.close_block()
    assert drift.evidence_of("missing").max() > 20.0
    for bet in BETS[:-1]:
        assert not drift.evidence_of(bet).any()


def test_a_feature_that_may_be_missing_altogether_is_no_bet() -> None:
    drift = RankDrift(RankDriftConfiguration(reference(missing_limit=1.0)))
    drift.update([np.nan] * 500)
    drift.close_block()
    assert not drift.log_factors().any()


def test_a_category_never_seen_before_is_drift() -> None:
    frozen = Reference.of_categories(["a"] * 10_000 + ["b"] * 9_000 + ["c"] * 1_000)
    drift = RankDrift(RankDriftConfiguration(frozen))
    drift.update(["a"] * 400 + ["b"] * 350 + ["new"] * 250)
    drift.close_block()
    assert drift.evidence_of("ranks up").max() > 7.0


def test_ten_quiet_features_raise_no_alarm_in_20_years() -> None:
    alarms, _, _ = days(reference(), [0.0] * FEATURES, rows=5_000, runs=20, length=YEAR)
    assert alarms.sum() == 0


def test_features_exactly_at_the_tolerance_stay_within_the_budget() -> None:
    # No allowance for the reference: its masses are those of the distribution itself.
    exact = Reference.of_numbers([NormalDist().inv_cdf((i + 0.5) / 64_000) for i in range(64_000)])
    at_most = Reference(exact.edges, exact.masses, ENORMOUS, 0.0)
    shifts = [0.05, -0.05] * (FEATURES // 2)
    alarms, _, _ = days(at_most, shifts, rows=5_000, runs=20, length=YEAR)
    assert alarms.sum() < 20


@pytest.mark.parametrize(("shift", "median", "late"), [(0.1, 5, 12), (0.25, 1, 1), (0.5, 1, 1)])
def test_a_shift_of_one_feature_in_ten_is_found_within_days(shift, median, late) -> None:
    shifts = [shift] + [0.0] * (FEATURES - 1)
    _, first, pot = days(reference(), shifts, rows=5_000, runs=100, length=20)
    assert np.median(first) <= median
    assert np.quantile(first, 0.95) <= late
    assert pot.shares()[:, 0].min() > 0.5


def test_a_harmless_shift_raises_no_alarm_among_ten_million_rows() -> None:
    alarms, _, _ = days(reference(), [0.02], rows=5_000, runs=40, length=2_000)
    assert alarms.sum() == 0


def test_without_a_tolerance_a_harmless_shift_is_found_in_the_end() -> None:
    _, first, _ = days(reference(), [0.02], rows=5_000, runs=20, length=400, effect=0.0)
    assert np.isfinite(first).mean() > 0.5


def test_counts_and_values_are_the_same_evidence() -> None:
    frozen = reference()
    values = np.random.default_rng(3).standard_normal(1_000)
    by_value, by_count = (RankDrift(RankDriftConfiguration(frozen)) for _ in range(2))
    by_value.update(values)
    by_count.update_counts(frozen.histograms(values))
    assert by_value.save() == by_count.save()
