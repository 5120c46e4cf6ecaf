"""Project: is it really better? The learner answers; `pilotage compare` on our labels says so too.

The first offer is decided by the labels. The second looks better on them and is worse on the
people who are kept back, so that only "undecided" is right.
"""

import math
from collections.abc import Callable
from typing import Any, Final, Literal, cast

import msgspec
from msgspec import Struct, field

from pilotage.evaluation.report import GateShown, Report
from pilotage.learn.people import model, other_people, rows_as_csv
from pilotage.learn.practice.texting import file_of, text_of
from pilotage.learn.projects import Bench, CannotSee, Check, DoesNotHold, Finding, Holds, Project

NAME: Final = "is-it-really-better"
ANSWERS: Final = "answers.yaml"
LABELS: Final = 1_500
OFFERS: Final = {
    "first": ("two_columns", "every_column"),
    "second": ("four_columns", "no_schooling"),
}
WORDS: Final = {"passed": "better", "failed": "worse", "undecided": "undecided"}
"""What a comparison's verdict is called here."""
POINTS_OFF: Final = 0.1
"""How far an end of an interval may be off, in percentage points: it is typed from a screen."""
LABELS_OFF: Final = 0.1
"""How far the number of labels may be off, as a share."""


class Offer(Struct, frozen=True):
    """What was answered on one offer; the interval in percentage points."""

    answer: Literal["better", "worse", "undecided"]
    low: float = field(name="from")
    high: float = field(name="to")


def labels() -> bytes:
    """The labels that there is money for."""
    return rows_as_csv(0, LABELS)


def looks_at(which: str) -> Callable[[Bench], Finding]:
    """The look at the answer to one offer."""

    def look(bench: Bench) -> Finding:
        answers = _read(bench)
        if isinstance(answers, CannotSee):
            return answers
        mine = _offer(answers, which)
        if isinstance(mine, CannotSee):
            return mine
        gate = compared(bench, which, labels())
        return _judged(bench, which, mine, gate)

    return look


def _judged(bench: Bench, which: str, mine: Offer, gate: GateShown) -> Finding:
    low, high = _points(gate)
    right = WORDS[gate.verdict.word]
    if mine.answer != right:
        later = compared(bench, which, other_people())
        return DoesNotHold(
            f"You say that the {which} offer is {mine.answer}; the {LABELS:,} labels say something "
            f"else. On 6,000 other people its accuracy differs by {_between(later)}.",
            "Where no difference lies inside the interval, the labels allow both answers. Where "
            "the whole interval lies on one side of it, they do not.",
        )
    off = max(abs(mine.low - low), abs(mine.high - high))
    if not (off <= POINTS_OFF and math.isfinite(mine.low) and math.isfinite(mine.high)):
        return DoesNotHold(
            f"{right} is right for the {which} offer, but the interval is not {mine.low:g} to "
            f"{mine.high:g} points on labels.csv as it was laid down.",
            "It stands in the line on accuracy, in pp. The same person copied ten times is still "
            "one label, and other rows are other labels.",
        )
    later = compared(bench, which, other_people())
    return Holds(
        f"The {which} offer is {right}: {_between(gate)} on {LABELS:,} labels. "
        f"On 6,000 others it is {_between(later)}."
    )


def labels_are_known(bench: Bench) -> Finding:
    """Whether the learner knows what the second decision would cost."""
    answers = _read(bench)
    if isinstance(answers, CannotSee):
        return answers
    mine = answers.get("labels_for_the_second")
    if isinstance(mine, bool) or not isinstance(mine, int | float):
        return CannotSee(f"{ANSWERS} has no number of labels.", "labels_for_the_second: NUMBER")
    needed = compared(bench, "second", labels()).rows_needed or 0
    if not abs(mine - needed) <= LABELS_OFF * needed:  # so that no number is none
        return DoesNotHold(
            f"{mine:,.0f} labels would not tell, or are far more than it takes.",
            "The comparison says it below its interval, if the difference is as large as it looks.",
        )
    return Holds(f"About {needed:,} labels, if the difference is as large as it looks.")


