"""A comparison tells better, worse or not shown, whatever the gates' own sentences say."""

from dataclasses import replace

import numpy as np
import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.evaluation.comparing import compared
from pilotage.evaluation.shown import gate_shown
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import BetterThanBaseline, Gate
from scored import binary
from simulators.comparisons import accuracy, brier, comparison

GROUPS = {"F": (0.5, 0.7), "M: old": (0.5, 0.85)}
MORE = {"F": (0.5, 0.8), "M: old": (0.5, 0.92)}
LESS = binary(4000, groups=GROUPS, noise=0.2)
BETTER = binary(4000, groups=MORE, noise=0.1)
EVERYWHERE = ("group",)


def told(candidate, baseline, *gates):
    rows = Rows(candidate, baseline)
    asked = [ask(gate, METRICS[gate.metric], rows) for gate in gates]
    return [compared(gate_shown(answer)) for answer in answer_all(asked, 0.95)]


def question(metric="accuracy", across=()):
    return Gate(metric, BetterThanBaseline(), across=across)


@pytest.mark.parametrize(
    ("candidate", "baseline", "gate", "ending"),
    [
        (BETTER, LESS, question(), " rows): better."),
        (LESS, BETTER, question(), " rows): worse."),
        (LESS, LESS, question(), " not shown to differ (both are possible)."),
        (BETTER, LESS, question("brier_score"), " rows): better (lower)."),
        (LESS, BETTER, question("brier_score"), " rows): worse (higher)."),
        (BETTER, LESS, question(across=EVERYWHERE), " rows): better in every group."),
        (LESS, BETTER, question(across=EVERYWHERE), " rows): worse."),
        (LESS, LESS, question(across=EVERYWHERE), " not shown to differ (both are possible)."),
    ],
)  # fmt: skip
def test_the_sentence_ends_with_the_answer(candidate, baseline, gate, ending):
    (shown,) = told(candidate, baseline, gate)
    assert shown.sentence.endswith(ending)
    assert "minus the baseline's is" in shown.sentence
    assert "than the baseline" not in shown.sentence


def test_machines_read_the_same_word_as_ever():
    (shown,) = told(BETTER, LESS, question())
    assert shown.verdict.word == "passed"
    assert shown.title == "Accuracy: better than the baseline"


def with_more_errors(rows, errors):
    answer = rows.answer.copy()
    right = np.flatnonzero(answer == rows.truth)[:errors]
    answer[right] = 1 - answer[right]
    return replace(rows, answer=answer)


def test_notes_and_reasons_speak_of_questions():
    worse = with_more_errors(LESS, 12)
    (alone,) = told(worse, LESS, question())
    assert alone.sentence.endswith(" rows): worse.")
    gates = [question(), *[question("roc_auc")] * 9]
    first, *_ = told(worse, LESS, *gates)
    assert first.sentence.endswith("not shown to differ (may be chance among so many questions).")
    assert first.notes == (
        "worse if asked alone, but one of so many questions may look so by chance",
    )


def test_a_group_that_may_be_worse_by_chance_is_named_so():
    (shown,) = told(with_more_errors(LESS, 15), LESS, question(across=EVERYWHERE))
    assert shown.verdict.word == "undecided"
    assert shown.notes == ("worse if looked at alone, which may be chance among so many: F",)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("passed", "employment-v7 is better than employment-v6. Accuracy minus the baseline's is"),
        ("failed", "employment-v7 is worse than employment-v6. Accuracy"),
        ("undecided", "employment-v7 is not shown to be better than employment-v6. Accuracy"),
    ],
)
def test_the_headline_is_the_answer_to_the_first_question(word, said):
    shown = comparison(accuracy(word), brier())
    assert shown.headline.startswith(said)
    assert shown.headline.endswith(" pp (each end about 95 %, 20,000 rows).")
