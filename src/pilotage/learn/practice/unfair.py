"""Project: stop the unfair model. The learner writes gates; we ask what they say.

Of each kind two models are judged, one of them kept back, on other rows. The kept-back unfair one
hurts men, and is the better one by every average: so a gate passes these questions only if it
compares the groups.
"""

from typing import Final

from pilotage.learn.people import model, other_people, own_people
from pilotage.learn.practice.evaluations import GATES, Judged, judge
from pilotage.learn.practice.texting import file_of, text_of
from pilotage.learn.projects import Bench, CannotSee, Check, DoesNotHold, Finding, Holds, Project

NAME: Final = "stop-the-unfair-model"
_READ: Final = "TASK.md, “What a gate may say”"


def fair_passes(bench: Bench) -> Finding:
    """Whether the fair model of the folder gets through."""
    found = judge(bench, "fair", own_people(), shown="fair")
    if isinstance(found, CannotSee):
        return found
    if found.report.outcome == "passed":
        return Holds("fair.onnx passes every gate.", _numbers(found))
    if found.report.outcome == "undecided":
        return DoesNotHold(
            f"Your gates leave fair.onnx undecided: {_sentences(found)}",
            "These rows cannot show it for so small a margin: take the one of the task.",
            _numbers(found),
        )
    return DoesNotHold(
        f"Your gates stop fair.onnx: {_sentences(found)}",
        "What stops this model stops what should be released. Ask for what the task says, and "
        "for no more.",
        _numbers(found),
    )


def unfair_fails(bench: Bench) -> Finding:
    """Whether the unfair model of the folder is stopped, and not only undecided."""
    found = judge(bench, "unfair", own_people(), shown="unfair")
    if isinstance(found, CannotSee):
        return found
    if found.report.outcome == "failed":
        return Holds(f"unfair.onnx is stopped: {_sentences(found)}", _numbers(found))
    if found.report.outcome == "undecided":
        return DoesNotHold(
            f"unfair.onnx is only undecided: {_sentences(found)}",
            "Undecided means that the rows allow both answers; 27 % and 9 % are further apart "
            "than that. Does the gate ask about those who work?",
            _numbers(found),
        )
    return DoesNotHold(
        "Your gates let unfair.onnx pass. It misses 27 of 100 women who work, and 9 of 100 men.",
        f"No gate compares women and men in what they suffer from: being missed. {_READ}.",
        _numbers(found),
    )


def fair_stranger_passes(bench: Bench) -> Finding:
    """Whether a fair model that the learner has never seen gets through, on other people."""
    found = judge(bench, "plain_fair", other_people(), shown="another-fair-model")
    if isinstance(found, CannotSee):
        return found
    if found.report.outcome == "passed":
        return Holds("Another fair model passes, on other people.", _numbers(found))
    return DoesNotHold(
        "Another fair model, less accurate and just as even-handed, does not pass on other "
        f"people: {_sentences(found)}",
        "Your gates ask how good a model is, or for less than 5 points. Ask only how far women "
        "and men are apart, and leave the gate on accuracy as it was.",
        _numbers(found),
    )


def unfair_stranger_fails(bench: Bench) -> Finding:
    """Whether an unfair model that the learner has never seen is stopped, on other people."""
    found = judge(bench, "hurting_men", other_people(), shown="another-unfair-model")
    if isinstance(found, CannotSee):
        return found
    if found.report.outcome == "failed":
        return Holds(
            f"Another unfair model is stopped, on other people: {_sentences(found)}",
            _numbers(found),
        )
    return DoesNotHold(
        "Your gates let another unfair model pass, on other people. It misses 19 of 100 men who "
        "work and 5 of 100 women, and on every average it is better than the fair one.",
        "They tell fair.onnx and unfair.onnx apart by something else than fairness. Compare the "
        "two groups with one another, in whichever direction they differ.",
        _numbers(found),
    )


def _sentences(found: Judged) -> str:
    return " ".join(gate.sentence.rstrip(".") + "." for gate in found.stopping) or (
        "no gate said so."
    )


def _numbers(found: Judged) -> dict[str, str]:
    return {gate.title: gate.verdict.word for gate in found.report.gates}


PROJECT: Final = Project(
    name=NAME,
    title="Stop the unfair model",
    minutes=15,
    task=text_of(NAME, "TASK.md"),
    first=(
        "pilotage evaluate fair.onnx --gates gates.yaml",
        "pilotage evaluate unfair.onnx --gates gates.yaml",
    ),
    files={
        "TASK.md": file_of(NAME, "TASK.md"),
        GATES: file_of(NAME, GATES),
        "people.csv": own_people,
        "fair.onnx": model("fair"),
        "unfair.onnx": model("unfair"),
    },
    checks=(
        Check(
            "fair-passes",
            "Does the fair model pass?",
            fair_passes,
            hint="See which gate stops it: pilotage evaluate fair.onnx --gates gates.yaml. What "
            "does that gate ask for that the task does not?",
            stronger=f"Go back to the gates of the start (pilotage learn reset {NAME}): "
            "fair.onnx passes those. Then add one gate, with the margin of the task, 5pp.",
        ),
        Check(
            "unfair-fails",
            "Is the unfair model stopped?",
            unfair_fails,
            hint="Of the people who work, the share that is missed has a name: the false-negative "
            "rate. A gate may compare it across the groups of a column: " + _READ + ".",
            stronger="The line looks like this, with the words filled in: "
            "{metric: …, across: …, difference_at_most: …}. The words are in TASK.md.",
        ),
        Check(
            "another-fair-passes",
            "Does another fair model pass, on other people?",
            fair_stranger_passes,
            hint="It is right for 75 people of 100 and misses 20 of 100 women and of 100 men who "
            "work. Which of your gates is about that, and not about a difference?",
            stronger="Keep two gates: the one on accuracy as it was at the start, and one with "
            "across: sex and difference_at_most: 5pp.",
            needs=("fair-passes", "unfair-fails"),
        ),
        Check(
            "another-unfair-fails",
            "Is another unfair model stopped, on other people?",
            unfair_stranger_fails,
            hint="This one hurts men. A floor for one group, or a number over everybody, does not "
            "see it; a difference between groups does.",
            stronger="One gate is enough: metric false_negative_rate, across sex, "
            "difference_at_most 5pp.",
            needs=("fair-passes", "unfair-fails"),
        ),
    ),
    extra=("evaluate", "polars"),
)
