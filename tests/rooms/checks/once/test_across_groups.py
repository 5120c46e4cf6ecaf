"""Gates over groups: who is compared, who is named, and when nothing may be said."""

import numpy as np
import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.checks.scored import Grouping, Scored
from pilotage.errors import PilotageError
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import (
    AtLeast,
    DifferenceAcross,
    Gate,
    NotWorseThanBaseline,
    RatioAcross,
)
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided
from scored import binary

FAIR = {"F": (0.5, 0.85), "M": (0.5, 0.85)}
UNFAIR = {"F": (0.5, 0.70), "M": (0.5, 0.85)}


def answer(gate, candidate, baseline=None):
    asked = ask(gate, METRICS[gate.metric], Rows(candidate, baseline))
    return answer_all([asked], 0.95)[0]


def difference(at_most, **named):
    return Gate("false_positive_rate", DifferenceAcross(at_most), across=("group",), **named)


def test_a_fair_model_passes_an_unfair_one_fails():
    assert isinstance(answer(difference(0.05), binary(16_000, groups=FAIR)).verdict, Passed)
    found = answer(difference(0.05), binary(16_000, groups=UNFAIR))
    assert isinstance(found.verdict, Failed)
    assert [(one.group, one.culprit) for one in found.groups] == [("F against M", True)]
    assert "between F and M" in found.sentence


def test_the_sentence_and_the_first_pair_are_of_the_worst():
    groups = {"a": (0.3, 0.9), "b": (0.3, 0.88), "c": (0.3, 0.6)}
    found = answer(difference(0.05), binary(12_000, groups=groups))
    assert found.groups[0].estimate == found.verdict.evidence.estimate
    assert found.groups[0].group.startswith("c against")
    assert len(found.groups) == 3


def test_every_pair_must_pass_and_a_small_group_leaves_it_open():
    groups = {"F": (0.5, 0.85), "M": (0.5, 0.85), "X": (0.0005, 0.85)}
    found = answer(difference(0.10, groups_from=100), binary(16_000, groups=groups))
    assert isinstance(found.verdict, Undecided)
    assert found.verdict.because is Because.TOO_FEW
    assert "X (" in found.notes[0]


def test_a_failure_between_large_groups_is_not_hidden_by_a_small_one():
    groups = {"F": (0.5, 0.70), "M": (0.5, 0.85), "X": (0.0005, 0.85)}
    found = answer(difference(0.05, groups_from=100), binary(16_000, groups=groups))
    assert isinstance(found.verdict, Failed)


def test_a_ratio_is_shown_once_a_pair_and_the_smaller_way():
    gate = Gate("accuracy", RatioAcross(0.9), across=("group",))
    found = answer(gate, binary(8000, groups=UNFAIR))
    assert isinstance(found.verdict, Failed)
    assert [one.group for one in found.groups] == ["F against M"]
    assert found.groups[0].estimate < 1
    assert isinstance(answer(gate, binary(8000, groups=FAIR)).verdict, Passed)


@pytest.mark.parametrize(
    ("against", "pairs"),
    [("extremes", 3), ("best", 2), ("overall", 3), ("b", 2)],
)
def test_whom_groups_are_compared_with(against, pairs):
    groups = {"a": (0.3, 0.8), "b": (0.3, 0.8), "c": (0.3, 0.8)}
    found = answer(difference(0.2, against=against), binary(6000, groups=groups))
    assert len(found.groups) == pairs


def test_a_group_to_compare_with_must_be_there():
    with pytest.raises(PilotageError, match="no group of group is named Z"):
        answer(difference(0.05, against="Z"), binary(1000, groups=FAIR))


def test_one_group_alone_cannot_be_compared():
    with pytest.raises(PilotageError, match="only one group"):
        answer(difference(0.05), binary(1000))


def test_a_column_that_was_not_read_is_told():
    gate = Gate("accuracy", AtLeast(0.5), across=("age",))
    with pytest.raises(PilotageError, match="no groups of age"):
        answer(gate, binary(1000, groups=FAIR))


def test_each_group_against_a_floor_names_the_culprit():
    gate = Gate("accuracy", AtLeast(0.8), across=("group",))
    found = answer(gate, binary(8000, groups=UNFAIR))
    assert isinstance(found.verdict, Failed)
    assert [one.group for one in found.groups if one.culprit] == ["F"]
    assert found.verdict.evidence.observations == 8000
    assert "Accuracy of F is" in found.sentence


def test_each_group_is_compared_with_the_baseline_by_itself():
    baseline = binary(8000, groups=FAIR)
    changed = baseline.answer.copy()
    hurt = np.flatnonzero((baseline.groups["group"].codes == 0) & (changed == baseline.truth))
    changed[hurt[:200]] = 1 - changed[hurt[:200]]
    candidate = Scored(
        "binary",
        baseline.truth,
        changed,
        baseline.score,
        True,
        baseline.classes,
        baseline.groups,
    )
    gate = Gate("accuracy", NotWorseThanBaseline(0.01), across=("group",))
    found = answer(gate, candidate, baseline)
    assert isinstance(found.verdict, Failed)
    assert [one.group for one in found.groups if one.culprit] == ["F"]


def test_other_shapes_than_shares_are_compared_by_their_own_intervals():
    gate = Gate("roc_auc", DifferenceAcross(0.1), across=("group",))
    assert isinstance(answer(gate, binary(8000, groups=FAIR)).verdict, Passed)
    gate = Gate("brier_score", DifferenceAcross(0.02), across=("group",))
    assert isinstance(answer(gate, binary(16_000, groups=UNFAIR)).verdict, Failed)


def test_a_group_without_a_single_row_of_the_metric_is_too_few():
    rows = binary(2000, groups=FAIR)
    truth = np.where(rows.groups["group"].codes == 0, 1, rows.truth).astype(np.int32)
    scored = Scored("binary", truth, rows.answer, rows.score, True, rows.classes, rows.groups)
    verdict = answer(difference(0.05), scored).verdict
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.TOO_FEW


def test_fairness_on_the_edge_passes_and_fails_no_more_often_than_stated():
    edge = {"F": (0.5, 0.75), "M": (0.5, 0.85)}
    verdicts = [
        answer(difference(0.10), binary(800, seed=seed, groups=edge)).verdict for seed in range(200)
    ]
    # 200 runs: the score interval was measured at up to 6.3 %; beyond 15 % is no chance.
    assert sum(isinstance(verdict, Passed) for verdict in verdicts) <= 30
    assert sum(isinstance(verdict, Failed) for verdict in verdicts) <= 30


def test_groups_are_numbered_as_given():
    grouping = Grouping(("x", "y"), np.array([1, 1, 0], np.int16))
    assert grouping.names[grouping.codes[0]] == "y"
