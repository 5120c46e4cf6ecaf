from dataclasses import replace

import pytest

from pilotage.control.rollouts.blocks import Cut
from pilotage.control.rollouts.course import Course
from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.store import Kept
from pilotage.control.rollouts.table import Crashed, State, Steered
from pilotage.errors import PilotageError
from pilotage.records.frames import Address, Found
from simulators.rollout_frames import FIVE, QUARTER, Frames, spec_of
from simulators.rollouts import IDENTITY

SPEC = spec_of(
    stages=(replace(FIVE, lasts_s=10.0, units=50), replace(QUARTER, lasts_s=10.0, units=50))
)
IRIS = replace(IDENTITY, endpoint="iris", spec=SPEC)
KEPT = Kept("rollout-1", 1, IRIS, "/records", 5.0, {}, 0, State(), 0, None, 0, 0, History())


def new():
    return Course(KEPT, [])


def looked(course, *frames, seconds=10.0, now_s=100.0):
    """One block with these frames, taken."""
    course.observe(
        Found(kind, payload, Address(1, place), "x") for place, (kind, payload) in enumerate(frames)
    )
    cut = Cut(seconds, {1: 100 * (course.looks + 1)}, len(frames))
    step = course.look(cut, now_s=now_s)
    course.take(step, now_s=now_s)
    return step


def arms(frames, stage, baseline=(1900, 6), candidate=(100, 0)):
    return (
        frames.answers("baseline", *baseline, stage),
        frames.answers("candidate", *candidate, stage),
    )


def kinds(step):
    return [entry.kind for entry in step.entries]


def test_a_quiet_look_owes_the_ledger_nothing():
    course = new()
    step = looked(course, *arms(Frames(), FIVE), seconds=5.0)
    assert (kinds(step), step.news) == ([], ())
    assert (step.state.stage_s, step.state.stage_units) == (5.0, 100)


def test_a_stage_that_ends_is_told_to_the_ledger_and_to_people():
    step = looked(new(), *arms(Frames(), FIVE))
    assert kinds(step) == ["stage"]
    assert step.entries[0].what == {"ended": "canary 5 %", "began": "canary 25 %"} | {
        "share_ppm": 250_000
    }
    assert step.news == ("canary 25 % begins",)


def test_harm_ends_in_a_verdict_with_numbers_blocks_and_the_end():
    course, frames = new(), Frames()
    looked(course, *arms(frames, FIVE), seconds=5.0)
    step = looked(course, *arms(frames, FIVE, candidate=(100, 40)), seconds=5.0)
    assert step.state.phase == "rolled_back"
    assert kinds(step) == ["verdict", "ended"]
    verdict, ended = (entry.what for entry in step.entries)
    assert (verdict["of"], verdict["word"], verdict["looks"]) == ("rollout", "failed", 2)
    assert "candidate requests" in verdict["harm"]
    assert verdict["guards"][0]["candidate_count"] == 200
    assert verdict["assumptions"]
    assert ended["verdict"] == step.entries[0].key


def test_a_guard_that_passes_has_its_verdict_once_and_the_rollout_one_when_it_goes_live():
    course, frames = new(), Frames()
    steps = [looked(course, *arms(frames, FIVE))]
    while steps[-1].state.phase == "running":
        steps.append(
            looked(course, *arms(frames, QUARTER, baseline=(3000, 9), candidate=(1000, 3)))
        )
    assert steps[-1].state.phase == "live"
    told = [entry for step in steps for entry in step.entries]
    assert [e.what["of"] for e in told if e.kind == "verdict"] == [SPEC.guards[0].text, "rollout"]
    assert [e.what["word"] for e in told if e.kind == "verdict"] == ["passed", "passed"]
    assert len({entry.key for entry in told}) == len(told)


def test_patience_that_ends_is_an_undecided_verdict_and_no_end():
    course = Course(replace(KEPT, identity=replace(IRIS, spec=replace(SPEC, patience_s=20.0))), [])
    step = looked(course, seconds=20.0)
    assert step.state.phase == "held"
    assert kinds(step) == ["verdict"]
    assert step.entries[0].what["word"] == "undecided"


def test_what_a_person_does_is_told_with_their_name_and_without_a_verdict():
    course = new()
    step = course.steer(Steered("promote", "ada (uid 7)"), now_s=50.0)
    assert kinds(step) == ["steered", "ended"]
    assert step.entries[0].what == {"verb": "promote", "by": "ada (uid 7)"}
    assert step.entries[1].what["verdict"] == ""
    course.take(step, now_s=50.0)
    assert course.steer(Steered("promote", "ada"), now_s=51.0).entries == ()
    with pytest.raises(PilotageError, match="cannot pause"):
        course.steer(Steered("pause", "ada"), now_s=52.0)


def test_a_crash_is_no_verdict():
    step = new().crash(Crashed("a worker crashed"), now_s=50.0)
    assert (kinds(step), step.state.phase) == (["ended"], "rolled_back")


def test_a_step_that_was_not_taken_changed_no_state():
    course = new()
    course.crash(Crashed("a worker crashed"), now_s=50.0)
    assert course.state == State()


def test_a_course_that_is_started_again_goes_on_as_if_it_had_not_been_away():
    frames = Frames()
    blocks = [arms(frames, FIVE, baseline=(1900, n), candidate=(100, n % 2)) for n in range(6)]
    first = new()
    saved = None
    for number, block in enumerate(blocks):
        looked(first, *block, seconds=1.0)
        if number == 2:
            saved = first.saved(0)
    kept = replace(
        KEPT,
        state=first.state,
        looks=6,
        evidence=saved.evidence,
        evidence_looks=3,
        history=saved.history,
    )
    again = Course(kept, list(first.cuts))
    for block, cut in zip(blocks[3:], first.cuts[3:], strict=True):
        again.observe(Found(kind, data, Address(1, 0), "x") for kind, data in block)
        again.again(cut)
    last = arms(frames, FIVE, candidate=(100, 3))
    assert looked(first, *last) == looked(again, *last)
    assert first.saved(0).evidence == again.saved(0).evidence
    assert first.view(now_s=1.0) == again.view(now_s=1.0)


def test_a_wall_clock_that_jumps_changes_no_evidence_and_no_state():
    frames, courses = Frames(), (new(), new())
    for number in range(5):
        block = arms(frames, FIVE, candidate=(100, number % 2))
        steady, jumping = (
            looked(course, *block, now_s=now_s)
            for course, now_s in zip(courses, (10.0, 1e9 * (-1) ** number), strict=True)
        )
        assert steady.state == jumping.state
    assert courses[0].saved(0).evidence == courses[1].saved(0).evidence


def same_id(frames, arm, requests):
    entries = [frames.entry(client_id="1") for _ in range(requests)]
    return frames.block(arm, entries, FIVE)


def test_callers_that_send_one_id_for_everything_are_told_and_expose_nothing():
    course, frames = new(), Frames()
    assert course.troubled("", now_s=1.0) == ""
    looked(course, same_id(frames, "candidate", 150))
    news = course.troubled("", now_s=1.0)
    assert "--sticky-by" in news
    assert "Nothing new can be judged" in course.view(now_s=1.0).sentence
    before = course.state.stage_s
    looked(course, same_id(frames, "candidate", 150))
    assert course.state.stage_s == before


def test_some_retries_are_no_trouble():
    course, frames = new(), Frames()
    looked(course, *arms(frames, FIVE), same_id(frames, "candidate", 150))
    assert course.troubled("", now_s=1.0) == ""
