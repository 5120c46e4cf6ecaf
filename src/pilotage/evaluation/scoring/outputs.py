"""Which of a model's outputs is its label and which its scores, and what the task is.

Converted models say it by name (`label`, `probabilities`, `scores`, `value`). Of others, whole
numbers or text of one value a row are labels, and the only output of floats is the scores; several
are told apart by the usual names. One float a row is a number to be compared (regression) unless
the label has classes: text, booleans, or 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Axis, Signature, Tensor
from pilotage.errors import PilotageError
from pilotage.evaluation.data.labels import SHOWN_LABELS, Truth
from pilotage.spec.gates import DataSettings

SCORE_NAMES: Final = (
    *("probabilities", "probability", "output_probability", "probs", "scores", "score"),
    *("logits", "output", "value", "prediction", "y"),
)
"""Names of the output with the scores, where several outputs hold floats: the first counts."""
LABEL_NAMES: Final = ("label", "output_label", "class", "prediction")

_TRUE_FALSE: Final = {"True": "1", "False": "0"}


@dataclass(frozen=True, slots=True)
class Reading:
    """Where to look in a model's outputs: the index of the labels, of the scores, and the classes
    that the model names. `number` tells that it is known to predict a number."""

    label: int | None
    score: int | None
    classes: tuple[str, ...] = ()
    number: bool = False
    score_is_bf16: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a model's answers mean on this label.

    `classes`: () for numbers. `positive`: for two classes, the index that counts as positive.
    `width`: scores a row; 0 without scores. `flipped`: the one score is of the other class than
    the positive one. `open`: the model may answer labels that nobody has seen, which then become
    classes.
    """

    task: Literal["binary", "multiclass", "regression", "ranking"]
    classes: tuple[str, ...] = ()
    width: int = 0
    positive: int = 1
    flipped: bool = False
    open: bool = False
    notes: tuple[str, ...] = ()


def read_outputs(signature: Signature, classes: Sequence[str], *, converted: bool) -> Reading:
    """Which outputs are looked at.

    Raises:
        PilotageError: none can be judged, or it is not plain which one.
    """
    usable = [
        (index, tensor)
        for index, tensor in enumerate(signature.outputs)
        if len(_row_shape(tensor, stacked=signature.batch_axis is not None)) <= 1
    ]
    labels = [
        (index, tensor)
        for index, tensor in usable
        if DATATYPES[tensor.datatype].kind != "float"
        and _row_shape(tensor, stacked=signature.batch_axis is not None) in ((), (1,))
    ]
    scores = [(i, t) for i, t in usable if DATATYPES[t.datatype].kind == "float"]
    label = _one_of(labels, LABEL_NAMES, "labels")
    score = _one_of(scores, SCORE_NAMES, "scores")
    if label is None and score is None:
        shown = ", ".join(f"{t.name} {t.datatype} {list(t.shape)}" for t in signature.outputs)
        raise PilotageError(
            f"no output of the model can be judged row by row: {shown}",
            expected="a label, a number, or one score a class for each row",
        )
    named = label[1].categories if label is not None and label[1].categories else tuple(classes)
    return Reading(
        label=None if label is None else label[0],
        score=None if score is None else score[0],
        classes=tuple(named),
        number=converted and not named and label is None,
        score_is_bf16=score is not None and score[1].datatype == "BF16",
    )


def decide(reading: Reading, width: int, truth: Truth, settings: DataSettings) -> Decision:
    """The task, the classes and the positive one.

    Args:
        width: scores a row, as they came; 0 without scores.

    Raises:
        PilotageError: label and model do not fit together, with what would.
    """
    if settings.query_group is not None:
        return _ranking(reading, width, truth)
    names = truth.names
    classifies = not reading.number and (
        bool(reading.classes)
        or reading.label is not None
        or width > 1
        or truth.kind in ("text", "bool")
        or settings.positive is not None
        or settings.threshold is not None
        or (names is not None and set(names) <= {"0", "1"})
    )
    if not classifies:
        return _number(width, truth)
    if names is None:
        raise PilotageError(
            f"the label {truth.column!r} has too many values to be classes, and the model answers"
            " with classes",
            fix="Name the column with the classes, or evaluate a model that gives a number.",
        )
    if reading.classes:
        return _positive(_known(reading, width, truth, names), truth, settings)
    if width > 1:
        return _positive(_numbered(reading, width, truth, names), truth, settings)
    if reading.label is not None:
        return _positive(_from_labels(width, truth, names), truth, settings)
    return _positive(_one_score(truth, names, settings), truth, settings)


def matched(name: str, classes: Sequence[str]) -> str | None:
    """The class that a label's name means: itself, or 1 for True and 0 for False and back."""
    if name in classes:
        return name
    for true_false, digit in _TRUE_FALSE.items():
        for one, other in ((true_false, digit), (digit, true_false)):
            if name == one and other in classes:
                return other
    return None


def _ranking(reading: Reading, width: int, truth: Truth) -> Decision:
    if reading.score is None or width != 1:
        raise PilotageError(
            "rows are to be ranked, and the model does not give one score a row",
            expected="one output with one number a row",
        )
    if truth.kind == "text":
        raise PilotageError(
            f"rows are to be ranked, and the label {truth.column!r} is text",
            expected="a relevance: a number of 0 or more",
        )
    return Decision("ranking", width=1)


