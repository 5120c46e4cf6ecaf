"""The bet on a block's means, which assumes nothing of what happens inside a block."""

import numpy as np
import pytest

from pilotage.statistics.sequential.block_means import BlockMeans, BlockMeansConfiguration
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided

RUNS, TOO_MANY = 2_000, 150
HALF_A_POINT = BlockMeansConfiguration(margin=0.005)


def bursts(harm: float, seed: int, blocks: int = 400) -> BlockMeans:
    """All of an arm's requests of a block fail together or not at all."""
    rng = np.random.default_rng(seed)
    guard = BlockMeans(HALF_A_POINT, (RUNS,))
    for _ in range(blocks):
        bad_b, bad_c = rng.random((2, RUNS)) < [[0.05], [0.05 + harm]]
        guard.update(950, 950 * bad_b, 50, 50 * bad_c)
        guard.close_block()
    return guard


def test_an_equal_candidate_is_rarely_failed_whatever_hangs_together() -> None:
    assert np.count_nonzero(bursts(0.0, 31).failed()) < TOO_MANY


def test_a_candidate_at_the_margin_is_rarely_passed_whatever_hangs_together() -> None:
    assert np.count_nonzero(bursts(0.005, 32).passed()) < TOO_MANY


def test_harm_is_found_in_the_end() -> None:
    assert np.count_nonzero(bursts(0.2, 33).failed()) > 0.9 * RUNS


def test_no_factor_grows_on_average_under_its_hypothesis() -> None:
    # A block of one request an arm: four outcomes, any joint chance of them.
    outcomes = [(0, 0), (0, 1), (1, 0), (1, 1)]
    factors = []
    for bad_b, bad_c in outcomes:
        guard = BlockMeans(BlockMeansConfiguration(margin=0.3, tolerated=0.1))
        guard.update(1, bad_b, 1, bad_c)
        guard.close_block()
        factors.append(np.exp([guard.log_evidence_fail(), guard.log_evidence_pass()]))
    fail, pass_ = np.array(factors).T
    rng = np.random.default_rng(34)
    chances = rng.dirichlet(np.full(4, 0.5), 10_000)
    harm = chances @ [0, 1, -1, 0]
    assert np.max((chances @ fail)[harm <= 0.1]) <= 1 + 1e-12
    assert np.max((chances @ pass_)[harm >= 0.3]) <= 1 + 1e-12


def guard_of(*blocks: tuple[float, float, float, float]) -> BlockMeans:
    guard = BlockMeans(HALF_A_POINT)
    for block in blocks:
        guard.update(*block)
        guard.close_block()
    return guard


def test_it_answers_like_every_guard() -> None:
    assert isinstance(guard_of(*[(950, 0, 50, 0)] * 2_000).verdict(), Passed)
    assert isinstance(guard_of(*[(950, 0, 50, 50)] * 50).verdict(), Failed)
    nothing = guard_of((950, 10, 0, 0)).verdict()
    assert isinstance(nothing, Undecided)
    assert nothing.because is Because.NO_DATA
    one = guard_of((950, 19, 50, 2)).verdict()
    assert isinstance(one, Undecided)
    assert one.evidence.estimate == pytest.approx(0.02)


def test_cuts_inside_a_block_change_nothing_and_a_saved_state_goes_on() -> None:
    whole = guard_of((950, 10, 50, 2))
    cut = BlockMeans(HALF_A_POINT)
    cut.update(900, 4, 10, 0)
    cut = BlockMeans.load(HALF_A_POINT, cut.save())
    cut.update(50, 6, 40, 2)
    cut.close_block()
    assert cut.save() == whole.save()


def test_a_margin_out_of_range_is_refused() -> None:
    for settings in ({"margin": 1.0}, {"margin": 0.1, "tolerated": 0.2}):
        with pytest.raises(ValueError, match="needed"):
            BlockMeansConfiguration(**settings)
