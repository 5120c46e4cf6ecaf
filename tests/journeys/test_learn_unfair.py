"""The project on the unfair model: solved by its answer, and by nothing that only looks like it."""

import pytest

from learning import Learner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "stop-the-unfair-model"
START = """
data: {file: people.csv, label: employed, protected: [sex]}
gates:
  - {metric: accuracy, at_least: 70%}
"""
ANSWER = "  - {metric: false_negative_rate, across: sex, difference_at_most: 5pp}\n"
ALL = ["fair-passes", "unfair-fails", "another-fair-passes", "another-unfair-fails"]


@pytest.fixture
def learner(tmp_path) -> Learner:
    return Learner(tmp_path)


def answers_to(learner: Learner, gates: str) -> dict[str, tuple[str, str]]:
    """What the checks say of these gates: (answer, what was said and where to look)."""
    folder = learner.folder / NAME
    if not folder.exists():
        learner.start(NAME)
    (folder / "gates.yaml").write_text(gates)
    found = learner.answers(NAME)
    return {
        name: (each["answer"], f"{each['said']} {each['next']}") for name, each in found.items()
    }


def test_a_newcomer_solves_it_by_what_the_task_says(learner):
    folder = learner.start(NAME)
    for line in ("fair", "unfair"):
        ran = learner.type("evaluate", f"{line}.onnx", "--gates", "gates.yaml", within=NAME)
        assert ran.code == 0, ran.err
        assert "PASSED" in ran.out
    first = learner.type("learn", "check", NAME)
    assert first.code == 1
    assert "Your gates let unfair.onnx pass" in first.flat
    with (folder / "gates.yaml").open("a") as gates:
        gates.write(ANSWER)
    ran = learner.type("evaluate", "unfair.onnx", "--gates", "gates.yaml", within=NAME)
    assert ran.code == 1
    assert "FAILED" in ran.out
    last = learner.type("learn", "check", NAME)
    assert last.code == 0, last.out
    assert "SOLVED" in last.out
    told = learner.type("learn", "--json").told
    standings = {skill["name"]: skill["standing"] for skill in told["skills"]}
    assert standings["group-fairness"] == standings["quality-gates"] == "done"
    assert {p["name"]: p["standing"] for p in told["projects"]}[NAME] == "solved"


def test_the_same_question_in_other_words_is_an_answer_too(learner):
    recall = ANSWER.replace("false_negative_rate", "recall").replace("5pp", "0.05")
    assert [answer for answer, _ in answers_to(learner, START + recall).values()] == ["holds"] * 4


def test_gates_that_always_pass_are_refused(learner):
    answer, said = answers_to(learner, START)["unfair-fails"]
    assert answer == "does_not_hold"
    assert "It misses 27 of 100 women who work, and 9 of 100 men." in said
    assert "No gate compares women and men" in said


def test_gates_that_always_fail_are_refused(learner):
    found = answers_to(learner, START.replace("70%", "99%") + ANSWER)
    answer, said = found["fair-passes"]
    assert answer == "does_not_hold"
    assert "Your gates stop fair.onnx: Accuracy is" in said
    assert "What stops this model stops what should be released." in said
    assert found["another-fair-passes"][0] == "later"


def test_gates_that_know_the_two_models_by_their_averages_are_refused(learner):
    """Each tells the two models of the folder apart, and looks at no group."""
    for gate in (
        "{metric: recall, at_least: 85%}",
        "{metric: calibration_in_the_large, within: 5pp}",
    ):
        found = answers_to(learner, f"{START}  - {gate}\n")
        assert found["fair-passes"][0] == found["unfair-fails"][0] == "holds", gate
        answer, said = found["another-unfair-fails"]
        assert answer == "does_not_hold", gate
        assert "They tell fair.onnx and unfair.onnx apart by something else than fairness." in said


def test_a_gate_on_what_the_city_and_not_the_model_does_is_refused(learner):
    others = ANSWER.replace("false_negative_rate", "false_positive_rate")
    answer, said = answers_to(learner, START + others)["fair-passes"]
    assert answer == "does_not_hold"
    assert "False-positive rate differs by" in said


def test_a_margin_that_the_rows_cannot_show_is_told_as_such(learner):
    answer, said = answers_to(learner, START + ANSWER.replace("5pp", "1pp"))["fair-passes"]
    assert answer == "does_not_hold"
    assert "undecided" in said
    assert "take the one of the task" in said


def test_other_rows_and_models_in_the_folder_change_nothing(learner):
    """Only the gates are the learner's: whoever makes the files agree has changed no gate."""
    folder = learner.start(NAME)
    (folder / "unfair.onnx").write_bytes(b"no model at all")
    (folder / "people.csv").write_text("employed\n1\n")
    found = answers_to(learner, START + ANSWER)
    assert {name: answer for name, (answer, _) in found.items()} == dict.fromkeys(ALL, "holds")


def test_gates_that_cannot_be_read_are_told_with_their_error(learner):
    answer, said = answers_to(learner, START.replace("accuracy", "acuracy"))["fair-passes"]
    assert answer == "cannot_see"
    assert "accuracy" in said
    assert "pilotage evaluate fair.onnx --gates gates.yaml" in said


def test_a_hint_is_followed_by_a_stronger_one(learner):
    learner.start(NAME)
    first, second, third = (learner.type("learn", "check", NAME, "--hint") for _ in range(3))
    assert "Hint: Of the people who work, the share that is missed has a name" in first.flat
    assert "Stronger hint: The line looks like this" in second.flat
    assert "Stronger hint: The line looks like this" in third.flat
    assert first.code == second.code == 1
