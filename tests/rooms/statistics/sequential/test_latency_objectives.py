"""An objective in seconds: exact bets, and an interval that misses the quantile seldom."""

import numpy as np
import pytest

from pilotage.statistics.sequential.latency_objectives import (
    LatencyObjective,
    LatencyObjectiveConfiguration,
)
from pilotage.statistics.verdict import Failed, Passed, Undecided


def test_no_bet_on_the_share_beyond_grows_on_average_at_its_edge() -> None:
    requests = 6
    outcomes = (np.arange(2**requests)[:, None] >> np.arange(requests)) & 1
    objective = LatencyObjective(LatencyObjectiveConfiguration(1.0), (len(outcomes),))
    objective.update(0.5 + outcomes)
    objective.close_block()
    beyond = outcomes.sum(axis=1)
    for share, logs in (
        (0.01, objective.log_evidence_fail()),
        (0.01, objective.log_evidence_pass()),
        (0.001, objective.log_evidence_fail()),
        (0.2, objective.log_evidence_pass()),
    ):
        chance = share**beyond * (1 - share) ** (requests - beyond)
        assert chance @ np.exp(logs) <= 1.0 + 1e-12
        assert np.exp(logs).max() > 1.0


def test_the_interval_misses_the_quantile_seldom_at_any_look() -> None:
    rng = np.random.default_rng(1)
    truth = -np.log(0.02) / 10
    objective = LatencyObjective(LatencyObjectiveConfiguration(1.0, quantile=0.98), (2_000,))
    missed = np.zeros((2, 2_000), bool)
    for _ in range(15):
        objective.update(rng.exponential(0.1, (2_000, 200)))
        objective.close_block()
        low, high = objective.bounds_s()
        missed |= [low > truth, high < truth]
    assert missed.sum(axis=1).max() < 150
    assert np.median(high / low) < 1.6


def test_the_interval_agrees_with_the_verdict_but_for_the_bin() -> None:
    rng = np.random.default_rng(2)
    durations = rng.exponential(0.1, (300, 3_000)) * rng.uniform(0.5, 1.5, (300, 1))
    objective = LatencyObjective(LatencyObjectiveConfiguration(0.4605), (300,))
    objective.update(durations)
    objective.close_block()
    low, high = objective.bounds_s()
    assert (objective.failed() | (low < 0.4605)).all()
    assert (objective.passed() | (high > 0.4605)).all()
    assert not (objective.failed() & (low < 0.4605 / 1.011)).any()
    assert not (objective.passed() & (high > 0.4605 * 1.011)).any()
    assert objective.failed().any()
    assert objective.passed().any()


@pytest.mark.parametrize(("scale_s", "kind"), [(0.03, Passed), (0.065, Undecided), (0.2, Failed)])
def test_a_clear_objective_is_decided_and_a_near_one_is_not(scale_s, kind) -> None:
    objective = LatencyObjective(LatencyObjectiveConfiguration(0.3))
    objective.update(np.random.default_rng(3).exponential(scale_s, 2_000))
    objective.close_block()
    verdict = objective.verdict()
    assert isinstance(verdict, kind)
    assert verdict.evidence.interval is not None
    assert verdict.evidence.estimate in verdict.evidence.interval


def test_few_requests_leave_the_upper_end_open() -> None:
    objective = LatencyObjective(LatencyObjectiveConfiguration(0.3))
    objective.update([0.1] * 20)
    objective.close_block()
    low, high = objective.bounds_s()
    assert 0.0 < low <= 0.1
    assert high == np.inf


@pytest.mark.parametrize("bad", [{"limit_s": 0.0}, {"limit_s": 0.3, "quantile": 0.94}])
def test_an_objective_needs_a_limit_and_a_tail(bad) -> None:
    with pytest.raises(ValueError, match="needed"):
        LatencyObjectiveConfiguration(**bad)
