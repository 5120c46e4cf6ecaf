"""The plan says what a gate then does: its numbers, tried on gates that are asked."""

import numpy as np
import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.checks.once.planning import NO_FORMULA, plan
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    DifferenceAcross,
    DropUnder,
    Equals,
    Gate,
    GateFile,
    NotWorseThanBaseline,
    Perturbation,
    RatioAcross,
    Within,
)
from pilotage.statistics.fixed.groups import group_difference_ends, group_ratio_ends
from pilotage.statistics.verdict import Failed, Passed
from scored import binary


def planned(gate):
    return plan(GateFile((gate,)))[0]


def rows_of(gate, truth, answer):
    effects = {
        (one.truth.replace("\u202f", " "), one.answer): one.rows for one in planned(gate).effects
    }
    return effects[truth, answer]


@pytest.mark.parametrize(
    ("truth", "answer", "kind"), [(0.82, "passes", Passed), (0.78, "fails", Failed)]
)
def test_a_planned_floor_is_decided_with_four_in_five(truth, answer, kind):
    gate = Gate("accuracy", AtLeast(0.8))
    rows = rows_of(gate, f"{truth:.0%}".replace("%", " %"), answer)
    decided = 0
    for seed in range(200):
        asked = ask(gate, METRICS["accuracy"], Rows(binary(rows, seed, truth)))
        decided += isinstance(answer_all([asked], 0.95)[0].verdict, kind)
    # 80 % of 200, give or take five standard errors.
    assert 132 <= decided <= 188


@pytest.mark.parametrize(
    ("gate", "truth", "ends", "low", "high"),
    [
        (
            Gate("recall", DifferenceAcross(0.05), across=("sex",)),
            "no difference",
            group_difference_ends,
            -0.05,
            0.05,
        ),
        (
            Gate("selection_rate", RatioAcross(0.8), across=("sex",)),
            "equal rates",
            group_ratio_ends,
            0.8,
            1.25,
        ),
    ],
)
def test_two_equal_groups_of_the_planned_rows_pass_with_four_in_five(gate, truth, ends, low, high):
    each = rows_of(gate, truth, "passes") // 2
    events = np.random.default_rng(1).binomial(each, 0.2, (2, 2_000))
    found = ends(events[0], each, events[1], each, error_rate=0.05)
    passed = np.mean((found.low > low) & (found.high < high))
    # Planned by normal approximation; with 2,000 runs the standard error is 0.9 %.
    assert 0.76 <= passed <= 0.86


def test_smaller_effects_need_more_rows():
    gate = Gate("error_rate", AtMost(0.1))
    passing = [one.rows for one in planned(gate).effects if one.answer == "passes"]
    assert passing == sorted(passing, reverse=True)


@pytest.mark.parametrize(
    "gate",
    [
        Gate("accuracy", Equals(0.83, 0.01)),
        Gate("calibration_in_the_large", Within(0.02)),
        Gate("roc_auc", AtLeast(0.85)),
        Gate("accuracy", NotWorseThanBaseline(0.01)),
        Gate("accuracy", BetterThanBaseline()),
        Gate("accuracy", DropUnder(Perturbation(missing=0.05), 0.03)),
        Gate("false_positive_rate", DifferenceAcross(0.05), across=("sex",)),
        Gate("selection_rate", RatioAcross(0.8), across=("race",)),
    ],
)
def test_every_kind_of_gate_has_its_numbers(gate):
    found = planned(gate)
    assert found.assumed
    assert all(one.rows and one.rows > 0 for one in found.effects)
    assert {one.answer for one in found.effects} <= {"passes", "fails"}
    assert found.effects


@pytest.mark.parametrize(
    "name", ["f1", "r2", "average_precision", "balanced_accuracy", "calibration_error"]
)
def test_what_has_no_formula_says_so(name):
    found = planned(Gate(name, AtLeast(0.5)))
    assert (found.effects, found.assumed) == ((), NO_FORMULA)


@pytest.mark.parametrize(
    "gate",
    [
        Gate("precision", NotWorseThanBaseline(0.01)),
        Gate("balanced_accuracy", BetterThanBaseline()),
        Gate("calibration_error", DifferenceAcross(0.05), across=("sex",)),
        Gate("mean_absolute_error", RatioAcross(0.8), across=("sex",)),
    ],
)
def test_a_comparison_of_what_counts_no_rows_has_no_formula(gate):
    assert planned(gate).assumed == NO_FORMULA


def test_load_is_not_planned_in_rows():
    assert "load" in planned(Gate("latency_p99", AtMost(0.02), rate_per_s=100)).assumed
