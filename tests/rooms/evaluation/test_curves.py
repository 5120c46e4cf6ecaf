"""Pictures' points are what scikit-learn would draw, and their bands hold."""

import numpy as np
import pytest

from pilotage.evaluation import curves
from scored import binary, multiclass, regression

metrics = pytest.importorskip("sklearn.metrics")


def test_the_curve_goes_through_scikit_learns_points():
    scored = binary(3000, noise=0.2)
    curve = curves.roc(scored, "new", 0.95)
    false, true, _ = metrics.roc_curve(scored.truth, scored.score, drop_intermediate=False)
    known = set(zip(np.round(false, 9), np.round(true, 9), strict=True))
    assert set(zip(np.round(curve.x, 9), np.round(curve.y, 9), strict=True)) <= known
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert len(curve.x) <= curves.ROC_POINTS
    assert all(
        low <= y <= high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True)
    )


def test_millions_of_rows_are_counted_by_their_first_bits(monkeypatch):
    scored = binary(5000, noise=0.3)
    exact = curves.roc(scored, "new", 0.95)
    monkeypatch.setattr(curves, "SORTED_ROWS", 10)
    counted = curves.roc(scored, "new", 0.95)
    heights = np.interp(exact.x, counted.x, counted.y)
    assert np.abs(heights - exact.y).max() < 0.02


def test_scores_below_zero_keep_their_order(monkeypatch):
    scored = binary(2000, noise=0.3, probabilities=False)
    moved = np.asarray(scored.score) * 8 - 5
    monkeypatch.setattr(curves, "SORTED_ROWS", 10)
    ranks = curves._thresholds(moved)
    order = np.argsort(-moved, kind="stable")
    assert (np.diff(ranks[order]) >= 0).all()
    assert ranks.min() == 0


def test_one_class_or_no_scores_have_no_curve():
    assert curves.roc(binary(100, scores=False), "new", 0.95) is None
    assert curves.roc(regression(100), "new", 0.95) is None
    assert curves.calibration(binary(100, probabilities=False), "new", 0.95) is None


def test_calibration_shows_shares_in_bins_of_equal_width():
    scored = binary(4000)
    curve = curves.calibration(scored, "new", 0.95)
    assert sum(curve.counts) == 4000
    assert len(curve.x) <= curves.CALIBRATION_BINS
    first = scored.score < 0.1
    assert curve.y[0] == pytest.approx(scored.truth[first].mean())


def test_confusion_counts_truth_by_answer():
    scored = multiclass()
    expected = metrics.confusion_matrix(scored.truth, scored.answer)
    assert np.array_equal(curves.confusion(scored).counts, expected)
    assert curves.confusion(regression(10)) is None
