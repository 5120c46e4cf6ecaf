"""A sample that is looked at once goes in, with a rule; a verdict comes out.

The semantics are those of `verdict`: P(passed | BAD) <= alpha and P(failed | GOOD) <= alpha, each
by a one-sided test at alpha = 1 - confidence, without a split: exactly where the bounds are exact,
near it where their guarantee is APPROXIMATE. The interval in the evidence is the
verdict's dual: each of its ends holds at `confidence`, both together at 2 * confidence - 1, and it
is labelled so. A verdict falls exactly when that interval lies beyond the limit.
"""

from pilotage.statistics.fixed.groups import group_difference_interval, group_ratio_interval
from pilotage.statistics.fixed.paired import paired_interval
from pilotage.statistics.fixed.proportions import clopper_pearson
from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.verdict import (
    Because,
    Evidence,
    Failed,
    Passed,
    Undecided,
    Verdict,
    decide,
)

INDEPENDENT = "rows are independent"

ROWS_FROM = 20
"""Rows of each group, or of both models, from which two proportions are compared at all."""


def decide_proportion(
    successes: int,
    trials: int,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    confidence: float,
    unit: str = "row",
) -> Verdict:
    """Passed when the true proportion is at least (or at most) the limit, failed when it is not.

    By Clopper-Pearson's one-sided bounds, which hold at every sample size.

    Raises:
        ValueError: not exactly one limit, successes outside [0, trials], or a confidence outside
            (0, 1).
    """
    return decide_from_intervals(
        clopper_pearson(successes, trials, confidence=confidence, side="lower"),
        clopper_pearson(successes, trials, confidence=confidence, side="upper"),
        estimate=successes / trials if trials else None,
        observations=trials,
        at_least=at_least,
        at_most=at_most,
        unit=unit,
        assumptions=(INDEPENDENT,),
    )


def decide_proportion_equals(
    successes: int,
    trials: int,
    *,
    equals: float,
    within: float,
    confidence: float,
    unit: str = "row",
) -> Verdict:
    """Passed when a claimed proportion is confirmed, failed when it is refuted, by Clopper-Pearson.

    Confirmed within `within`, as `decide_equals_from_intervals` says.
    """
    return decide_equals_from_intervals(
        clopper_pearson(successes, trials, confidence=confidence, side="lower"),
        clopper_pearson(successes, trials, confidence=confidence, side="upper"),
        clopper_pearson(successes, trials, confidence=confidence),
        equals=equals,
        within=within,
        estimate=successes / trials if trials else None,
        observations=trials,
        unit=unit,
        assumptions=(INDEPENDENT,),
    )


def decide_difference(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    at_most: float,
    fails_beyond: float | None = None,
    confidence: float,
    unit: str = "row",
) -> Verdict:
    """Passed when group a's proportion exceeds group b's by less than `at_most`.

    Failed when it exceeds it by more, or by more than `fails_beyond`. Near the stated error rate:
    `groups` tells how near. Undecided with fewer than 20 rows in a group.
    """
    counts = (successes_a, trials_a, successes_b, trials_b)
    estimate = successes_a / trials_a - successes_b / trials_b if trials_a and trials_b else None
    verdict = decide_from_intervals(
        group_difference_interval(*counts, confidence=confidence, side="lower"),
        group_difference_interval(*counts, confidence=confidence, side="upper"),
        estimate=estimate,
        observations=trials_a + trials_b,
        at_most=at_most,
        fails_beyond=fails_beyond,
        unit=unit,
        rule="" if fails_beyond is not None else f"difference at most {at_most:g}",
        assumptions=(INDEPENDENT,),
        because=_few(trials_a, trials_b),
    )
    return _few_if_exact(verdict)


