"""Probe rows: every kind is among them, and the same chance gives the same rows."""

import numpy as np

from pilotage.isolation.probes import UNSEEN, Feature, draw


def rows(*features, stored=None):
    return draw(features, np.random.default_rng(1), stored)


def test_there_are_at_least_two_thousand_rows_and_they_repeat():
    feature = Feature("x", low=0.0, high=1.0)
    assert len(rows(feature)[0]) >= 2000
    assert np.array_equal(rows(feature)[0], rows(feature)[0])


def test_a_threshold_is_probed_exactly_and_one_float_step_to_both_sides():
    (column,) = rows(Feature("x", low=0.0, high=1.0, points=[0.3]))
    point = np.float32(0.3)
    for value in (point, np.nextafter(point, np.float32(0)), np.nextafter(point, np.float32(1))):
        assert (column == value).any()


def test_a_point_known_nearly_is_probed_close_by_but_not_within_rounding():
    (column,) = rows(Feature("x", low=0.0, high=1.0, near=[0.25, 0.75]))
    distance = np.abs(column.astype(np.float64) - 0.25)
    assert (distance < 1e-4).any()
    assert distance[distance < 1e-2].min() > 1e-6


def test_values_outside_the_range_are_among_the_rows():
    (column,) = rows(Feature("x", low=0.0, high=1.0))
    assert column.min() < -1.0
    assert column.max() > 2.0


def test_missing_values_come_only_where_the_model_takes_them():
    with_missing, without = rows(Feature("x", missing=True), Feature("y"))
    assert np.isnan(with_missing).any()
    assert not np.isnan(without).any()


def test_unseen_categories_come_only_where_the_model_takes_them():
    known = ("a", "b")
    with_unseen, without = rows(
        Feature("x", text=True, categories=known, unseen=True),
        Feature("y", text=True, categories=known),
    )
    assert set(with_unseen) == {"a", "b", UNSEEN}
    assert set(without) == {"a", "b"}


def test_texts_hold_known_and_unknown_words_and_are_sometimes_empty():
    (column,) = rows(Feature("text", text=True, words=("good", "bad")))
    assert "" in set(column)
    assert any("good" in text for text in column)
    assert any(UNSEEN in text for text in column)


def test_stored_rows_and_points_half_way_between_them_are_among_the_rows():
    stored = np.array([[0.0, 0.0], [8.0, 4.0]])
    table = np.stack(rows(Feature("x"), Feature("y"), stored=stored), axis=1)
    for row in ([8.0, 4.0], [4.0, 2.0], [0.0, 0.0]):
        assert (table == row).all(axis=1).any()
