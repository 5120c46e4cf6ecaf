"""Slices by evidence: what is chance in a small slice is not shown as the clearest difference."""

import numpy as np
import pytest
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from pilotage.checks.scored import Grouping, Scored
from pilotage.evaluation.slicing import slices_of


def of(*groups):
    """Groups of (rows, right)."""
    codes = np.repeat(np.arange(len(groups), dtype=np.int16), [rows for rows, _ in groups])
    right = np.concatenate([np.arange(rows) < hits for rows, hits in groups]).astype(np.int32)
    names = tuple(f"g{i}" for i in range(len(groups)))
    truth = np.ones(len(right), np.int32)
    return Scored("binary", truth, right, None, False, ("0", "1"), {"g": Grouping(names, codes)})


def test_twenty_rows_without_a_mistake_are_chance():
    found = {one.slice: one.p_value for one in slices_of(of((10_000, 8500), (20, 20)), 0.95)}
    assert found["g = g1"] > 0.05


def test_a_large_difference_comes_first():
    shown = slices_of(of((5000, 4250), (5000, 4240), (500, 350), (20, 20)), 0.95)
    assert shown[0].slice == "g = g2"
    assert shown[0].p_value < 1e-6


@pytest.mark.parametrize("groups", [((300, 290), (25, 20)), ((400, 200), (40, 26))])
def test_two_groups_are_told_apart_as_fisher_does(groups):
    found = slices_of(of(*groups), 0.95)[0].p_value
    (n, k), (m, j) = groups
    table = [[k, n - k], [j, m - j]]
    tails = [stats.fisher_exact(table, alternative=side)[1] for side in ("less", "greater")]
    # Twice the smaller tail, and by Holm twice that for the two slices.
    assert found == pytest.approx(min(1.0, 4 * min(tails)), rel=1e-6)


def test_slices_that_are_all_right_have_no_evidence():
    assert [one.p_value for one in slices_of(of((100, 100), (50, 50)), 0.95)] == [1.0, 1.0]
