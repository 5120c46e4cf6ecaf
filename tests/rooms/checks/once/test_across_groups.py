"""Gates over groups: who is compared, who is named, and when nothing may be said."""

from dataclasses import replace

import numpy as np
import pytest

from pilotage.checks.once.across_groups import EVERY_PAIR
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


def test_all_pairs_are_compared_up_to_so_many_groups_and_of_more_an_error_says_what_to_do():
    for groups in (EVERY_PAIR, EVERY_PAIR + 1):
        many = binary(groups * 2)
        codes = np.arange(many.rows) % groups
        many = replace(many, groups={"group": Grouping(tuple(map(str, range(groups))), codes)})
        gate, word = difference(0.05), METRICS["false_positive_rate"]
        if groups == EVERY_PAIR:
            assert len(ask(gate, word, Rows(many)).parts) == 4950
            continue
        with pytest.raises(PilotageError, match="101 groups, too many") as caught:
            ask(gate, word, Rows(many))
        assert "against: best" in caught.value.fix


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


def test_the_sentence_is_of_a_group_that_is_open_not_of_one_that_passed():
    """Of X only 30 rows are known; F, though its estimate is lower, is shown good enough."""
    codes = np.repeat(np.array([0, 1], np.int16), [10_000, 30])
    right = np.concatenate([np.arange(10_000) % 100 < 84, np.arange(30) % 10 < 9])
    truth = np.ones(10_030, np.int32)
    groups = {"group": Grouping(("F", "X"), codes)}
    rows = Scored("binary", truth, right.astype(np.int32), None, False, ("no", "yes"), groups)
    found = answer(Gate("accuracy", AtLeast(0.8), across=("group",)), rows)
    assert isinstance(found.verdict, Undecided)
    assert [one.group for one in found.groups] == ["X", "F"]
    assert "Accuracy of X is" in found.sentence


def test_of_losses_the_group_that_grew_most_is_the_worst():
    baseline = binary(4000, groups=FAIR)
    score = baseline.score.copy()
    hurt = baseline.groups["group"].codes == 1
    score[hurt] = np.clip(score[hurt], 0.3, 0.7)
    candidate = Scored(
        "binary", baseline.truth, baseline.answer, score, True, baseline.classes, baseline.groups
    )
    gate = Gate("brier_score", NotWorseThanBaseline(0.5), across=("group",))
    found = answer(gate, candidate, baseline)
    worst = max(found.groups, key=lambda one: one.estimate)
    assert found.groups[0] == worst


def test_a_best_group_that_was_chosen_by_looking_pays_for_the_choice():
    """23 pairs are asked, but the worst of all 276 may be among them: it was chosen by looking."""
    groups = {f"{i:02}": (1.0, 0.5 if i % 2 else 0.6) for i in range(24)}
    rows = binary(4800, groups=groups)
    family = {}
    for against in ("best", "extremes", "overall"):
        gate = Gate("accuracy", DifferenceAcross(0.1), across=("group",), against=against)
        parts = ask(gate, METRICS["accuracy"], Rows(rows)).parts
        family[against] = sum(part.chosen_from for part in parts)
    assert family == {"best": 276, "extremes": 276, "overall": 24}


def test_where_that_no_row_meets_is_told():
    rows = binary(400, groups=FAIR)
    two = Grouping(("a", "b"), rows.groups["group"].codes)
    both = Scored(
        *("binary", rows.truth, rows.answer, rows.score, True, rows.classes),
        {"group": rows.groups["group"], "other": two},
    )
    where = (("group", "F"), ("other", "b"))
    for across in ((), ("group",)):
        with pytest.raises(PilotageError, match="no row has group = F and other = b"):
            answer(Gate("accuracy", AtLeast(0.5), where=where, across=across), both)


def test_compared_groups_are_shown_by_themselves_too():
    scored = binary(4000, groups=UNFAIR)
    found = answer(difference(0.05), scored)
    for member in found.members:
        inside = scored.groups["group"].codes == ("F", "M").index(member.group)
        negatives = inside & (scored.truth == 0)
        rate = (scored.answer[negatives] == 1).mean()
        assert member.estimate == pytest.approx(rate)
        assert member.low < rate < member.high
        assert member.rows == inside.sum()
    assert {member.group for member in found.members} == {"F", "M"}
    assert answer(Gate("accuracy", AtLeast(0.5), across=("group",)), scored).members == ()
