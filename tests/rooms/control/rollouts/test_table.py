from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.control.rollouts.table import (
    ALLOWED,
    UNDER_WAY,
    Crashed,
    Look,
    Phase,
    State,
    Steered,
    Verb,
    step,
)
from pilotage.errors import PilotageError
from pilotage.spec.rollouts import RolloutSpec, StageSpec

SHADOW = StageSpec("shadow", 0, 60.0, 100)
CANARY_5 = StageSpec("canary", 50_000, 60.0, 100)
CANARY_25 = StageSpec("canary", 250_000, 60.0, 100)
SPEC = RolloutSpec((SHADOW, CANARY_5, CANARY_25), (), patience_s=1000.0)
LAST = State(stage=2)


def look(seconds=10.0, units=50, *, failed=False, passed=False, harm=""):
    return Look(seconds, units, failed, passed, harm)


def after(state, *events, spec=SPEC):
    for event in events:
        state = step(state, event, spec)
    return state


def test_a_stage_ends_when_both_its_time_and_its_units_are_met():
    assert after(State(), look(60.0, 99)).stage == 0
    assert after(State(), look(59.9, 100)).stage == 0
    assert after(State(), look(60.0, 100)).stage == 1


def test_the_next_stage_counts_its_exposure_from_nothing():
    state = after(State(), look(61.0, 500))
    assert (state.stage, state.stage_s, state.stage_units) == (1, 0.0, 0)


def test_one_look_moves_one_stage_however_long_it_was():
    assert after(State(), look(500.0, 5000)).stage == 1


def test_the_candidate_goes_live_when_the_last_exposure_is_met_and_it_is_shown_not_worse():
    assert after(LAST, look(60.0, 100, passed=True)).phase == "live"
    assert after(LAST, look(59.0, 100, passed=True)).phase == "running"
    assert after(LAST, look(60.0, 100)).phase == "running"


def test_exposure_alone_is_enough_where_the_spec_says_so():
    spec = replace(SPEC, promote_on="exposure")
    assert after(LAST, look(60.0, 100), spec=spec).phase == "live"


def test_shown_not_worse_in_an_early_stage_waits_for_the_last():
    assert after(State(), look(10.0, 50, passed=True)).phase == "running"


@pytest.mark.parametrize("phase", sorted(UNDER_WAY))
def test_harm_rolls_back_in_every_phase_that_looks(phase):
    state = after(State(phase=phase), look(failed=True, passed=True, harm="it fails"))
    assert (state.phase, state.because) == ("rolled_back", "it fails")


@pytest.mark.parametrize(
    ("then", "phase"), [("hold", "held"), ("promote", "live"), ("rollback", "rolled_back")]
)
def test_patience_ends_as_the_spec_says(then, phase):
    spec = replace(SPEC, then=then)
    assert after(LAST, look(999.0, 0), spec=spec).phase == "running"
    state = after(LAST, look(1000.0, 0), spec=spec)
    assert state.phase == phase
    assert "undecided" in state.because


def test_where_nothing_is_judged_exposure_stands_still_and_patience_runs():
    state = after(LAST, Look(100.0, 500, False, True, judged=False))
    assert (state.phase, state.stage_s, state.stage_units) == ("running", 0.0, 0)
    assert state.elapsed_s == 100.0
    assert after(state, Look(900.0, 0, False, False, judged=False)).phase == "held"


def test_patience_does_not_run_while_paused():
    paused = after(LAST, Steered("pause", "ada"), look(5000.0, 900))
    assert (paused.phase, paused.elapsed_s, paused.stage_units) == ("paused", 0.0, 0)
    assert after(paused, Steered("resume", "ada")).phase == "running"


def test_a_crash_takes_the_candidate_out_also_when_it_is_live():
    for phase in (*UNDER_WAY, "live"):
        assert after(State(phase=phase), Crashed("SIGSEGV")).phase == "rolled_back"


@pytest.mark.parametrize("phase", ["rolled_back", "aborted"])
def test_what_is_over_stays_so_whatever_comes(phase):
    over = State(phase=phase, because="it was")
    assert after(over, look(failed=True), look(99.0, 999, passed=True), Crashed("x")) == over


def test_every_verb_in_every_phase_is_followed_or_refused_with_what_is_possible():
    for phase in get_args(Phase):
        for verb in get_args(Verb):
            state, event = State(phase=phase), Steered(verb, "ada")
            if phase in ALLOWED[verb]:
                assert step(state, event, SPEC).phase != phase
            elif step_or_none(state, event) != state:
                with pytest.raises(PilotageError, match=f"cannot {verb}") as refused:
                    step(state, event, SPEC)
                assert refused.value.expected or "--anew" in refused.value.fix


def step_or_none(state, event):
    try:
        return step(state, event, SPEC)
    except PilotageError:
        return None


def test_asking_twice_does_nothing_twice():
    for verb in get_args(Verb):
        for phase in ALLOWED[verb]:
            once = step(State(phase=phase), Steered(verb, "ada"), SPEC)
            assert step(once, Steered(verb, "ada"), SPEC) == once


events = st.one_of(
    st.builds(
        Look,
        st.floats(0.0, 100.0),
        st.integers(0, 200),
        st.booleans(),
        st.booleans(),
        st.just("harm"),
    ),
    st.builds(Steered, st.sampled_from(get_args(Verb)), st.just("ada")),
    st.just(Crashed("it crashed")),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(events, max_size=30))
def test_stages_only_go_forward_and_the_end_is_the_end(happened):
    state = State()
    for event in happened:
        try:
            fresh = step(state, event, SPEC)
        except PilotageError:
            continue
        assert 0 <= state.stage <= fresh.stage < len(SPEC.stages)
        if state.phase in ("rolled_back", "aborted"):
            assert fresh == state
        if fresh.phase != "running":
            assert fresh.because
        state = fresh
