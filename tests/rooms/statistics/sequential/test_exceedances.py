"""Exceedances of the baseline's earlier quantile: the threshold, and what was measured."""

import numpy as np
import pytest

from pilotage.statistics.sequential.exceedances import (
    SEEN,
    Exceedances,
    ExceedancesConfiguration,
)
from pilotage.statistics.verdict import Because, Failed, Undecided

SPREAD = np.log(3) / 2.326  # a median of 150 ms, a p99 of 450


def durations(rng, shape, ratio=1.0):
    return 0.15 * ratio * rng.lognormal(0, SPREAD, shape)


def test_there_is_no_threshold_before_the_baseline_was_seen_often_enough() -> None:
    for seen, known in ((SEEN - 1, False), (SEEN, True)):
        guard = Exceedances(ExceedancesConfiguration())
        guard.update([0.1] * seen, [])
        guard.close_block()
        assert np.isfinite(guard.threshold_s()) == known


def test_a_block_is_held_against_the_quantile_before_it() -> None:
    guard = Exceedances(ExceedancesConfiguration())
    guard.update([0.1] * 1_000, [0.1] * 1_000)
    guard.close_block()
    guard.update([1.0] * 100, [1.0] * 50 + [0.1] * 50)
    guard.close_block()
    assert guard.rates() == (1.0, 0.5)
    assert guard.threshold_s() == pytest.approx(1.0, rel=0.01)


def test_the_threshold_forgets_what_is_older_than_an_hour() -> None:
    guard = Exceedances(ExceedancesConfiguration(blocks_per_hour=4))
    thresholds = []
    for slow in (True, True, True, False, False, False, False):
        guard.update([1.0 if slow else 0.1] * 1_000, [])
        guard.close_block()
        thresholds.append(round(float(guard.threshold_s()), 1))
    assert thresholds == [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1]


def minutes_until(ratio: float, blocks: int, runs: int = 40) -> tuple[np.ndarray, ...]:
    """Minutes until each run passed and failed; 100 requests/s, 5 % canary, looks every 10 s."""
    rng = np.random.default_rng(1)
    guard = Exceedances(ExceedancesConfiguration(margin=0.1), (runs,))
    guard.update(durations(rng, (runs, 5_000)), np.empty((runs, 0)))
    guard.close_block()
    passed, failed = np.full(runs, np.inf), np.full(runs, np.inf)
    for block in range(1, blocks + 1):
        guard.update(durations(rng, (runs, 950)), durations(rng, (runs, 50), ratio))
        guard.close_block()
        passed[guard.passed() & np.isinf(passed)] = block / 6
        failed[guard.failed() & np.isinf(failed)] = block / 6
    return passed, failed


@pytest.mark.parametrize(("ratio", "minutes", "blocks"), [(1.2, 4.0, 60), (1.5, 1.0, 20)])
def test_a_heavier_tail_is_found_within_minutes(ratio, minutes, blocks) -> None:
    _, failed = minutes_until(ratio, blocks)
    assert np.median(failed) <= minutes


def test_an_equal_tail_passes_within_the_time_that_was_measured() -> None:
    passed, _ = minutes_until(1.0, 100, runs=20)
    assert np.median(passed) <= 16


def test_both_arms_slow_at_once_is_no_harm() -> None:
    rng = np.random.default_rng(2)
    guard = Exceedances(ExceedancesConfiguration(margin=0.1))
    for block in range(60):
        outage = 3.0 if block % 20 >= 15 else 1.0
        guard.update(durations(rng, 950, outage), durations(rng, 50, outage))
        guard.close_block()
    assert not guard.failed()


def test_the_verdict_needs_both_arms() -> None:
    guard = Exceedances(ExceedancesConfiguration(margin=0.1))
    guard.update([0.1] * 1_000, [])
    guard.close_block()
    guard.update([0.1] * 1_000, [])
    guard.close_block()
    verdict = guard.verdict()
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.NO_DATA
    guard.update([0.1] * 1_000, [0.2] * 100)
    guard.close_block()
    verdict = guard.verdict()
    assert isinstance(verdict, Failed)
    assert verdict.evidence.estimate == 1.0


@pytest.mark.parametrize("bad", [{"margin": -0.1}, {"quantile": 1.0}, {"blocks_per_hour": 1}])
def test_a_configuration_that_cannot_be_judged_is_refused(bad) -> None:
    with pytest.raises(ValueError, match=r"needed|hour"):
        ExceedancesConfiguration(**bad)


@pytest.mark.parametrize("rates", [(0.01, 0.01), (0.3, 0.3), (0.5, 0.1), (0.9, 0.9)])
def test_no_bet_on_exceedances_grows_on_average_under_its_hypothesis(rates) -> None:
    of_baseline, of_candidate = 5, 4
    bits = np.arange(of_baseline + of_candidate)
    outcomes = (np.arange(2**bits.size)[:, None] >> bits) & 1
    guard = Exceedances(ExceedancesConfiguration(margin=0.1, quantile=0.9), (len(outcomes),))
    guard.update([0.1] * 90 + [0.2] * 20, [])
    guard.close_block()
    guard.update(0.1 + outcomes[:, :of_baseline], 0.1 + outcomes[:, of_baseline:])
    guard.close_block()
    higher, lower = max(rates), min(rates)
    for logs, p in (
        (guard.log_evidence_fail(), np.r_[[higher] * of_baseline, [lower] * of_candidate]),
        (guard.log_evidence_pass(), np.r_[[lower] * of_baseline, [higher] * of_candidate]),
    ):
        chance = np.where(outcomes, p, 1 - p).prod(axis=1)
        assert chance @ np.exp(logs) <= 1.0 + 1e-12
        assert np.exp(logs).max() > 1.0
