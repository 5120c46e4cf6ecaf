"""A performance floor: exact bets, quiet at the floor, alarms as fast as was measured."""

from itertools import product

import numpy as np
import pytest

from pilotage.statistics.sequential.detectors import (
    AlarmBudget,
    AlarmBudgetConfiguration,
    Monitor,
)
from pilotage.statistics.sequential.floors import (
    PerformanceFloor,
    PerformanceFloorConfiguration,
)

YEAR = 365


def days(error_rate: float, labels: int, runs: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Alarms of each run, each acknowledged at once, and the first alarm's day (inf: none)."""
    rng = np.random.default_rng(1)
    floor = PerformanceFloor(PerformanceFloorConfiguration(limit=0.16), (runs,))
    pot = AlarmBudget(AlarmBudgetConfiguration((Monitor("errors", YEAR),), 1.0), (runs,))
    first = np.full(runs, np.inf)
    for day in range(1, length + 1):
        wrong = rng.binomial(labels, error_rate, runs)
        floor.update_counts(wrong, labels - wrong)
        floor.close_block()
        pot.update("errors", floor.log_factors())
        pot.close_block()
        first[pot.alarmed() & np.isinf(first)] = day
        pot.acknowledge()
    return pot.alarms(), first


@pytest.mark.parametrize("limit", [0.02, 0.16, 0.7])
def test_no_bet_grows_on_average_while_the_mean_loss_of_a_tick_is_at_the_limit(limit) -> None:
    outcomes = np.array(list(product([0.0, 0.5, 1.0], repeat=4)))
    floor = PerformanceFloor(PerformanceFloorConfiguration(limit), (len(outcomes),))
    floor.update(outcomes)
    floor.close_block()
    factors = np.exp(floor.log_factors())
    # Means of the four losses that differ, as through a day, with an average at the limit.
    means = limit * np.array([[1, 1, 1, 1], [0.6, 0.8, 1.2, 1.4], [0.9, 0.9, 0.8, 1.4]])
    for mean in means:
        half = np.minimum(mean, 1 - mean) * 0.5
        chances = np.stack([1 - mean - half / 2, half, mean - half / 2], axis=-1)
        picked = chances[np.arange(4), np.round(2 * outcomes).astype(int)].prod(axis=-1)
        assert picked.sum() == pytest.approx(1.0)
        assert (picked @ factors).max() <= 1.0 + 1e-12
        assert (picked @ factors).max() > 0.98
    assert factors.max() > 1.0


@pytest.mark.parametrize("labels", [5_000, 100])
def test_at_the_floor_there_is_less_than_the_budget_of_one_alarm_a_year(labels) -> None:
    alarms, _ = days(0.16, labels, runs=400, length=YEAR)
    assert alarms.sum() < 400


def test_a_model_above_its_floor_raises_no_alarm_in_400_years() -> None:
    alarms, _ = days(0.15, 5_000, runs=400, length=YEAR)
    assert alarms.sum() == 0


@pytest.mark.parametrize(
    ("labels", "accuracy", "median"),
    [(5_000, 0.83, 6), (5_000, 0.80, 1), (5_000, 0.75, 1), (500, 0.80, 3), (100, 0.75, 4)],
)
def test_a_fall_of_accuracy_is_found_within_the_days_that_were_measured(
    labels, accuracy, median
) -> None:
    _, first = days(1 - accuracy, labels, runs=400, length=30)
    assert np.median(first) <= median


def test_counts_and_losses_of_0_and_1_are_the_same_evidence() -> None:
    by_count, by_loss = (PerformanceFloor(PerformanceFloorConfiguration(0.16)) for _ in range(2))
    by_count.update_counts(3, 7)
    by_loss.update([1.0] * 3 + [0.0] * 7)
    assert by_count.save() == by_loss.save()


def test_a_tick_without_labels_bets_nothing() -> None:
    floor = PerformanceFloor(PerformanceFloorConfiguration(0.16))
    floor.update_counts(10, 0)
    floor.close_block()
    floor.close_block()
    assert not floor.log_factors().any()


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_a_limit_lies_between_0_and_1(limit) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        PerformanceFloorConfiguration(limit)


@pytest.mark.parametrize("loss", [-0.01, 1.01, np.nan])
def test_a_loss_is_bounded(loss) -> None:
    with pytest.raises(ValueError, match="outside"):
        PerformanceFloor(PerformanceFloorConfiguration(0.16)).update([loss])
