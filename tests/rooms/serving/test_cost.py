"""The cost of a batch: a line from two timings, then what the machine really does."""

import pytest

from pilotage.serving.cost import FALL, RISE, Cost


def line() -> Cost:
    """3.4 ms a batch and 0.46 ms a row, as `wide` was measured."""
    return Cost.from_timings([(1, 3_860_000.0), (32, 18_120_000.0)])


def test_the_line_goes_through_both_timings() -> None:
    cost = line()
    assert cost.of(1) == pytest.approx(3_860_000)
    assert cost.of(32) == pytest.approx(18_120_000)
    assert cost.fixed_ns == pytest.approx(3_400_000)


def test_a_model_that_gets_faster_with_rows_has_no_negative_slope() -> None:
    cost = Cost.from_timings([(1, 500.0), (32, 400.0)])
    assert cost.each_ns == 0.0
    assert cost.of(32) == cost.of(1) == 500.0


def test_one_timing_gives_a_constant() -> None:
    assert Cost.from_timings([(1, 700.0)]).of(50) == 700.0


def test_a_queue_pays_the_fixed_cost_once_a_batch() -> None:
    cost = line()
    assert cost.of_queue(64, 32) == pytest.approx(2 * cost.of(32))
    assert cost.of_queue(33, 32) == pytest.approx(cost.of(32) + cost.of(1))
    assert cost.of_queue(0, 32) == 0


def test_the_estimate_rises_fast_and_falls_slowly() -> None:
    cost = line()
    cost.learn(32, 2 * 18_120_000)
    assert cost.scale == pytest.approx(1 + RISE)
    cost.learn(32, 18_120_000)
    assert cost.scale == pytest.approx(1 + RISE - FALL * RISE)


def test_one_batch_that_the_machine_held_up_does_not_change_what_is_usual() -> None:
    cost = line()
    cost.learn(32, 1000 * 18_120_000)
    assert cost.usually(32) < 1.06 * 18_120_000
    assert cost.of(32) > 100 * 18_120_000


def test_what_is_usual_follows_a_model_that_became_slower_for_good() -> None:
    cost = line()
    for _ in range(200):
        cost.learn(32, 5 * 18_120_000)
    assert cost.usually(32) == pytest.approx(5 * 18_120_000, rel=0.01)


def test_an_estimate_that_keeps_the_engine_idle_gives_way() -> None:
    cost = line()
    cost.learn(32, 1000 * 18_120_000)
    for _ in range(200):
        cost.doubt()
    assert cost.of(32) < 18_120_000
