"""One budget of false alarms: the reference case, the proof on all outcomes, culprits."""

import numpy as np
import pytest

from pilotage.statistics.sequential.detectors import (
    STAKES,
    AlarmBudget,
    AlarmBudgetConfiguration,
    Monitor,
    stakes_against,
)
from pilotage.statistics.verdict import Failed, Undecided
from vectors import cases

DAILY = 365.0


def one(stakes: int = 1, budget: float = 1.0, shape: tuple[int, ...] = ()) -> AlarmBudget:
    monitor = Monitor("errors", DAILY, stakes=stakes)
    return AlarmBudget(AlarmBudgetConfiguration((monitor,), budget), shape)


def tick(pot: AlarmBudget, **factors) -> None:
    for name, factor in factors.items():
        pot.update(name, np.log(factor))
    pot.close_block()


@pytest.mark.parametrize("case", cases("alarm_budget"), ids=lambda case: case["id"])
def test_the_reference_case_is_met_up_to_its_alarm(case) -> None:
    given = case["given"]
    pot = one(budget=given["c"] * DAILY)
    for factor, expected in zip(given["factors"], case["expect"], strict=True):
        assert not pot.alarmed()
        tick(pot, errors=[factor])
        if expected < 1.0:
            assert pot.level() == pytest.approx(expected, abs=case["tolerance"])
    assert pot.alarmed()
    assert pot.level() == 0.0


@pytest.mark.parametrize("injection", [0.002, 0.05, 0.4])
def test_over_all_outcomes_of_14_ticks_there_are_no_more_alarms_than_were_put_in(injection) -> None:
    ticks = 14
    outcomes = np.arange(2**ticks)
    pot = one(stakes=2, budget=injection * DAILY, shape=outcomes.shape)
    for each in range(ticks):
        won = (outcomes >> each) & 1
        # Two fair bets on the same coin: dependence between stakes is allowed.
        tick(pot, errors=np.stack([0.1 + 1.8 * won, 0.8 + 0.4 * won], axis=-1))
        pot.acknowledge()
    expected = pot.alarms().mean()
    assert 0.0 < expected <= ticks * injection
    assert pot.alarms().mean() + pot.level().mean() <= ticks * injection + 1e-12


def test_monitors_tick_at_clocks_of_their_own() -> None:
    monitors = (Monitor("hourly", 8_760.0, stakes=1), Monitor("weekly", 52.0, stakes=1))
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    tick(pot, weekly=[1.0])
    before = float(pot.level())
    assert before == pytest.approx(0.5 / 52)
    for _ in range(168):
        tick(pot, hourly=[1.0])
    assert pot.level() == pytest.approx(before + 0.5 * 168 / 8_760)


def test_weights_share_the_budget() -> None:
    monitors = (
        Monitor("a", DAILY, stakes=2, weight=3.0),
        Monitor("b", DAILY, stakes=1, weight=1.0),
    )
    injections = AlarmBudgetConfiguration(monitors, 0.05).injections()
    assert injections == pytest.approx([0.05 * 0.75 / DAILY / 2, 0.05 * 0.25 / DAILY])


def test_an_alarm_names_its_culprits_by_share() -> None:
    monitors = tuple(Monitor(name, DAILY, stakes=1) for name in ("age", "income", "errors"))
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    tick(pot, age=[1.0], income=[3_000.0], errors=[1_000.0])
    (first, share), (second, other), *_ = pot.culprits()
    assert (first, second) == ("income", "errors")
    assert share == pytest.approx(3_000 / 4_001)
    assert other == pytest.approx(1_000 / 4_001)
    assert pot.shares().sum() == pytest.approx(1.0)


def test_small_evidence_of_many_monitors_adds_up() -> None:
    monitors = tuple(Monitor(f"feature {i}", DAILY, stakes=1) for i in range(10))
    together = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    tick(together, **{monitor.name: [400.0] for monitor in monitors})
    alone = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    tick(alone, **{"feature 0": [400.0]})
    assert together.alarmed()
    assert not alone.alarmed()


