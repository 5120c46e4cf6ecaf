import pytest

from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.table import State
from pilotage.control.rollouts.viewing import TROUBLES, duration, view_of
from pilotage.serving.recording.ring import STATES
from simulators.rollouts import IDENTITY, identity, numbers


def view(state, *guards, of=IDENTITY, history=None):
    return view_of(
        "r-1",
        of,
        state,
        guards,
        history or History(),
        counts={},
        assumptions=(),
        verdict="",
        now_s=0.0,
    )


def test_without_data_it_says_so():
    said = view(State(stage=1), numbers(candidate_count=0)).sentence
    assert said == "v2.onnx gets 5 % of the traffic; undecided, since there is no data yet."


def test_while_it_runs_it_says_the_share_and_what_is_shown():
    said = view(State(stage=1), numbers(), numbers(name="other", word="passed")).sentence
    assert said == "v2.onnx gets 5 % of the traffic; no harm found, 1 of 2 required guards passed."


def test_a_shadow_is_told_as_copies():
    said = view(State(stage=0), numbers()).sentence
    assert said.startswith("v2.onnx answers copies of the traffic")


@pytest.mark.parametrize(
    ("phase", "starts"),
    [
        ("rolled_back", "v2.onnx rolled back: it fails."),
        ("live", "v2.onnx promoted: it fails."),
        ("aborted", "v2.onnx taken out: it fails."),
        ("paused", "Paused, it fails"),
        ("held", "Held: it fails."),
    ],
)
def test_every_other_phase_has_its_sentence_with_the_reason(phase, starts):
    assert view(State(phase=phase, because="it fails"), numbers()).sentence.startswith(starts)


def test_a_stage_is_done_now_or_next():
    stages = view(State(stage=1, stage_s=30.0, stage_units=7)).stages
    assert [stage.when for stage in stages] == ["done", "now", "next", "next"]
    assert (stages[1].seen_s, stages[1].seen_units) == (30.0, 7)


def test_after_a_roll_back_its_stage_and_those_that_did_not_come_never_do():
    stages = view(State(phase="rolled_back", stage=1, stage_units=7, because="x")).stages
    assert [stage.when for stage in stages] == ["done", "never", "never", "never"]
    assert [stage.seen_units for stage in stages] == [100, 7, 0, 0]


def test_live_has_all_stages_behind_it():
    stages = view(State(phase="live", stage=2, because="x")).stages
    assert [stage.when for stage in stages] == ["done", "done", "done", "now"]


def test_what_is_left_is_the_slowest_of_exposure_and_guards():
    name = numbers().name
    history = History(trends={name: [(0.0, 0.0, 0.0), (100.0, 0.0, 0.01)]})
    waits = view(State(stage=2), numbers(), history=history)
    assert waits.expected_s == pytest.approx(9900.0)
    exposed = view(State(stage=2), numbers(), of=identity(promote_on="exposure"))
    assert exposed.expected_s == 600.0


def test_harm_that_is_about_to_be_found_is_what_is_waited_for():
    name = numbers().name
    history = History(trends={name: [(0.0, 0.0, 0.0), (10.0, 0.9, 0.001)]})
    waits = view(State(stage=2), numbers(), history=history)
    assert waits.expected_s == pytest.approx(10.0 / 9.0)


def test_a_guard_that_has_passed_is_not_waited_for():
    assert view(State(stage=2), numbers(word="passed")).expected_s == 600.0


def test_nothing_is_promised_where_a_guard_does_not_move():
    assert view(State(stage=2), numbers()).expected_s is None


def test_durations_are_said_as_people_say_them():
    assert [duration(each) for each in (0.2, 89, 90, 5399, 5400, 86_400)] == [
        "1 s",
        "89 s",
        "2 min",
        "90 min",
        "2 h",
        "24 h",
    ]


def test_every_state_of_a_recorder_that_keeps_nothing_has_its_words():
    assert set(TROUBLES) == set(STATES) - {"recording"} | {"repeated_ids"}
