"""Weights: scikit-learn's numbers, and a row that counts twice is two rows."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from pilotage.checks.metrics import observe
from pilotage.checks.observed import estimate_of
from pilotage.errors import PilotageError
from pilotage.spec.gate_words import METRICS
from scored import binary, regression

WEIGHT = np.random.default_rng(7).integers(0, 4, 400).astype(np.float64)


def value(name, scored, **options):
    return estimate_of(observe(METRICS[name], scored, options))


def repeated(scored):
    rows = np.repeat(np.arange(scored.rows), WEIGHT.astype(int))
    score = None if scored.score is None else scored.score[rows]
    return replace(
        scored, truth=scored.truth[rows], answer=scored.answer[rows], score=score, groups={}
    )


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "precision",
        "false_positive_rate",
        "selection_rate",
        "f1",
        "balanced_accuracy",
        "roc_auc",
        "average_precision",
        "brier_score",
        "log_loss",
        "calibration_in_the_large",
    ],
)
def test_a_weight_of_two_is_two_rows(name):
    rows = binary(400, noise=0.2)
    assert value(name, replace(rows, weight=WEIGHT)) == pytest.approx(value(name, repeated(rows)))
    assert value(name, replace(rows, weight=WEIGHT)) != pytest.approx(value(name, rows))


@pytest.mark.parametrize("name", ["mean_absolute_error", "root_mean_squared_error", "r2"])
def test_numbers_are_weighted_too(name):
    rows = regression(400)
    assert value(name, replace(rows, weight=WEIGHT)) == pytest.approx(value(name, repeated(rows)))


def test_it_is_scikit_learns_weighted_auc():
    rows = binary(400, noise=0.3)
    expected = metrics.roc_auc_score(rows.truth, rows.score, sample_weight=WEIGHT)
    assert value("roc_auc", replace(rows, weight=WEIGHT)) == pytest.approx(expected)


def test_the_median_by_weight_is_that_of_repeated_rows():
    rows = regression(400)
    errors = np.sort(
        np.abs(rows.answer - rows.truth)[np.repeat(np.arange(400), WEIGHT.astype(int))]
    )
    found = value("median_absolute_error", replace(rows, weight=WEIGHT))
    assert found == pytest.approx(errors[(len(errors) - 1) // 2])


def test_a_calibration_error_is_not_weighted_in_silence():
    with pytest.raises(PilotageError, match="cannot be weighted"):
        value("calibration_error", replace(binary(400), weight=WEIGHT))
