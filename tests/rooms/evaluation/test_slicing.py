"""Slices are sorted by evidence, and chance is corrected for."""

from pilotage.evaluation.slicing import SMALLEST, slices_of
from scored import binary, regression


def test_the_slice_that_is_worse_comes_first():
    groups = {"a": (0.4, 0.85), "b": (0.4, 0.85), "c": (0.2, 0.6)}
    shown = slices_of(binary(4000, groups=groups), 0.95)
    assert shown[0].slice == "group = c"
    assert shown[0].difference < -0.1
    assert shown[0].p_value < 1e-6
    assert [one.p_value for one in shown] == sorted(one.p_value for one in shown)


def test_equal_slices_are_called_different_no_more_often_than_five_in_a_hundred():
    groups = dict.fromkeys("abcde", (0.2, 0.85))
    called = sum(
        slices_of(binary(800, seed=seed, groups=groups), 0.95)[0].p_value <= 0.05
        for seed in range(150)
    )
    # Holm over five: 5 % of 150; a correct procedure is above 20 less than once in 10,000.
    assert called <= 20


def test_a_slice_too_small_to_say_anything_is_not_shown():
    groups = {"a": (0.99, 0.85), "x": (0.004, 0.85)}
    scored = binary(1000, groups=groups)
    small = int((scored.groups["group"].codes == 1).sum())
    assert 0 < small < SMALLEST
    assert all("= x" not in one.slice for one in slices_of(scored, 0.95))


def test_no_groups_no_slices():
    assert slices_of(regression(100), 0.95) == ()
