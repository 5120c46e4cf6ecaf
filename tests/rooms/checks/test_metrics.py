"""A metric means what scikit-learn and fairlearn mean by it."""

import numpy as np
import pytest

from pilotage.checks.metrics import OBSERVED, difference_unit_of, observe, title_of, unit_of
from pilotage.checks.observed import Losses, Share, estimate_of
from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError
from pilotage.spec.gate_words import METRICS
from scored import binary, multiclass, regression

metrics = pytest.importorskip("sklearn.metrics")


def value(name, scored, **options):
    return estimate_of(observe(METRICS[name], scored, options))


TWO = binary(noise=0.2)
FOUR = multiclass()
NUMBERS = regression(off=0.3)

OF_TWO = {
    "accuracy": lambda s: metrics.accuracy_score(s.truth, s.answer),
    "error_rate": lambda s: 1 - metrics.accuracy_score(s.truth, s.answer),
    "precision": lambda s: metrics.precision_score(s.truth, s.answer),
    "recall": lambda s: metrics.recall_score(s.truth, s.answer),
    "f1": lambda s: metrics.f1_score(s.truth, s.answer),
    "balanced_accuracy": lambda s: metrics.balanced_accuracy_score(s.truth, s.answer),
    "roc_auc": lambda s: metrics.roc_auc_score(s.truth, s.score),
    "average_precision": lambda s: metrics.average_precision_score(s.truth, s.score),
    "brier_score": lambda s: metrics.brier_score_loss(s.truth, s.score),
}


@pytest.mark.parametrize("name", OF_TWO)
def test_of_two_classes_it_is_scikit_learns(name):
    assert value(name, TWO) == pytest.approx(OF_TWO[name](TWO), abs=1e-6)


OF_FOUR = {
    "accuracy": lambda s: metrics.accuracy_score(s.truth, s.answer),
    "balanced_accuracy": lambda s: metrics.balanced_accuracy_score(s.truth, s.answer),
    "f1": lambda s: metrics.f1_score(s.truth, s.answer, average="macro"),
}


@pytest.mark.parametrize("name", OF_FOUR)
def test_of_four_classes_it_is_scikit_learns(name):
    assert value(name, FOUR) == pytest.approx(OF_FOUR[name](FOUR), abs=1e-9)


def test_the_k_best_are_scikit_learns():
    expected = metrics.top_k_accuracy_score(FOUR.truth, FOUR.score, k=2)
    assert value("top_k_accuracy", FOUR, k=2) == pytest.approx(expected)


def test_log_loss_is_scikit_learns_where_nothing_is_clipped():
    expected = metrics.log_loss(FOUR.truth, FOUR.score.astype(np.float64))
    assert value("log_loss", FOUR, clip=50.0) == pytest.approx(expected, abs=1e-5)


OF_NUMBERS = {
    "mean_absolute_error": metrics.mean_absolute_error,
    "root_mean_squared_error": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
    "median_absolute_error": metrics.median_absolute_error,
}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_of_numbers_it_is_scikit_learns(name):
    expected = OF_NUMBERS[name](NUMBERS.truth, NUMBERS.answer)
    assert value(name, NUMBERS) == pytest.approx(expected)


def test_the_rates_of_groups_are_fairlearns():
    fairlearn = pytest.importorskip("fairlearn.metrics")
    ours = {
        "selection_rate": fairlearn.selection_rate,
        "true_positive_rate": fairlearn.true_positive_rate,
        "false_positive_rate": fairlearn.false_positive_rate,
        "false_negative_rate": fairlearn.false_negative_rate,
        "true_negative_rate": fairlearn.true_negative_rate,
    }
    for name, theirs in ours.items():
        assert value(name, TWO) == pytest.approx(theirs(TWO.truth, TWO.answer)), name


def test_ndcg_is_scikit_learns_mean_over_lists():
    chance = np.random.default_rng(1)
    query = np.repeat(np.arange(30), 8)
    truth = chance.integers(0, 4, 240).astype(np.float64)
    answer = truth + chance.normal(0, 2, 240)
    scored = Scored("ranking", truth, answer, None, False, (), {}, query=query)
    expected = metrics.ndcg_score(2 ** truth.reshape(30, 8) - 1, answer.reshape(30, 8))
    assert value("ndcg", scored) == pytest.approx(expected)
    first = metrics.ndcg_score(2 ** truth.reshape(30, 8) - 1, answer.reshape(30, 8), k=3)
    assert value("ndcg", scored, k=3) == pytest.approx(first)


def test_calibration_in_the_large_is_truth_minus_probability():
    expected = np.mean(TWO.truth) - np.mean(TWO.score.astype(np.float64))
    assert value("calibration_in_the_large", TWO) == pytest.approx(expected)


def test_a_clip_bounds_the_loss_and_so_gives_it_an_interval():
    observed = observe(METRICS["mean_absolute_error"], NUMBERS, {"clip": 2.0})
    assert isinstance(observed, Losses)
    assert observed.values.max() == 2.0


def test_share_within_counts_rows_on_the_tolerance():
    scored = Scored("regression", np.zeros(3), np.array([0.5, 0.500001, -0.5]), None, False, (), {})
    observed = observe(METRICS["share_within"], scored, {"tolerance": 0.5})
    assert isinstance(observed, Share)
    assert observed.successes == 2


def test_every_metric_of_answers_is_computed():
    by_load = {name for name, word in METRICS.items() if "load" in word.needs}
    assert set(METRICS) - by_load == OBSERVED


def test_a_metric_of_another_task_is_refused_with_those_that_fit():
    with pytest.raises(PilotageError, match="not defined for a model that answers numbers") as told:
        observe(METRICS["accuracy"], NUMBERS, {})
    assert "mean_absolute_error" in told.value.expected


def test_a_metric_of_scores_needs_a_model_that_gives_them():
    with pytest.raises(PilotageError, match="gives labels alone"):
        observe(METRICS["roc_auc"], binary(scores=False), {})


def test_a_metric_of_probabilities_takes_no_other_scores():
    with pytest.raises(PilotageError, match="needs probabilities"):
        observe(METRICS["brier_score"], binary(probabilities=False), {})


def test_a_metric_of_lists_needs_to_know_them():
    scored = Scored("ranking", np.ones(3), np.ones(3), None, False, (), {})
    with pytest.raises(PilotageError, match="ranked together"):
        observe(METRICS["ndcg"], scored, {})


def test_rates_without_a_row_have_no_value():
    nobody = Scored(
        "binary",
        np.zeros(5, np.int32),
        np.zeros(5, np.int32),
        None,
        False,
        ("no", "yes"),
        {},
    )
    assert value("recall", nobody) is None
    assert value("precision", nobody) is None
    assert value("f1", nobody) is None


def test_names_and_units_are_those_of_the_field():
    assert title_of("false_positive_rate") == "False-positive rate"
    assert title_of("roc_auc") == "ROC AUC"
    assert unit_of(METRICS["accuracy"]) == "%"
    assert difference_unit_of(METRICS["accuracy"]) == "pp"
    assert unit_of(METRICS["roc_auc"]) == ""
    assert unit_of(METRICS["latency_p99"]) == "ms"
