"""Betting on paired differences: valid exactly, as fast as measured, an interval that agrees."""

from itertools import product

import numpy as np
import pytest

from pilotage.statistics.sequential.block_sums import BLOCK_OBSERVATIONS
from pilotage.statistics.sequential.paired import (
    LARGEST_MARGIN,
    Paired,
    PairedConfiguration,
)
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided

VALUES = np.array([1.0, 0.5, 0.0, -1.0])


def expectations(configuration: PairedConfiguration, chances: np.ndarray) -> tuple[float, float]:
    """E of both e-values after one block of pairs; `chances` (pairs, values) of each pair."""
    outcomes = np.array(list(product(range(VALUES.size), repeat=len(chances))))
    paired = Paired(configuration, (len(outcomes),))
    paired.update(VALUES[outcomes])
    paired.close_block()
    weight = np.prod(chances[np.arange(len(chances)), outcomes], axis=-1)
    return (
        float(weight @ np.exp(paired.log_evidence_fail())),
        float(weight @ np.exp(paired.log_evidence_pass())),
    )


@pytest.mark.parametrize(("margin", "tolerated"), [(0.02, 0.0), (0.3, 0.1), (0.5, 0.5)])
def test_no_bet_grows_on_average_under_its_hypothesis_even_if_means_vary(margin, tolerated) -> None:
    configuration = PairedConfiguration(margin, tolerated)
    rng = np.random.default_rng(1)
    largest = [0.0, 0.0]
    for _ in range(300):
        chances = rng.dirichlet(np.full(VALUES.size, 0.5), size=3)
        for side, edge in enumerate((tolerated, margin)):
            # Move chance between D = 1 and D = -1 until the block's mean is at the edge.
            short = edge - float((chances @ VALUES).mean())
            moved = chances.copy()
            give, take = (3, 0) if short > 0 else (0, 3)
            room = moved[:, give].mean()
            share = abs(short) / 2 / room
            if share > 1:
                continue
            moved[:, take] += share * moved[:, give]
            moved[:, give] *= 1 - share
            assert float((moved @ VALUES).mean()) == pytest.approx(edge)
            largest[side] = max(largest[side], expectations(configuration, moved)[side])
    assert 0.9 < largest[0] <= 1.0
    assert 0.9 < largest[1] <= 1.0


def pairs_until(mean: float, margin: float, runs: int, blocks: int) -> tuple[np.ndarray, ...]:
    """Pairs until each run passed and failed (inf: never), looked at every 100; 10 % discordant."""
    rng = np.random.default_rng(3)
    paired = Paired(PairedConfiguration(margin), (runs,))
    passed, failed = np.full(runs, np.inf), np.full(runs, np.inf)
    for block in range(1, blocks + 1):
        found = rng.multinomial(100, [(0.1 + mean) / 2, 0.9, (0.1 - mean) / 2], runs)
        paired.update_counts(*found.T)
        paired.close_block()
        passed[paired.passed() & np.isinf(passed)] = 100 * block
        failed[paired.failed() & np.isinf(failed)] = 100 * block
    return passed, failed


def test_an_equal_candidate_passes_after_2000_pairs_at_the_median() -> None:
    passed, failed = pairs_until(0.0, 0.02, runs=1_000, blocks=150)
    assert 1_700 <= np.median(passed) <= 2_300
    assert np.quantile(passed, 0.95) <= 6_000
    assert np.isfinite(failed).sum() < 75


@pytest.mark.parametrize(("mean", "median", "late"), [(0.02, 2_300, 6_000), (0.05, 500, 1_000)])
def test_a_worse_candidate_fails_within_what_was_measured(mean, median, late) -> None:
    _, failed = pairs_until(mean, 0.02, runs=1_000, blocks=150)
    assert np.median(failed) <= median
    assert np.quantile(failed, 0.95) <= late


def test_counts_and_differences_of_binary_outcomes_are_the_same_evidence() -> None:
    by_count, by_value = (Paired(PairedConfiguration(0.02)) for _ in range(2))
    by_count.update_counts(3, 5, 2)
    by_value.update([1.0] * 3 + [0.0] * 5 + [-1.0] * 2)
    assert by_count.save() == by_value.save()


def test_the_interval_agrees_with_the_verdict_at_the_same_look() -> None:
    rng = np.random.default_rng(4)
    configuration = PairedConfiguration(0.02, 0.005)
    paired = Paired(configuration, (3_000,))
    paired.update_counts(*rng.integers(0, 60, (2, 3_000)), rng.integers(0, 60, 3_000))
    paired.close_block()
    low, high = paired.bounds()
    assert np.array_equal(paired.failed(), low >= configuration.tolerated)
    assert np.array_equal(paired.passed(), high <= configuration.margin)
    assert 0.1 < paired.failed().mean() < 0.9
    assert 0.1 < paired.passed().mean() < 0.9


def test_the_interval_misses_the_mean_of_bounded_losses_seldom_at_any_look() -> None:
    rng = np.random.default_rng(5)
    paired = Paired(PairedConfiguration(0.02), (2_000,))
    missed = np.zeros((2, 2_000), bool)
    for _ in range(20):
        paired.update(rng.uniform(-0.5, 0.7, (2_000, 50)))
        paired.close_block()
        low, high = paired.bounds()
        missed |= [low > 0.1, high < 0.1]
    assert missed.sum(axis=1).max() < 150


def test_the_verdict_tells_its_numbers() -> None:
    paired = Paired(PairedConfiguration(0.02))
    assert isinstance(paired.verdict(), Undecided)
    assert paired.verdict().evidence.estimate is None
    paired.update_counts(30, 1_900, 70)
    paired.close_block()
    verdict = paired.verdict()
    assert isinstance(verdict, Passed)
    assert verdict.evidence.estimate == pytest.approx(-0.02)
    assert verdict.evidence.observations == 2_000
    interval = verdict.evidence.interval
    assert interval is not None
    assert -0.02 in interval
    assert interval.confidence == 0.9


def test_harm_found_after_a_pass_overrides_it() -> None:
    paired = Paired(PairedConfiguration(0.02))
    for found in ((0, 3_000, 0), (300, 100, 0)):
        paired.update_counts(*found)
        paired.close_block()
    assert paired.passed()
    assert isinstance(paired.verdict(), Failed)


def test_evidence_for_both_answers_is_undecided() -> None:
    paired = Paired(PairedConfiguration(0.02))
    paired.update([0.01] * 10)
    paired.close_block()
    verdict = paired.verdict()
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.STRADDLES


def test_a_block_of_counts_has_a_limit() -> None:
    Paired(PairedConfiguration(0.02)).update_counts(BLOCK_OBSERVATIONS, 0, 0)
    with pytest.raises(ValueError, match="close it"):
        Paired(PairedConfiguration(0.02)).update_counts(BLOCK_OBSERVATIONS, 1, 0)


def test_margins_are_in_order_and_not_too_near_to_1() -> None:
    PairedConfiguration(LARGEST_MARGIN, LARGEST_MARGIN)
    for margin, tolerated in ((0.991, 0.0), (0.1, 0.2), (0.1, -0.1)):
        with pytest.raises(ValueError, match="needed"):
            PairedConfiguration(margin, tolerated)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_an_error_rate_is_between_0_and_1(rate) -> None:
    with pytest.raises(ValueError, match="error rate"):
        PairedConfiguration(0.1, error_rate_pass=rate)
