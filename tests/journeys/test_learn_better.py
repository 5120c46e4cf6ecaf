"""The project on two offers: only what the labels really say is an answer."""

import pytest

from learning import Learner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "is-it-really-better"


@pytest.fixture
def learner(tmp_path) -> Learner:
    return Learner(tmp_path)


def offered(learner: Learner, which: str, rows: str = "labels.csv") -> dict:
    """The accuracy's line in the comparison that the task names."""
    models = [f"{which}-{age}.onnx" for age in ("old", "new")]
    words = ["compare", *models, "--data", rows, "--label", "employed", "--json"]
    report = learner.type(*words, within=NAME).told
    return next(gate for gate in report["gates"] if gate["metric"] == "accuracy")


def answer(gate: dict, word: str) -> str:
    ends = (round(100 * gate["verdict"]["interval"][end], 1) for end in ("low", "high"))
    return f"{{answer: {word}, from: {next(ends)}, to: {next(ends)}}}"


def told(learner: Learner, first: str, second: str, labels: object) -> dict[str, str]:
    text = f"first: {first}\nsecond: {second}\nlabels_for_the_second: {labels}\n"
    (learner.folder / NAME / "answers.yaml").write_text(text)
    return {
        name: f"{each['answer']}: {each['said']} {each['next']}"
        for name, each in learner.answers(NAME).items()
    }


def test_it_is_solved_by_what_the_two_comparisons_say(learner):
    learner.start(NAME)
    first, second = offered(learner, "first"), offered(learner, "second")
    assert (first["verdict"]["word"], second["verdict"]["word"]) == ("passed", "undecided")
    told(learner, answer(first, "better"), answer(second, "undecided"), second["rows_needed"])
    said = learner.type("learn", "check", NAME)
    assert said.code == 0, said.out
    assert "SOLVED" in said.out
    assert "The second offer is undecided: -0.8 to +1.2 points on 1,500 labels." in said.flat
    assert "On 6,000 others it is -1.0 to -0.1 points." in said.flat


def test_what_the_colleague_wrote_is_refused(learner):
    learner.start(NAME)
    said = learner.type("learn", "check", NAME)
    assert said.code == 1
    assert "better is right for the first offer, but the interval is not 2.9 to 2.9" in said.flat
    assert "You say that the second offer is better; the 1,500 labels say something else." in (
        said.flat
    )
    assert "On 6,000 other people its accuracy differs by -1.0 to -0.1 points." in said.flat


def test_undecided_twice_is_refused(learner):
    learner.start(NAME)
    first, second = offered(learner, "first"), offered(learner, "second")
    found = told(learner, answer(first, "undecided"), answer(second, "undecided"), 1500)
    assert found["first-offer"].startswith("does_not_hold: You say that the first offer is undec")
    assert found["second-offer"].startswith("holds")
    assert found["labels"].startswith("does_not_hold: 1,500 labels would not tell")


def test_labels_that_were_copied_are_refused(learner):
    """Ten copies of each label make the interval three times narrower, and no wiser."""
    folder = learner.start(NAME)
    head, *rows = (folder / "labels.csv").read_text().splitlines()
    (folder / "many.csv").write_text("\n".join([head, *rows * 10, ""]))
    first, second = (offered(learner, which, "many.csv") for which in ("first", "second"))
    found = told(learner, answer(first, "better"), answer(second, "undecided"), 1500)
    assert found["first-offer"].startswith(
        "does_not_hold: better is right for the first offer, but"
    )
    assert "The same person copied ten times is still one label" in found["first-offer"]


def test_what_is_no_number_is_no_answer(learner):
    learner.start(NAME)
    nothing = "{answer: better, from: .nan, to: .nan}"
    found = told(learner, nothing, nothing.replace("better", "undecided"), ".nan")
    assert [said.partition(":")[0] for said in found.values()] == ["does_not_hold"] * 3


@pytest.mark.parametrize("text", ["", "first: [", "first: {answer: maybe}", "[1, 2]", "first: 3"])
def test_answers_that_cannot_be_read_are_told(learner, text):
    folder = learner.start(NAME)
    (folder / "answers.yaml").write_text(text)
    found = learner.answers(NAME)
    assert found["first-offer"]["answer"] == "cannot_see"
    assert "answers.yaml" in found["first-offer"]["said"]
