"""Verdicts from samples that are looked at once."""

import pytest

from pilotage.statistics.fixed.decisions import (
    decide_equals_from_intervals,
    decide_from_intervals,
    dual,
)
from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.verdict import Because, Undecided, word_of


def bounds(low: float, high: float, confidence: float = 0.95) -> tuple[Interval, Interval]:
    return (
        Interval(low, 1.0, confidence, "a method", Guarantee.EXACT, "lower"),
        Interval(0.0, high, confidence, "a method", Guarantee.APPROXIMATE, "upper"),
    )


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [
        (0.8, 0.9, "passed", "failed"),
        (0.6, 0.7, "failed", "passed"),
        (0.7, 0.8, "undecided", "undecided"),
        (0.75, 0.8, "undecided", "undecided"),
    ],
)
def test_a_bound_beyond_the_limit_decides_and_one_on_it_does_not(
    low: float, high: float, at_least: str, at_most: str
) -> None:
    lower, upper = bounds(low, high)
    common = {"estimate": 0.75, "observations": 100}
    assert word_of(decide_from_intervals(lower, upper, at_least=0.75, **common)) == at_least
    assert word_of(decide_from_intervals(lower, upper, at_most=0.75, **common)) == at_most


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.01, 0.03, "passed"),
        (-0.03, 0.01, "undecided"),
        (-0.05, -0.01, "failed"),
        (-0.015, -0.005, "failed"),
    ],
)
def test_a_comparison_passes_against_its_margin_and_fails_against_zero(
    low: float, high: float, word: str
) -> None:
    verdict = decide_from_intervals(
        *bounds(low, high), estimate=0.0, observations=9, at_least=-0.02, fails_beyond=0.0
    )
    assert word_of(verdict) == word
    assert verdict.evidence.rule == "at least -0.02, harm below 0"


def test_the_interval_shown_is_the_dual_labelled_with_the_confidence_of_both_ends() -> None:
    verdict = decide_from_intervals(*bounds(0.8, 0.9), estimate=0.85, observations=9, at_least=0.7)
    shown = verdict.evidence.interval
    assert shown == Interval(0.8, 0.9, 0.9, "a method", Guarantee.APPROXIMATE)
    assert verdict.evidence.error_rate == 0.05


def test_a_reason_given_outweighs_the_bounds() -> None:
    verdict = decide_from_intervals(
        *bounds(0.8, 0.9), estimate=0.85, observations=9, at_least=0.7, because=Because.TOO_FEW
    )
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.TOO_FEW


@pytest.mark.parametrize(
    ("inner", "outer", "word"),
    [
        ((0.81, 0.85), (0.805, 0.855), "passed"),
        ((0.821, 0.839), (0.815, 0.845), "passed"),
        ((0.79, 0.85), (0.78, 0.86), "undecided"),
        ((0.90, 0.95), (0.89, 0.96), "failed"),
        ((0.861, 0.95), (0.859, 0.96), "undecided"),
        ((0.70, 0.75), (0.69, 0.76), "failed"),
    ],
)
def test_a_claim_is_confirmed_by_two_bounds_and_refuted_by_the_two_sided_interval(
    inner: tuple[float, float], outer: tuple[float, float], word: str
) -> None:
    two_sided = Interval(*outer, 0.95, "a method", Guarantee.EXACT)
    verdict = decide_equals_from_intervals(
        *bounds(*inner), two_sided, equals=0.83, within=0.03, estimate=0.83, observations=50
    )
    assert word_of(verdict) == word
    shown = verdict.evidence.interval
    assert shown is not None
    assert (shown.low, shown.high) == (inner if word == "passed" else outer)


def test_bounds_that_do_not_belong_together_are_refused() -> None:
    lower, upper = bounds(0.8, 0.9)
    with pytest.raises(ValueError, match="upper and lower"):
        dual(upper, lower)
    with pytest.raises(ValueError, match="different confidence"):
        dual(lower, bounds(0.8, 0.9, 0.99)[1])
    with pytest.raises(ValueError, match="exactly one"):
        decide_from_intervals(lower, upper, estimate=None, observations=1)