def _number(width: int, truth: Truth) -> Decision:
    if truth.kind == "text":
        truth.as_numbers()
    if width != 1:
        raise PilotageError(
            f"the model gives {width} numbers a row",
            expected="one number a row, or a label",
        )
    return Decision("regression", width=1)


def _known(reading: Reading, width: int, truth: Truth, names: tuple[str, ...]) -> Decision:
    """Classes that the model names."""
    classes = reading.classes
    strange = [name for name in names if matched(name, classes) is None]
    if len(strange) == len(names):
        raise PilotageError(
            f"no value of the label {truth.column!r} is a class of the model: {_listed(strange)}",
            expected=f"the model's classes: {_listed(classes)}",
            fix="Write the labels as the model was trained on them.",
        )
    if strange:
        raise PilotageError(
            f"{len(strange)} of {len(names)} values of the label {truth.column!r} are no classes"
            f" of the model: {_listed(strange)}",
            expected=f"the model's classes: {_listed(classes)}",
            fix="Map them to the model's classes, or leave those rows out of the data yourself.",
        )
    if width not in (0, 1, len(classes)):
        raise PilotageError(
            f"the model gives {width} scores a row, and names {len(classes)} classes"
        )
    return Decision("multiclass", classes, width)


def _numbered(reading: Reading, width: int, truth: Truth, names: tuple[str, ...]) -> Decision:
    """As many scores as classes, and no names: the label's values in their order."""
    numbers = tuple(str(index) for index in range(width))
    if set(names) <= set(numbers):
        return Decision("multiclass", numbers, width)
    if truth.kind == "bool" and width == 2:
        return Decision("multiclass", ("False", "True"), 2)
    if reading.label is not None and len(names) == width:
        note = f"the scores are taken to be of {_listed(names)}, in this order"
        return Decision("multiclass", names, width, notes=(note,))
    raise PilotageError(
        f"the model has {width} classes without names, and the label {truth.column!r} has"
        f" {len(names)} values: {_listed(names)}",
        expected=f"labels from 0 to {width - 1}: the number of the class among the model's scores",
        fix="Number the labels in the order of the model's scores.",
    )


def _from_labels(width: int, truth: Truth, names: tuple[str, ...]) -> Decision:
    """A model that answers labels and names no classes: those of the data, and what it answers."""
    if truth.kind in ("int", "float") and set(names) <= {"0", "1"}:
        return Decision("multiclass", ("0", "1"), width, open=True)
    return Decision("multiclass", names, width, open=True)


def _one_score(truth: Truth, names: tuple[str, ...], settings: DataSettings) -> Decision:
    """One float a row against two classes."""
    if set(names) <= {"0", "1"}:
        return Decision("binary", ("0", "1"), 1)
    if truth.kind == "bool":
        return Decision("binary", ("False", "True"), 1)
    if len(names) != 2:
        raise PilotageError(
            f"the model gives one number a row, and the label {truth.column!r} has"
            f" {len(names)} values: {_listed(names)}",
            expected="two labels for a score, or numbers for a regression",
        )
    if settings.positive is None:
        raise PilotageError(
            "the model gives one score a row, and nobody said of which label",
            expected=f"one of {_listed(names)}",
            fix=f"Name the positive label: positive: {names[1]} under data.",
        )
    return Decision("binary", names, 1)


def _positive(found: Decision, truth: Truth, settings: DataSettings) -> Decision:
    """The decision with its task and its positive class."""
    classes = found.classes
    if len(classes) > 2 or (len(classes) < 2 and not found.open):
        if settings.positive is not None or settings.threshold is not None:
            raise PilotageError(
                f"a positive label or a threshold needs two classes; there are {len(classes)}:"
                f" {_listed(classes)}"
            )
        return Decision("multiclass", classes, found.width, open=found.open, notes=found.notes)
    if settings.threshold is not None and not found.width:
        raise PilotageError(
            "a threshold needs scores, and the model gives labels alone",
            fix="Leave the threshold out.",
        )
    positive = len(classes) - 1
    if settings.positive is not None:
        meant = matched(settings.positive, classes)
        if meant is None:
            raise PilotageError(
                "the positive label is none of the labels", expected=_listed(classes)
            )
        positive = classes.index(meant)
    given = found.task == "binary" and truth.kind == "text"  # whose score it is was said
    return Decision(
        "binary",
        classes,
        found.width,
        positive=positive,
        flipped=found.width == 1 and positive == 0 and not given,
        open=found.open,
        notes=found.notes,
    )


def _one_of(
    found: list[tuple[int, Tensor]], names: Sequence[str], what: str
) -> tuple[int, Tensor] | None:
    if len(found) <= 1:
        return found[0] if found else None
    for name in names:
        for index, tensor in found:
            if tensor.name.lower() == name:
                return index, tensor
    raise PilotageError(
        f"several outputs of the model could be its {what}:"
        f" {', '.join(tensor.name for _, tensor in found)}",
        expected=f"one of them named {names[0]!r}",
        fix="Export the model with that name, or with one such output.",
    )


def _row_shape(tensor: Tensor, *, stacked: bool) -> tuple[Axis, ...]:
    first = tensor.shape[0] if tensor.shape else None
    return tensor.shape[1:] if stacked or first == 1 or isinstance(first, str) else tensor.shape


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_LABELS
    shown = ", ".join(f'"{name[:40]}"' for name in names[:SHOWN_LABELS])
    return shown + (f" and {more} more" if more > 0 else "")
