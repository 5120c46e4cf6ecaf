"""Slow probes, pair by pair, held against medians of earlier blocks."""

import numpy as np
import pytest

from pilotage.statistics.sequential.paired import PairedConfiguration
from pilotage.statistics.sequential.probe_tails import SEEN, SIZES, ProbeTails
from pilotage.statistics.verdict import Failed


def tails() -> ProbeTails:
    return ProbeTails(PairedConfiguration(margin=0.01, unit="probe"))


def observations(procedure: ProbeTails) -> int:
    return procedure.verdict().evidence.observations


def test_a_batch_size_judges_nothing_before_it_was_seen_often_enough() -> None:
    for seen, judged in ((SEEN - 1, 0), (SEEN, 1)):
        procedure = tails()
        procedure.update([0.01] * seen, [0.01] * seen, [8] * seen)
        procedure.close_block()
        procedure.update([0.01], [0.01], [8])
        procedure.close_block()
        assert observations(procedure) == judged


def test_a_block_is_held_against_the_median_before_it() -> None:
    procedure = tails()
    procedure.update([0.01] * 10, [0.01] * 10, [8] * 10)
    procedure.close_block()
    # Were the block itself in the median, 0.05 would not be slow.
    procedure.update([0.05] * 100, [0.01] * 50 + [0.05] * 50, [8] * 100)
    procedure.close_block()
    assert procedure.estimate() == 0.5


def test_batch_sizes_have_medians_of_their_own() -> None:
    procedure = tails()
    procedure.update([0.01] * 10, [0.01] * 10, [1] * 10)
    procedure.update([0.1] * 10, [0.1] * 10, [4096] * 10)
    procedure.update([0.2] * 10, [0.2] * 10, [10**9] * 10)
    procedure.close_block()
    procedure.update([0.1, 0.1, 0.1], [0.01, 0.1, 0.1], [1, 4096, 4097])
    procedure.close_block()
    assert observations(procedure) == 3
    assert procedure.estimate() == pytest.approx(1 / 3)


def test_classes_of_batch_sizes_are_at_most_a_half_apart_beyond_2() -> None:
    assert (SIZES[2:] / SIZES[1:-1]).max() <= 1.5
    assert (SIZES[0], SIZES[-1]) == (1, 4096)


def test_slow_is_more_than_three_times_the_median_to_a_tenth() -> None:
    for times, slow in ((2.7, 0.0), (3.3, 1.0)):
        procedure = tails()
        procedure.update([0.01] * 10, [0.01] * 10, [8] * 10)
        procedure.close_block()
        procedure.update([0.01 * times], [0.01], [8])
        procedure.close_block()
        assert procedure.estimate() == slow


def test_a_candidate_with_a_heavier_tail_fails_though_its_median_is_equal() -> None:
    rng = np.random.default_rng(1)
    procedure = tails()
    for _ in range(40):
        spikes = np.where(rng.random((2, 25)) < [[0.06], [0.01]], 8.0, 1.0)
        procedure.update(*(0.01 * spikes * rng.lognormal(0, 0.05, (2, 25))), [8] * 25)
        procedure.close_block()
    assert isinstance(procedure.verdict(), Failed)


@pytest.mark.parametrize("rows", [[0], [1, 1]])
def test_a_batch_has_rows(rows) -> None:
    with pytest.raises(ValueError, match="row"):
        tails().update([0.01], [0.01], rows)


def test_evidence_and_bounds_are_those_of_the_pairs_and_decide_as_the_verdict_does() -> None:
    procedure = tails()
    for candidate in (0.01, 0.05):
        procedure.update([candidate] * 40, [0.01] * 40, [8] * 40)
        procedure.close_block()
    low, high = procedure.bounds()
    assert 0.0 < low <= procedure.estimate() <= high
    assert procedure.log_evidence_fail() >= np.log(20.0)
    assert procedure.log_evidence_pass() < 0.0
    assert procedure.failed()