def decide_ratio(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    *,
    at_least: float,
    fails_beyond: float | None = None,
    confidence: float,
    unit: str = "row",
) -> Verdict:
    """Passed when group a's proportion is more than `at_least` times group b's, failed when less.

    Near the stated error rate: `groups` tells how near. Undecided with fewer than 20 rows in a
    group. The four-fifths rule is `at_least=0.8`, with a the group of the smaller proportion.
    """
    counts = (successes_a, trials_a, successes_b, trials_b)
    defined = trials_a and trials_b and successes_b
    verdict = decide_from_intervals(
        group_ratio_interval(*counts, confidence=confidence, side="lower"),
        group_ratio_interval(*counts, confidence=confidence, side="upper"),
        estimate=(successes_a / trials_a) / (successes_b / trials_b) if defined else None,
        observations=trials_a + trials_b,
        at_least=at_least,
        fails_beyond=fails_beyond,
        unit=unit,
        rule="" if fails_beyond is not None else f"ratio at least {at_least:g}",
        assumptions=(INDEPENDENT,),
        because=_few(trials_a, trials_b),
    )
    return _few_if_exact(verdict)


def decide_paired(
    better_only: int,
    worse_only: int,
    trials: int,
    *,
    not_worse_by: float,
    fails_beyond: float = 0.0,
    confidence: float,
    unit: str = "row",
) -> Verdict:
    """Passed when the candidate is worse than the baseline by less than `not_worse_by`.

    Failed when it is shown worse at all (or worse than `fails_beyond`, a difference candidate minus
    baseline). On the same rows, by Tango's score test, or exact bounds where few rows differ; near
    the stated error rate, `paired` tells how near. Undecided with fewer than 20 rows.

    Args:
        better_only, worse_only: rows on which only the candidate, only the baseline was right.
        trials: all rows.
    """
    counts = (better_only, worse_only, trials)
    verdict = decide_from_intervals(
        paired_interval(*counts, confidence=confidence, side="lower"),
        paired_interval(*counts, confidence=confidence, side="upper"),
        estimate=(better_only - worse_only) / trials if trials else None,
        observations=trials,
        at_least=-not_worse_by,
        fails_beyond=fails_beyond,
        unit=unit,
        rule=f"worse by less than {not_worse_by:g}",
        assumptions=(INDEPENDENT, "both models answered the same rows"),
        because=_few(trials),
    )
    return _few_if_exact(verdict)


def decide_from_intervals(
    lower_sided: Interval,
    upper_sided: Interval,
    *,
    estimate: float | None,
    observations: int,
    at_least: float | None = None,
    at_most: float | None = None,
    fails_beyond: float | None = None,
    unit: str = "row",
    rule: str = "",
    assumptions: tuple[str, ...] = (),
    because: Because | None = None,
) -> Verdict:
    """Passed when the bound on the good side is beyond the limit, failed when the other one is.

    With `at_least`, passed when the lower bound is above it, failed when the upper bound is below
    `fails_beyond`; with `at_most` the mirror image. `fails_beyond` is the limit itself unless
    given: a comparison with a margin passes against the margin and fails against 0. Where both
    happen (shown worse, though by less than the margin), failed. A bound on the limit decides
    nothing, so that no verdict comes from an end that is the edge of what is possible.

    Use it for any quantity that has one-sided bounds: an AUC, a bounded mean, a quantile. Error
    rates are those of the bounds.

    Args:
        lower_sided: the bound from below, `side="lower"`, at the verdict's confidence.
        upper_sided: the bound from above, `side="upper"`, at the same confidence.
        observations: counted in `unit`.
        rule: what was asked, in one line; written from the limits if empty.
        because: why there is no decision whatever the bounds say (too few rows, say).

    Raises:
        ValueError: not exactly one of `at_least` and `at_most`, or bounds that do not belong
            together.
    """
    limit = _the_limit(at_least, at_most)
    beyond = limit if fails_beyond is None else fails_beyond
    evidence = Evidence(
        estimate=estimate,
        interval=dual(lower_sided, upper_sided),
        observations=observations,
        unit=unit,
        rule=rule or _rule(at_least, at_most, fails_beyond),
        method=lower_sided.method,
        error_rate=_error_rate(lower_sided),
        assumptions=assumptions,
    )
    if because is not None:
        return Undecided(evidence, because)
    if at_least is not None:
        return decide(lower_sided.low > limit, upper_sided.high < beyond, evidence)
    return decide(upper_sided.high < limit, lower_sided.low > beyond, evidence)


