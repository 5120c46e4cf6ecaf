"""Calibration: bounds that hold for every model, on bins that were fixed before."""

import numpy as np
import pytest

from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.calibration import (
    binned_calibration_error,
    calibration_in_the_large,
    equal_mass_edges,
)
from pilotage.statistics.fixed.proportions import clopper_pearson

EDGES = np.arange(1, 10) / 10


def true_error(predicted: np.ndarray, rates: np.ndarray) -> float:
    """Over the bins of EDGES, from the true rate of each row."""
    bin_of = np.searchsorted(EDGES, predicted, side="right")
    off = np.abs(np.bincount(bin_of, rates - predicted, minlength=10))
    return float(off.sum() / len(predicted))


@pytest.mark.parametrize("bend", [0.0, 0.1])
def test_the_true_binned_error_lies_inside_at_least_as_often_as_stated(bend: float) -> None:
    generator = np.random.default_rng(17)
    above = below = 0
    for _ in range(500):
        predicted = generator.beta(1, 2, 400)
        rates = np.clip(predicted + bend * np.sin(6 * predicted), 0, 1)
        happened = generator.random(400) < rates
        found = binned_calibration_error(
            predicted, happened, edges=EDGES, confidence=0.9, side="two"
        )
        truth = true_error(predicted, rates)
        above += found.low > truth
        below += found.high < truth
    # Conservative: far fewer than 5 % at either end.
    assert above + below <= 25


def test_a_perfect_model_is_bounded_at_the_documented_size_and_a_bad_one_found() -> None:
    generator = np.random.default_rng(19)
    edges = equal_mass_edges(generator.beta(2, 2, 5_000))
    for rows, most in ((1_000, 0.19), (10_000, 0.06)):
        predicted = generator.beta(2, 2, rows)
        happened = generator.random(rows) < predicted
        found = binned_calibration_error(predicted, happened, edges=edges, confidence=0.95)
        assert most / 2 < found.high < most
        overconfident = np.clip(2 * predicted - 0.5, 0, 1)
        found = binned_calibration_error(
            overconfident, happened, edges=EDGES, confidence=0.95, side="lower"
        )
        assert 0.02 < found.low < 0.2


def test_one_bin_is_clopper_pearson_around_the_mean_prediction() -> None:
    predicted, happened = np.full(50, 0.4), np.arange(50) < 30
    found = binned_calibration_error(predicted, happened, edges=[], confidence=0.95)
    rate = clopper_pearson(30, 50, confidence=0.95)
    assert found.high == pytest.approx(rate.high - 0.4)
    assert found.method == "Clopper-Pearson in 1 bins"


def test_equal_mass_edges_hold_equally_many_and_fall_together_on_ties() -> None:
    spread = np.linspace(0, 1, 1_001)
    edges = equal_mass_edges(spread, bins=4)
    assert edges.tolist() == pytest.approx([0.25, 0.5, 0.75])
    assert equal_mass_edges(np.full(100, 0.3)).tolist() == [0.3]


def test_in_the_large_is_the_hedged_interval_of_outcome_minus_prediction() -> None:
    generator = np.random.default_rng(23)
    predicted = generator.random(2_000) * 0.5
    happened = generator.random(2_000) < predicted + 0.1
    found = calibration_in_the_large(predicted, happened, confidence=0.95)
    assert found == hedged_interval(happened - predicted, confidence=0.95, low=-1.0, high=1.0)
    assert 0.05 < found.low < 0.1 < found.high < 0.15
    assert calibration_in_the_large(predicted, happened, confidence=0.95, side="upper").low == -1.0


def test_no_rows_say_nothing() -> None:
    found = binned_calibration_error([], [], edges=EDGES, confidence=0.95, side="two")
    assert (found.low, found.high) == (0.0, 1.0)
    assert calibration_in_the_large([], [], confidence=0.95).width == 2.0


def test_what_is_no_probability_outcome_or_bin_is_refused() -> None:
    for predicted in ([1.2], [-0.1], [float("nan")], [[0.5]]):
        with pytest.raises(ValueError, match="probabilities"):
            calibration_in_the_large(predicted, [1], confidence=0.95)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        calibration_in_the_large([0.5], [0.5], confidence=0.95)
    with pytest.raises(ValueError, match="shape"):
        calibration_in_the_large([0.5], [1, 0], confidence=0.95)
    for edges in ([0.5, 0.5], [0.6, 0.5], np.arange(10) / 10):
        with pytest.raises(ValueError, match="edges"):
            binned_calibration_error([0.5], [1], edges=edges, confidence=0.95)
    assert len(EDGES) == 9
    with pytest.raises(ValueError, match="no predictions"):
        equal_mass_edges([])
    with pytest.raises(ValueError, match="bins is 11"):
        equal_mass_edges([0.5], bins=11)