def compared(bench: Bench, which: str, people: bytes) -> GateShown:
    """What `pilotage compare` says about accuracy, of our models on our rows."""
    old, new = OFFERS[which]
    files = {f"{which}-old": old, f"{which}-new": new}
    for shown, name in files.items():
        (bench.scratch / f"{shown}.onnx").write_bytes(model(name)())
    rows = bench.scratch / "labels.csv"
    rows.write_bytes(people)
    models = [str(bench.scratch / f"{shown}.onnx") for shown in files]
    ran = bench.run("compare", *models, "--data", str(rows), "--label", "employed", "--json")
    report = msgspec.json.decode(ran.out, type=Report)
    return next(gate for gate in report.gates if gate.metric == "accuracy")


def _points(gate: GateShown) -> tuple[float, float]:
    interval = gate.verdict.interval
    if interval is None or interval.low is None or interval.high is None:
        raise ValueError("a paired share has an interval with two ends")
    return 100 * interval.low, 100 * interval.high


def _between(gate: GateShown) -> str:
    low, high = _points(gate)
    return f"{low:+.1f} to {high:+.1f} points"


def _read(bench: Bench) -> dict[str, Any] | CannotSee:
    """The file of answers, as far as it is one."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = bench.folder / ANSWERS
    try:
        found: object = YAML(typ="safe").load(file.read_bytes())  # pyright: ignore[reportUnknownMemberType]
    except FileNotFoundError:
        return CannotSee(
            f"There is no {ANSWERS} in {bench.folder}.", f"pilotage learn reset {NAME}"
        )
    except (YAMLError, ValueError) as error:
        first = str(error).splitlines()[-1].strip()
        return CannotSee(f"{ANSWERS} cannot be read: {first}", "Mend it as YAML.")
    if not isinstance(found, dict):
        return CannotSee(f"{ANSWERS} has no answers.", "Write them as in the file of the start.")
    return cast("dict[str, Any]", found)


def _offer(answers: dict[str, Any], which: str) -> Offer | CannotSee:
    try:
        return msgspec.convert(answers.get(which), type=Offer)
    except msgspec.ValidationError:
        return CannotSee(
            f"{ANSWERS} has no answer to the {which} offer.",
            f"{which}: {{answer: better, worse or undecided, from: POINTS, to: POINTS}}",
        )


def _begin(which: str) -> str:
    return f"pilotage compare {which}-old.onnx {which}-new.onnx --data labels.csv --label employed"


PROJECT: Final = Project(
    name=NAME,
    title="Is it really better?",
    minutes=15,
    task=text_of(NAME, "TASK.md"),
    first=(_begin("first"), _begin("second")),
    files={
        "TASK.md": file_of(NAME, "TASK.md"),
        ANSWERS: file_of(NAME, ANSWERS),
        "labels.csv": labels,
        **{
            f"{which}-{age}.onnx": model(name)
            for which, names in OFFERS.items()
            for age, name in zip(("old", "new"), names, strict=True)
        },
    },
    checks=(
        Check(
            "first-offer",
            "Is the answer to the first offer what the labels say?",
            looks_at("first"),
            hint=f"Run it and read the line on accuracy: {_begin('first')}",
            stronger="The interval stands before “pp”: its lower end is `from`, its upper end "
            "`to`. Both lie above 0 here.",
        ),
        Check(
            "second-offer",
            "Is the answer to the second offer what the labels say?",
            looks_at("second"),
            hint=f"Run it and look on which side of 0 the interval lies: {_begin('second')}",
            stronger="It lies on both sides: the labels allow both, and the answer has a word.",
        ),
        Check(
            "labels",
            "Do you know how many labels the second would take?",
            labels_are_known,
            hint="The comparison of the second offer tells it, in the line below its interval.",
            stronger="“About … rows would tell”: that is the number.",
        ),
    ),
    extra=("evaluate", "polars"),
)