def decide_equals_from_intervals(
    lower_sided: Interval,
    upper_sided: Interval,
    two_sided: Interval,
    *,
    equals: float,
    within: float,
    estimate: float | None,
    observations: int,
    unit: str = "row",
    rule: str = "",
    assumptions: tuple[str, ...] = (),
    because: Because | None = None,
) -> Verdict:
    """Passed (confirmed) when the quantity is shown to lie within `within` of `equals`.

    Confirmed: both one-sided bounds are inside the zone; being outside it on either side is
    rejected at alpha, which needs no correction. Failed (refuted): the two-sided interval misses
    the zone; each of its ends holds at alpha/2, since a quantity in the zone can be missed on two
    sides. The interval shown is the one that the answer was read from.

    Args:
        lower_sided, upper_sided: as in `decide_from_intervals`.
        two_sided: `side="two"`, at the same confidence.

    Raises:
        ValueError: `within` is negative, or intervals that do not belong together.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15 (two one-sided tests); Berger (1982),
    Technometrics 24 (no correction).
    """
    if within < 0:
        raise ValueError(f"within is {within}, expected 0 or more")
    if two_sided.side != "two" or two_sided.confidence != lower_sided.confidence:
        raise ValueError("expected a two-sided interval with the confidence of the bounds")
    low, high = equals - within, equals + within
    inner = dual(lower_sided, upper_sided)
    confirmed = low < inner.low and inner.high < high
    evidence = Evidence(
        estimate=estimate,
        interval=inner if confirmed else two_sided,
        observations=observations,
        unit=unit,
        rule=rule or f"equals {equals:g}, within {within:g}",
        method=lower_sided.method,
        error_rate=_error_rate(lower_sided),
        assumptions=assumptions,
    )
    if because is not None:
        return Undecided(evidence, because)
    if confirmed:
        return Passed(evidence)
    if two_sided.high < low or two_sided.low > high:
        return Failed(evidence)
    return decide(False, False, evidence)


def dual(lower_sided: Interval, upper_sided: Interval) -> Interval:
    """The interval between two one-sided bounds, labelled with the confidence of both together.

    Raises:
        ValueError: the bounds are not one from below and one from above at one confidence.
    """
    if (lower_sided.side, upper_sided.side) != ("lower", "upper"):
        raise ValueError(
            f"bounds are {lower_sided.side} and {upper_sided.side}, expected lower and upper"
        )
    if lower_sided.confidence != upper_sided.confidence:
        raise ValueError("the two bounds have different confidence")
    guarantees = (lower_sided.guarantee, upper_sided.guarantee)
    return Interval(
        # One-sided bounds below 50 % may cross; the hull still holds.
        min(lower_sided.low, upper_sided.high),
        max(lower_sided.low, upper_sided.high),
        round(2 * lower_sided.confidence - 1, 12),
        lower_sided.method,
        max(guarantees, key=list(Guarantee).index),
    )


def _the_limit(at_least: float | None, at_most: float | None) -> float:
    if at_least is not None and at_most is None:
        return at_least
    if at_most is not None and at_least is None:
        return at_most
    raise ValueError("expected exactly one of at_least and at_most")


def _rule(at_least: float | None, at_most: float | None, fails_beyond: float | None) -> str:
    if at_least is not None:
        asked, side = f"at least {at_least:g}", "below"
    else:
        asked, side = f"at most {at_most:g}", "above"
    return asked if fails_beyond is None else f"{asked}, harm {side} {fails_beyond:g}"


def _error_rate(bound: Interval) -> float:
    return round(1 - bound.confidence, 12)


def _few(*trials: int) -> Because | None:
    if not all(trials):
        return Because.NO_DATA
    return Because.TOO_FEW if min(trials) < ROWS_FROM else None


def _few_if_exact(verdict: Verdict) -> Verdict:
    """An undecided verdict whose score test had too few events says that, not that it straddles."""
    if isinstance(verdict, Undecided) and verdict.because is Because.STRADDLES:
        shown = verdict.evidence.interval
        if shown is not None and shown.guarantee is Guarantee.EXACT:
            return Undecided(verdict.evidence, Because.TOO_FEW)
    return verdict
