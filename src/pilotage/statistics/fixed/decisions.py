"""A sample that is looked at once goes in, with a rule; a verdict comes out.

The semantics are those of `verdict`: P(passed | BAD) <= alpha and P(failed | GOOD) <= alpha, each
by a one-sided test at alpha = 1 - confidence, without a split. The interval in the evidence is the
verdict's dual: each of its ends holds at `confidence`, both together at 2 * confidence - 1, and it
is labelled so. A verdict falls exactly when that interval lies beyond the limit.
"""

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