def test_an_alarm_is_held_until_somebody_has_seen_it() -> None:
    pot = one()
    tick(pot, errors=[1e6])
    assert isinstance(pot.verdict(), Failed)
    for _ in range(3):
        tick(pot, errors=[1e6])
    assert (pot.alarmed(), pot.alarms()) == (True, 1)
    pot.acknowledge()
    assert isinstance(pot.verdict(), Undecided)
    assert pot.culprits() == ()
    tick(pot, errors=[1e6])
    assert (pot.alarmed(), pot.alarms()) == (True, 2)
    assert pot.failed()


def test_alarms_are_acknowledged_run_by_run() -> None:
    pot = one(shape=(3,))
    tick(pot, errors=[[1e6], [1e6], [1.0]])
    pot.acknowledge([True, False, False])
    assert pot.alarmed().tolist() == [False, True, False]
    assert pot.alarms().tolist() == [1, 1, 0]


def test_a_new_reference_starts_without_evidence() -> None:
    monitors = (Monitor("a", DAILY, stakes=1), Monitor("b", DAILY, stakes=1))
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    tick(pot, a=[100.0], b=[10.0])
    pot.update("a", [np.log(1e6)])
    pot.forget("a")
    pot.close_block()
    assert pot.level() == pytest.approx(10 * 0.5 / DAILY)


def test_factors_too_large_for_a_number_are_an_alarm_and_no_error() -> None:
    pot = one(stakes=2)
    with np.errstate(all="raise", under="ignore"):
        pot.update("errors", [1e7, -1e7])
        pot.close_block()
    assert pot.culprits() == (("errors", 1.0),)


def test_ten_million_quiet_ticks_of_evidence_against_harm_are_forgotten_in_a_tick() -> None:
    pot = one()
    pot.update("errors", [-1e7])
    pot.close_block()
    tick(pot, errors=[2.0 * DAILY])
    assert pot.alarmed()


def test_harm_never_found_is_no_pass() -> None:
    pot = one()
    for _ in range(100):
        tick(pot, errors=[0.5])
    assert not pot.passed()
    assert isinstance(pot.verdict(), Undecided)


@pytest.mark.parametrize(
    ("monitor", "factors"),
    [("error", [0.0]), ("errors", [0.0, 0.0]), ("errors", [np.nan]), ("errors", [np.inf])],
)
def test_what_is_no_factor_of_a_monitor_is_refused(monitor, factors) -> None:
    with pytest.raises(ValueError, match=r"name|shape|finite"):
        one().update(monitor, factors)


@pytest.mark.parametrize(
    "bad", [{"ticks_per_year": 0.0}, {"stakes": 0}, {"weight": 0.0}, {"weight": -1.0}]
)
def test_a_monitor_has_ticks_stakes_and_a_weight(bad) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Monitor(**{"name": "a", "ticks_per_year": 1.0, **bad})


def test_a_budget_has_monitors_with_different_names() -> None:
    twice = (Monitor("a", 1.0), Monitor("a", 1.0))
    for monitors, budget in (((), 1.0), (twice, 1.0), (twice[:1], 0.0)):
        with pytest.raises(ValueError, match="alarm budget"):
            AlarmBudgetConfiguration(monitors, budget)


@pytest.mark.parametrize("mean", [1e-6, 0.16, 0.5, 0.8, 1.0])
def test_no_stake_can_lose_more_than_19_parts_of_20(mean) -> None:
    stakes = stakes_against(mean)
    assert stakes.size == len(STAKES)
    assert (stakes * mean).max() <= 0.95 + 1e-12


@pytest.mark.parametrize("mean", [0.0, 1.01, np.nan])
def test_a_mean_that_cannot_be_exceeded_has_no_stakes(mean) -> None:
    with pytest.raises(ValueError, match="mean"):
        stakes_against(mean)
