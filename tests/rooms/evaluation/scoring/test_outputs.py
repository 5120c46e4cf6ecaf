"""What a model's outputs mean beside a label: the task, the classes, the positive one."""

import numpy as np
import pytest

from pilotage.contracts.signature import Signature, Tensor
from pilotage.errors import PilotageError
from pilotage.evaluation.data.labels import Truth
from pilotage.evaluation.scoring.outputs import Reading, decide, read_outputs
from pilotage.spec.gates import DataSettings

X = (Tensor("x", "FP32", ("n", 2)),)


def gives(*outputs):
    return Signature(X, tuple(Tensor(*output) for output in outputs))


def truth(kind, *names):
    return Truth("y", kind, np.zeros(1), names or None)


def settled(reading, width, label, **settings):
    found = decide(reading, width, label, DataSettings(**settings))
    return found.task, found.classes, found.positive


LABEL = ("label", "INT64", ("n",))
PROBABILITIES = ("probabilities", "FP32", ("n", 3))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((LABEL, PROBABILITIES), (0, 1)),
        ((PROBABILITIES, LABEL), (1, 0)),
        ((("y", "FP32", ("n", 1)),), (None, 0)),
        ((("y", "FP32", ("n",)), ("image", "FP32", ("n", 3, 8, 8))), (None, 0)),
        ((("hidden", "FP32", ("n", 9)), ("logits", "FP32", ("n", 2))), (None, 1)),
        ((("answer", "BYTES", ("n", 1)),), (0, None)),
    ],
)
def test_labels_and_scores_are_found_by_type_and_name(outputs, expected):
    reading = read_outputs(gives(*outputs), (), converted=False)
    assert (reading.label, reading.score) == expected


@pytest.mark.parametrize(
    ("outputs", "what"),
    [
        ((("a", "FP32", ("n", 9)), ("b", "FP32", ("n", 2))), "several outputs .* scores: a, b"),
        ((("mask", "FP32", ("n", 8, 8)),), "no output of the model can be judged"),
    ],
)
def test_outputs_that_cannot_be_told_apart_are_named(outputs, what):
    with pytest.raises(PilotageError, match=what):
        read_outputs(gives(*outputs), (), converted=False)


SCORE = Reading(None, 0)
BOTH = Reading(0, 1)
KNOWN = Reading(0, 1, ("no", "yes"))


@pytest.mark.parametrize(
    ("reading", "width", "label", "expected"),
    [
        (SCORE, 1, truth("float"), ("regression", (), 1)),
        (SCORE, 1, truth("int", "0", "3", "7"), ("regression", (), 1)),
        (SCORE, 1, truth("int", "0", "1"), ("binary", ("0", "1"), 1)),
        (SCORE, 1, truth("float", "1"), ("binary", ("0", "1"), 1)),
        (SCORE, 1, truth("bool", "False", "True"), ("binary", ("False", "True"), 1)),
        (SCORE, 2, truth("int", "0", "1"), ("binary", ("0", "1"), 1)),
        (SCORE, 2, truth("bool", "True"), ("binary", ("False", "True"), 1)),
        (SCORE, 3, truth("int", "0", "2"), ("multiclass", ("0", "1", "2"), 1)),
        (BOTH, 3, truth("text", "a", "b", "c"), ("multiclass", ("a", "b", "c"), 1)),
        (KNOWN, 2, truth("text", "no", "yes"), ("binary", ("no", "yes"), 1)),
        (Reading(0, 1, ("0", "1")), 2, truth("bool", "False"), ("binary", ("0", "1"), 1)),
        (Reading(0, 1, ("False", "True")), 2, truth("int", "1"), ("binary", ("False", "True"), 1)),
        (Reading(0, None), 0, truth("text", "a", "b"), ("binary", ("a", "b"), 1)),
        (Reading(None, 0, number=True), 1, truth("int", "0", "1"), ("regression", (), 1)),
    ],
)
def test_the_task_follows_from_label_and_outputs(reading, width, label, expected):
    assert settled(reading, width, label) == expected


def test_a_query_group_makes_a_ranking():
    assert settled(SCORE, 1, truth("int", "0", "1"), query_group="q") == ("ranking", (), 1)
    with pytest.raises(PilotageError, match="one score a row"):
        settled(SCORE, 3, truth("int", "0"), query_group="q")
    with pytest.raises(PilotageError, match="is text"):
        settled(SCORE, 1, truth("text", "a"), query_group="q")


def test_the_positive_class_can_be_chosen():
    assert settled(KNOWN, 2, truth("text", "no", "yes"), positive="no")[2] == 0
    assert settled(SCORE, 1, truth("bool", "False", "True"), positive="1")[2] == 1
    assert settled(SCORE, 1, truth("text", "bad", "good"), positive="good")[1:] == (
        ("bad", "good"),
        1,
    )


@pytest.mark.parametrize(
    ("reading", "width", "label", "settings", "what"),
    [
        (Reading(0, 1, ("0", "1")), 2, truth("text", "no", "yes"), {}, "no value of the label 'y'"),
        (KNOWN, 2, truth("text", "maybe", "no", "yes"), {}, '1 of 3 values .* "maybe"'),
        (KNOWN, 2, truth("int", "0", "1"), {}, "no value of the label"),
        (KNOWN, 2, truth("text", "no", "yes"), {"positive": "y"}, "positive label is none"),
        (SCORE, 1, truth("text", "a", "b"), {}, "of which label"),
        (SCORE, 1, truth("text", "a", "b", "c"), {}, "has 3 values"),
        (SCORE, 1, truth("text", "a"), {}, "has 1 values"),
        (SCORE, 3, truth("text", "a", "b", "c"), {}, "3 classes without names"),
        (SCORE, 3, truth("int", "1", "2", "3"), {}, "3 classes without names"),
        (SCORE, 3, truth("float"), {}, "too many values to be classes"),
        (SCORE, 3, truth("int", "0"), {"threshold": 0.5}, "needs two classes; there are 3"),
        (Reading(0, None), 0, truth("text", "a", "b"), {"threshold": 0.5}, "labels alone"),
        (Reading(None, 0, number=True), 1, truth("text", "a"), {}, "is text"),
        (Reading(None, 0, number=True), 2, truth("float"), {}, "2 numbers a row"),
    ],
)
def test_a_label_that_does_not_fit_the_model_is_refused(reading, width, label, settings, what):
    with pytest.raises(PilotageError, match=what):
        settled(reading, width, label, **settings)


def test_labels_of_another_type_are_shown_beside_the_models_classes():
    with pytest.raises(PilotageError) as caught:
        settled(Reading(0, 1, ("0", "1")), 2, truth("text", "no", "yes"))
    assert '"no", "yes"' in caught.value.what
    assert '"0", "1"' in caught.value.expected
    assert caught.value.fix
