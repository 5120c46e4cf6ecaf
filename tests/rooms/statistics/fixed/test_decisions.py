"""Verdicts from samples that are looked at once."""

import pytest

from pilotage.statistics.fixed.decisions import (
    decide_difference,
    decide_equals_from_intervals,
    decide_from_intervals,
    decide_paired,
    decide_proportion,
    decide_proportion_equals,
    decide_ratio,
    dual,
)
from pilotage.statistics.fixed.proportions import clopper_pearson
from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.verdict import Because, Undecided, word_of
from simulators.every_table import binomial


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


@pytest.mark.parametrize(
    ("successes", "limit", "word"),
    [(1_700, 0.8, "passed"), (1_610, 0.8, "undecided"), (1_500, 0.8, "failed")],
)
def test_a_proportion_is_judged_by_its_exact_bounds(
    successes: int, limit: float, word: str
) -> None:
    verdict = decide_proportion(successes, 2_000, at_least=limit, confidence=0.95)
    assert word_of(verdict) == word
    evidence = verdict.evidence
    assert evidence.estimate == successes / 2_000
    # The two-sided interval at 90 % has the ends of both one-sided bounds at 95 %.
    both = clopper_pearson(successes, 2_000, confidence=0.9)
    assert evidence.interval is not None
    assert (evidence.interval.low, evidence.interval.high) == pytest.approx((both.low, both.high))
    mirrored = decide_proportion(2_000 - successes, 2_000, at_most=1 - limit, confidence=0.95)
    assert word_of(mirrored) == word


def test_neither_answer_about_a_proportion_is_wrong_more_often_than_stated() -> None:
    for trials in (20, 100, 400):
        words = [
            word_of(decide_proportion(k, trials, at_least=0.9, confidence=0.95))
            for k in range(trials + 1)
        ]
        chances = binomial(trials, 0.9)
        for word in ("passed", "failed"):
            assert sum(chances[k] for k, said in enumerate(words) if said == word) <= 0.05


def test_a_perfect_sample_never_fails_a_limit_of_one_and_a_flaw_does() -> None:
    assert word_of(decide_proportion(500, 500, at_least=1.0, confidence=0.95)) == "undecided"
    assert word_of(decide_proportion(0, 500, at_most=0.0, confidence=0.95)) == "undecided"
    assert word_of(decide_proportion(499, 500, at_least=1.0, confidence=0.95)) == "failed"


def test_a_claim_about_a_proportion_is_confirmed_refuted_or_left_open() -> None:
    def said(successes: int, trials: int) -> str:
        return word_of(
            decide_proportion_equals(successes, trials, equals=0.83, within=0.01, confidence=0.95)
        )

    assert said(16_600, 20_000) == "passed"
    assert said(16_000, 20_000) == "failed"
    assert said(166, 200) == "undecided"


def test_a_true_claim_is_refuted_and_a_false_one_confirmed_as_seldom_as_stated() -> None:
    trials = 3_000
    words = [
        word_of(decide_proportion_equals(k, trials, equals=0.5, within=0.02, confidence=0.95))
        for k in range(trials + 1)
    ]
    for truth, wrong in ((0.52, "failed"), (0.5, "failed"), (0.52, "passed"), (0.48, "passed")):
        chances = binomial(trials, truth)
        assert sum(chances[k] for k, said in enumerate(words) if said == wrong) <= 0.05


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ((150, 1_000, 145, 1_000), "passed"),
        ((180, 1_000, 145, 1_000), "undecided"),
        ((250, 1_000, 145, 1_000), "failed"),
        ((0, 2_000, 0, 2_000), "passed"),
        ((0, 300, 2, 300), "passed"),
    ],
)
def test_a_difference_between_groups_is_judged_by_both_ends(
    counts: tuple[int, int, int, int], word: str
) -> None:
    assert word_of(decide_difference(*counts, at_most=0.05, confidence=0.95)) == word


def test_a_ratio_is_judged_by_both_ends() -> None:
    assert word_of(decide_ratio(480, 1_000, 500, 1_000, at_least=0.8, confidence=0.95)) == "passed"
    assert word_of(decide_ratio(410, 1_000, 500, 1_000, at_least=0.8, confidence=0.95)) == (
        "undecided"
    )
    assert word_of(decide_ratio(300, 1_000, 500, 1_000, at_least=0.8, confidence=0.95)) == "failed"


def test_a_candidate_passes_against_the_margin_and_fails_against_no_difference() -> None:
    def said(better_only: int, worse_only: int) -> str:
        return word_of(
            decide_paired(better_only, worse_only, 2_000, not_worse_by=0.02, confidence=0.95)
        )

    assert said(100, 100) == "passed"
    assert said(92, 114) == "undecided"
    assert said(60, 140) == "failed"
    # Shown worse, though by less than the margin: harm comes first.
    assert said(2, 16) == "failed"
    assert said(0, 0) == "passed"


@pytest.mark.parametrize(("rows", "because"), [(19, Because.TOO_FEW), (0, Because.NO_DATA)])
def test_a_group_below_twenty_rows_decides_nothing(rows: int, because: Because) -> None:
    for verdict in (
        decide_difference(rows, rows, 10, 1_000, at_most=0.05, confidence=0.95),
        decide_ratio(0, rows, 900, 1_000, at_least=0.8, confidence=0.95),
        decide_paired(0, rows, rows, not_worse_by=0.02, confidence=0.95),
    ):
        assert isinstance(verdict, Undecided)
        assert verdict.because is because
    assert word_of(decide_difference(20, 20, 10, 1_000, at_most=0.05, confidence=0.95)) == "failed"


def test_too_few_events_are_told_from_evidence_that_straddles() -> None:
    few = decide_difference(1, 40, 1, 40, at_most=0.02, confidence=0.95)
    assert isinstance(few, Undecided)
    assert few.because is Because.TOO_FEW
    many = decide_difference(400, 1_000, 390, 1_000, at_most=0.02, confidence=0.95)
    assert isinstance(many, Undecided)
    assert many.because is Because.STRADDLES
