"""The sentence of a verdict: whole, true, and of the rows that it speaks of."""

from dataclasses import replace

import numpy as np
import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    DifferenceAcross,
    DropUnder,
    Gate,
    NotWorseThanBaseline,
    Perturbation,
    RatioAcross,
)
from scored import binary

NOISE = Perturbation(noise_sd=0.1)
GROUPS = {"F": (0.5, 0.7), "M": (0.5, 0.85)}
CANDIDATE = binary(4000, groups=GROUPS, noise=0.2)
ROWS = Rows(CANDIDATE, binary(4000, groups=GROUPS, noise=0.1), {NOISE: CANDIDATE})


def sentence(gate, rows=ROWS):
    found = answer_all([ask(gate, METRICS[gate.metric], rows)], 0.95)[0]
    return found.sentence.replace("\u202f", " ")


def test_it_names_the_rows_that_a_gate_is_narrowed_to():
    said = sentence(Gate("accuracy", AtLeast(0.8), where=(("group", "M"),)))
    assert said.startswith("Accuracy where group is M is ")


def test_it_names_the_settings_that_give_a_number_its_meaning():
    assert "Log loss (clip = 5) is" in sentence(Gate("log_loss", AtMost(0.6)))
    assert "(k = 1)" in sentence(Gate("top_k_accuracy", AtLeast(0.6), options=(("k", 1),)))


def test_of_a_group_it_counts_the_groups_own_rows():
    own = int(np.count_nonzero(CANDIDATE.groups["group"].codes == 0))
    said = sentence(Gate("accuracy", AtLeast(0.8), across=("group",)))
    assert "Accuracy of F is" in said
    assert f"{own:,} rows): at least 80 % in every group, failed." in said


def test_pairs_are_named_as_they_were_compared():
    apart = sentence(Gate("accuracy", DifferenceAcross(0.05), across=("group",)))
    assert " pp between M and F (" in apart
    ratio = sentence(Gate("accuracy", RatioAcross(0.95), across=("group",)))
    assert ratio.startswith("Accuracy of F is ")
    assert " times that of M (" in ratio


def test_it_says_which_way_is_better_where_less_is():
    better = sentence(Gate("brier_score", BetterThanBaseline()))
    assert better.endswith("better (lower) than the baseline, failed.")
    worse = sentence(Gate("brier_score", NotWorseThanBaseline(0.1)))
    assert "not worse (higher) than the baseline by more than 0.1, passed." in worse
    assert "grows by at most 0.1" in sentence(Gate("brier_score", DropUnder(NOISE, 0.1)))


@pytest.mark.parametrize(
    ("metric", "how"),
    [
        ("accuracy", "(each end 95 %, 4,000 rows)"),
        ("roc_auc", "(each end about 95 %, 4,000 rows)"),
        ("f1", "(each end roughly 95 %, by resampling, 4,000 rows)"),
    ],
)
def test_it_says_how_far_its_confidence_is_to_be_trusted(metric, how):
    assert how in sentence(Gate(metric, AtLeast(0.6)))


def test_weighted_rows_are_told_as_resampled():
    rows = Rows(replace(CANDIDATE, weight=np.ones(4000)))
    assert "roughly 95 %, by resampling" in sentence(Gate("accuracy", AtLeast(0.6)), rows)


def test_what_is_chance_among_many_gates_names_no_cause():
    rows = binary(2000, groups={"F": (0.5, 0.79), "M": (0.5, 0.8)})
    values = np.arange(0.75, 0.85, 0.0005)
    failing = next(
        Gate("accuracy", AtLeast(value), across=("group",))
        for value in values
        if sentence(Gate("accuracy", AtLeast(value), across=("group",)), Rows(rows)).endswith(
            "failed."
        )
    )
    others = [Gate("error_rate", AtMost(0.5))] * 9
    asked = [ask(gate, METRICS[gate.metric], Rows(rows)) for gate in (failing, *others)]
    found = answer_all(asked, 0.95)[0]
    assert found.sentence.endswith("undecided (may be chance among so many gates).")
    assert not any(one.culprit for one in found.groups)
