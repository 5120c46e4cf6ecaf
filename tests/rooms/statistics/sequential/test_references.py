"""A frozen feature: its bins, and where values fall."""

import numpy as np
import pytest

from pilotage.statistics.sequential.references import BINS, Reference


def test_numbers_get_bins_of_equal_mass() -> None:
    reference = Reference.of_numbers(
        np.random.default_rng(1).permutation(6_400.0 - np.arange(6400))
    )
    assert len(reference.masses) == BINS
    assert reference.masses == pytest.approx([1 / BINS] * BINS)
    assert reference.rows == 6_400


def test_ties_make_fewer_bins_whose_masses_are_those_seen() -> None:
    reference = Reference.of_numbers([0.0] * 70 + [1.0] * 20 + [2.0] * 10)
    assert reference.masses == pytest.approx([0.7, 0.2, 0.1, 0.0])
    assert reference.histograms([0.0, 0.5, 1.0, 2.0, 3.0, np.nan]).tolist() == [1, 2, 1, 1, 1]


def test_values_beyond_the_reference_and_missing_ones_have_bins() -> None:
    reference = Reference.of_numbers(np.arange(1_000.0))
    found = reference.histograms([-np.inf, np.inf, np.nan, np.nan])
    assert (found[0], found[-2], found[-1], found.sum()) == (1, 1, 2, 4)


def test_missing_values_are_no_part_of_a_reference() -> None:
    values = np.arange(100.0)
    with_missing = np.concatenate([values, [np.nan] * 50])
    assert Reference.of_numbers(with_missing) == Reference.of_numbers(values)
    assert Reference.of_categories(["a", None, "b", float("nan")]).rows == 2


def test_categories_are_the_most_frequent_ones_and_other() -> None:
    values = [f"c{i}" for i in range(100) for _ in range(200 - i)]
    reference = Reference.of_categories(values)
    assert len(reference.masses) == BINS
    assert reference.categories == tuple(f"c{i}" for i in range(BINS - 1))
    assert sum(reference.masses) == pytest.approx(1.0)
    found = reference.histograms(["c0", "c62", "c63", "new", None, float("nan")])
    assert (found[0], found[62], found[63], found[64]) == (1, 1, 2, 2)


def test_a_category_never_seen_has_a_bin_even_if_there_are_few() -> None:
    reference = Reference.of_categories(["a"] * 3 + ["b"])
    assert reference.masses == (0.75, 0.25, 0.0)
    assert reference.histograms(["new"]).tolist() == [0, 0, 1, 0]


def test_equally_frequent_categories_have_an_order_that_rows_do_not_change() -> None:
    assert Reference.of_categories(["b", "a"]) == Reference.of_categories(["a", "b"])


def test_each_run_has_a_histogram_of_its_own() -> None:
    reference = Reference.of_numbers(np.arange(1_000.0))
    values = np.random.default_rng(2).uniform(0, 1_000, (2, 3, 50))
    found = reference.histograms(values, (2, 3))
    assert found.shape == (2, 3, BINS + 1)
    assert np.array_equal(found[1, 2], reference.histograms(values[1, 2]))
    with pytest.raises(ValueError, match="shape"):
        reference.histograms(values, (3, 2))


def test_a_reference_is_told_from_another_by_a_short_digest() -> None:
    one, other = Reference.of_numbers(np.arange(1_000.0)), Reference.of_numbers(np.arange(999.0))
    assert len(repr(one)) == len("Reference(sha256=)") + 64
    assert repr(one) == repr(Reference.of_numbers(np.arange(1_000.0)))
    assert repr(one) != repr(other)


@pytest.mark.parametrize("values", [[], [np.nan]])
def test_a_reference_needs_a_value(values) -> None:
    with pytest.raises(ValueError, match="not missing"):
        Reference.of_numbers(values)
    with pytest.raises(ValueError, match="not missing"):
        Reference.of_categories(values)


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_a_missing_limit_is_a_rate(limit) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Reference.of_numbers([1.0], missing_limit=limit)
