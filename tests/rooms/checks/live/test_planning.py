"""How long a rollout will take, by simulation with the guards' own procedures."""

import time

import pytest

from pilotage.checks.live.planning import PlanRow, plan
from pilotage.spec.rollouts import GuardSpec
from simulators.rollout_frames import ERRORS, FIVE, QUARTER, SHADOW, spec_of

DIFFERS = GuardSpec("disagreement", 0.05, 0.02, "disagreement at_most 5%")
TIME = GuardSpec("engine_time", 0.2, 0.05, "engine_time not_worse_by 20%")
TAIL = GuardSpec("engine_time_tail", 0.01, 0.0, "engine_time_tail not_worse_by 1pp")
ACCURACY = GuardSpec("accuracy", 0.02, 0.0, "accuracy not_worse_by 2pp", of="label")
MEAN = GuardSpec("mean", 0.5, 0.0, "mean of stars", of="stars", low=1.0, high=5.0)
EVERY = (ERRORS, DIFFERS, TIME, TAIL, ACCURACY, MEAN)
STAGES = (SHADOW, FIVE, QUARTER)
LOW = {ERRORS.text: 0.003}


def rows_of(rows: tuple[PlanRow, ...], guard: GuardSpec, question: str) -> list[PlanRow]:
    return [row for row in rows if (row.guard, row.question) == (guard.text, question)]


def test_it_takes_as_many_candidate_requests_as_the_guard_was_measured_to_need() -> None:
    """At 0.3 % and 5 %: harm of a margin after 1,232 in the median, an equal one after 1,338."""
    rows = plan(spec_of(stages=(FIVE,)), requests_per_s=100.0, baseline_rates=LOW)
    harm, equal = rows_of(rows, ERRORS, "harm")[0], rows_of(rows, ERRORS, "not_worse")[0]
    assert harm.size == ERRORS.margin
    assert harm.candidate_requests == pytest.approx(1232, rel=0.25)
    assert equal.candidate_requests == pytest.approx(1338, rel=0.25)
    assert harm.median_s == pytest.approx(1232 / 5.0, rel=0.25)


def test_larger_harm_is_found_sooner_and_a_larger_share_decides_sooner() -> None:
    rows = rows_of(plan(spec_of(), requests_per_s=20.0, baseline_rates=LOW), ERRORS, "harm")
    small = [row.median_s for row in rows if row.stage == FIVE.name]
    large = [row.median_s for row in rows if row.stage == QUARTER.name]
    assert small == sorted(small, reverse=True)
    assert all(slow > fast for slow, fast in zip(small, large, strict=True))


def test_each_guard_is_planned_where_it_is_asked() -> None:
    rows = plan(spec_of(*EVERY, stages=STAGES), requests_per_s=50.0)
    stages = {
        g.text: list(dict.fromkeys(r.stage for r in rows if r.guard == g.text)) for g in EVERY
    }
    assert stages == {
        ERRORS.text: ["shadow", "canary 5 %", "canary 25 %"],
        DIFFERS.text: ["shadow"],
        TIME.text: [""],
        TAIL.text: [""],
        ACCURACY.text: ["canary 5 %", "canary 25 %"],
        MEAN.text: ["canary 5 %", "canary 25 %"],
    }
    for row in rows:
        assert (row.size == 0.0) == (row.question == "not_worse")
        assert (row.median_s is None) == (row.candidate_requests is None)
        if row.median_s is not None and row.p95_s is not None:
            assert row.median_s <= row.p95_s


def test_what_is_beyond_the_patience_has_no_time() -> None:
    for row in plan(spec_of(patience_s=60.0), requests_per_s=1.0):
        assert (row.median_s, row.p95_s, row.candidate_requests) == (None, None, None)


def test_patience_shorter_than_a_block_decides_nothing() -> None:
    (row, *_) = plan(spec_of(patience_s=5.0), requests_per_s=1e6)
    assert row.median_s is None


def test_sizes_and_the_baselines_own_rate_can_be_given() -> None:
    rows = plan(
        spec_of(stages=(FIVE,)),
        requests_per_s=100.0,
        baseline_rates={ERRORS.text: 0.0},
        harms={ERRORS.text: (0.5,)},
    )
    assert [(row.question, row.size) for row in rows] == [("harm", 0.5), ("not_worse", 0.0)]
    assert rows[0].median_s == 10.0


def test_more_guards_share_the_evidence_so_harm_takes_longer() -> None:
    alone = plan(spec_of(ERRORS), requests_per_s=20.0, baseline_rates=LOW)
    among = plan(spec_of(ERRORS, TIME, TAIL), requests_per_s=20.0, baseline_rates=LOW)
    for one, many in zip(
        rows_of(alone, ERRORS, "harm"), rows_of(among, ERRORS, "harm"), strict=True
    ):
        assert one.median_s is not None
        assert many.median_s is not None
        assert one.median_s < many.median_s


def test_a_sticky_unit_counts_at_the_end_of_its_window() -> None:
    spec = spec_of(sticky_by="header:x-user-id", stages=(QUARTER,))
    few = plan(spec, requests_per_s=100.0, units_per_s=10.0)
    rows = plan(spec, requests_per_s=100.0, units_per_s=100.0)
    assert all(row.median_s is not None and row.median_s > spec.window_s for row in rows)
    for slow, fast in zip(few, rows, strict=True):
        assert slow.median_s is not None
        assert fast.median_s is not None
        assert slow.median_s > fast.median_s


def test_the_same_seed_gives_the_same_plan() -> None:
    assert plan(spec_of(), requests_per_s=200.0) == plan(spec_of(), requests_per_s=200.0)
    assert plan(spec_of(), requests_per_s=200.0) != plan(spec_of(), requests_per_s=200.0, seed=2)


@pytest.mark.parametrize("requests_per_s", [0.0, -1.0, float("nan"), float("inf")])
def test_no_traffic_makes_no_plan(requests_per_s: float) -> None:
    with pytest.raises(ValueError, match="needs traffic"):
        plan(spec_of(), requests_per_s=requests_per_s)


def test_a_day_of_every_guard_takes_three_seconds_of_the_processor() -> None:
    begun = time.process_time()
    plan(spec_of(*EVERY, stages=STAGES), requests_per_s=0.5)
    assert time.process_time() - begun < 3.0


def test_a_busy_endpoint_is_planned_too() -> None:
    assert plan(spec_of(*EVERY, stages=STAGES), requests_per_s=1e6)
