"""What times of answers say about a quantile of all times."""

import math

import numpy as np
import pytest

from pilotage.evaluation.load.late_answers import (
    BLOCKS,
    LEAST_BLOCKS,
    Late,
    blocks_needed,
    resemblance,
)
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided

RATE = 200.0
MEDIAN_S, SPREAD = 0.002, 0.5
P99_S = MEDIAN_S * math.exp(SPREAD * 2.326348)


def _times(seed: int, count: int = 6000):
    return np.random.default_rng(seed).lognormal(math.log(MEDIAN_S), SPREAD, count)


def _late(times, quantile=0.99):
    return Late(np.asarray(times, float), quantile, RATE)


@pytest.mark.parametrize(
    ("limit", "verdict"), [(1.5 * P99_S, Passed), (P99_S, Undecided), (0.8 * P99_S, Failed)]
)
def test_a_quantile_is_below_above_or_too_near_to_its_limit(limit, verdict):
    assert isinstance(_late(_times(1)).at_most(limit)(0.95), verdict)


def test_the_interval_shown_is_of_the_quantile_and_agrees_with_the_verdict():
    late = _late(_times(2))
    for limit in np.geomspace(0.5, 2, 25) * P99_S:
        verdict = late.at_most(float(limit))(0.95)
        interval = verdict.evidence.interval
        assert interval.low <= late.estimate <= interval.high
        assert isinstance(verdict, Passed) == (interval.high <= limit)
        assert isinstance(verdict, Failed) == (interval.low >= limit)
    assert interval.confidence == pytest.approx(0.9)


def test_the_true_quantile_is_seldom_outside_and_never_passed_wrongly():
    """Each end misses in 5 % of runs at most, and each verdict is wrong so: of 40 runs, 15 or more
    in 3 of a million."""
    outside = wrong = 0
    for seed in range(40):
        late = _late(_times(seed))
        interval = late.interval(0.95)
        outside += not interval.low <= P99_S <= interval.high
        wrong += not isinstance(late.at_most(P99_S)(0.95), Undecided)
    assert outside < 15
    assert wrong < 15


def test_what_was_refused_or_never_answered_counts_as_late():
    times = _times(3)
    times[::40] = np.inf
    verdict = _late(times).at_most(1.0)(0.95)
    assert isinstance(verdict, Failed)
    assert verdict.evidence.estimate == math.inf
    assert verdict.evidence.interval.high == math.inf


def test_blocks_that_resemble_their_neighbours_are_joined():
    stalls = np.repeat(np.random.default_rng(4).random(60) < 0.3, 100)
    late = _late(np.where(stalls, 1.0, 0.001))
    assert late.block_requests(0.5) > 6000 // BLOCKS
    assert late.block_requests(2.0) == 6000 // BLOCKS
    assert len(late.shares(0.5)) >= LEAST_BLOCKS


def test_neighbours_without_a_bond_do_not_resemble_each_other():
    chance = np.random.default_rng(5)
    assert abs(resemblance(chance.random(2000))) < 3
    assert resemblance(np.repeat(chance.random(200), 10)) > 10
    assert resemblance(np.zeros(100)) == 0


def test_a_share_of_one_per_cent_needs_hundreds_of_blocks():
    assert blocks_needed(0.99, 0.95) == 402
    assert blocks_needed(0.5, 0.95) < 10
    fast = np.full(402, 0.001)
    assert isinstance(_late(fast).at_most(0.002)(0.95), Passed)
    assert isinstance(_late(fast[:-1]).at_most(0.002)(0.95), Undecided)


def test_hardly_any_requests_decide_nothing():
    verdict = _late([0.001] * (LEAST_BLOCKS - 1), 0.5).at_most(1.0)(0.95)
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.TOO_FEW
    assert isinstance(_late([0.001] * LEAST_BLOCKS, 0.5).at_most(1.0)(0.95), Passed)


def test_the_verdict_names_the_length_of_its_blocks():
    (blocks, _) = _late(_times(6)).at_most(1.0)(0.95).evidence.assumptions
    assert blocks == "blocks of 10 requests (50 ms) are late independently"
