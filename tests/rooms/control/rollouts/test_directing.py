from dataclasses import replace

import pytest

from pilotage.contracts.snapshot import PPM
from pilotage.control.rollouts.directing import direction_of
from pilotage.control.rollouts.table import State
from simulators.rollouts import IDENTITY, identity

BASELINE, CANDIDATE = IDENTITY.baseline.version, IDENTITY.candidate.version


def directed(state, of=IDENTITY):
    return direction_of(state, of, "r-1")


def test_in_a_shadow_the_baseline_answers_all_and_the_candidate_gets_copies():
    direction = directed(State(stage=0))
    (route,) = direction.routes
    assert (route.version, route.weight_ppm, route.stage) == (BASELINE, PPM, "shadow")
    assert direction.shadow == CANDIDATE
    assert (direction.trial.candidate, direction.trial.stage) == (CANDIDATE, "shadow")


def test_in_a_canary_the_routes_carry_share_arm_rollout_and_stage():
    direction = directed(State(stage=1))
    assert direction.shadow == ""
    assert [(r.version, r.weight_ppm, r.arm) for r in direction.routes] == [
        (BASELINE, 950_000, "baseline"),
        (CANDIDATE, 50_000, "candidate"),
    ]
    assert {(r.rollout, r.stage) for r in direction.routes} == {("r-1", "canary 5 %")}


def test_raising_the_share_keeps_the_candidate_last_and_the_salt():
    lower, higher = directed(State(stage=1)), directed(State(stage=2))
    assert [route.version for route in higher.routes] == [BASELINE, CANDIDATE]
    assert lower.salt == higher.salt == "r-1"


@pytest.mark.parametrize("phase", ["paused", "held"])
def test_waiting_keeps_the_share(phase):
    assert directed(State(phase=phase, stage=1)) == directed(State(stage=1))


def test_live_gives_all_to_the_candidate_and_ends_the_trial():
    direction = directed(State(phase="live", stage=2))
    assert [(r.version, r.weight_ppm) for r in direction.routes] == [(CANDIDATE, PPM)]
    assert direction.trial is None


@pytest.mark.parametrize("phase", ["rolled_back", "aborted"])
def test_what_is_over_gives_all_to_the_baseline_and_ends_the_trial(phase):
    direction = directed(State(phase=phase, stage=2))
    assert [(r.version, r.weight_ppm) for r in direction.routes] == [(BASELINE, PPM)]
    assert direction.trial is None
    assert direction.shadow == ""


def test_timing_probes_run_only_where_a_guard_reads_them():
    (guard,) = IDENTITY.spec.guards
    timed = identity(guards=(replace(guard, metric="engine_time"),))
    assert directed(State(stage=1)).trial.probe_every == 0
    assert directed(State(stage=1), timed).trial.probe_every > 0
