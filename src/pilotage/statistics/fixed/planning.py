"""How many rows a gate needs, before there are any: the planning numbers.

Each is the number of rows with which a truth on the right side of the limit is shown to be there
with the given power (80 % unless said), by the procedure that the gate uses, so never fewer than
that procedure asks for. `limit` is where the bound has to end: the floor, or minus the margin, or 0
for harm. None where the truth lies on the limit: no number of rows decides that.

All are normal approximations. Power in fact, by enumeration or simulation, of 80 %: 77 to 83 % for
proportions, pairs, differences and ratios (to 86 % for pairs of which few differ); 78 to 98 % for
an AUC, the more the nearer 1, where binormal scores vary less than assumed; 70 to 92 % for a
bounded mean, 60 to 100 % for a very lopsided one (its long tail costs, its short tail pays).
"""

import math

import numpy as np

from pilotage.statistics.fixed.decisions import ROWS_FROM
from pilotage.statistics.fixed.groups import EVENTS_EXPECTED
from pilotage.statistics.fixed.paired import DISCORDANT_EXPECTED, likely_variance
from pilotage.statistics.fixed.proportions import upper_quantile
from pilotage.statistics.fixed.scores import rates_with_difference, rates_with_ratio

HEDGED_WIDTH = 1.3
"""How much farther a one-sided hedged bound reaches than the normal one, at 1,000 rows and more."""

_NEVER = 1e-9
_ROUNDS = 60
"""Of a fixed point that gains a digit in one or two."""


def rows_for_proportion(
    *, truth: float, limit: float, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """Rows with which Clopper-Pearson shows that a proportion of `truth` is beyond `limit`.

    With a continuity correction, since an exact bound pays for the jumps of the binomial.

    Source: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, chapter 2.
    """
    rows = _rows(truth - limit, limit * (1 - limit), truth * (1 - truth), confidence, power)
    if not rows:
        # Nothing varies between a limit of 0 and a truth of 1: one row tells.
        return None if rows is None else 1
    corrected = rows / 4 * (1 + math.sqrt(1 + 2 / (rows * abs(truth - limit)))) ** 2
    return math.ceil(corrected)


def rows_for_pairs(
    *,
    difference: float,
    limit: float,
    discordant: float,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Rows with which Tango's test shows that a paired difference is beyond `limit`.

    Args:
        difference: candidate minus baseline, the truth to plan for (0 for an equal one).
        limit: minus the margin, to pass; 0, to show harm.
        discordant: the share of rows on which one of both models is right and the other wrong.

    Raises:
        ValueError: a discordant share smaller than the difference, or above 1.
    """
    if not abs(difference) <= discordant <= 1:
        raise ValueError(
            f"discordant is {discordant}, expected between the difference, {difference}, and 1"
        )
    shares = (
        np.asarray((discordant + difference) / 2),
        np.asarray((discordant - difference) / 2),
        np.asarray(1.0),
    )
    at_limit = float(likely_variance(shares, np.asarray(limit)))
    at_truth = discordant - difference**2
    expected = at_limit + limit**2  # the share of rows that differ, at the limit
    rows = _rows(difference - limit, at_limit, at_truth, confidence, power)
    # A quarter more than Tango's end asks for, since the number of such rows varies.
    return _ceiling(rows, ROWS_FROM, 1.25 * DISCORDANT_EXPECTED / expected)


def rows_for_difference(
    *,
    rate_a: float,
    rate_b: float,
    limit: float,
    share_a: float = 0.5,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Rows of both groups together with which their difference is shown to be beyond `limit`.

    By the score test. `share_a` is the part of the rows that is in group a.
    """
    share_b = 1 - share_a
    null_a, null_b = (
        float(rate)
        for rate in rates_with_difference(
            rate_a * share_a, share_a, rate_b * share_b, share_b, limit
        )
    )
    at_limit = null_a * (1 - null_a) / share_a + null_b * (1 - null_b) / share_b
    at_truth = rate_a * (1 - rate_a) / share_a + rate_b * (1 - rate_b) / share_b
    rows = _rows(rate_a - rate_b - limit, at_limit, at_truth, confidence, power)
    return _ceiling(rows, *_rows_asked((null_a, share_a), (null_b, share_b)))


def rows_for_ratio(
    *,
    rate_a: float,
    rate_b: float,
    limit: float,
    share_a: float = 0.5,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Rows of both groups together with which their ratio a / b is shown to be beyond `limit`."""
    share_b = 1 - share_a
    null_a, null_b = (
        float(rate)
        for rate in rates_with_ratio(rate_a * share_a, share_a, rate_b * share_b, share_b, limit)
    )
    at_limit = null_a * (1 - null_a) / share_a + limit**2 * null_b * (1 - null_b) / share_b
    at_truth = rate_a * (1 - rate_a) / share_a + limit**2 * rate_b * (1 - rate_b) / share_b
    rows = _rows(rate_a - limit * rate_b, at_limit, at_truth, confidence, power)
    return _ceiling(rows, *_rows_asked((null_a, share_a), (null_b, share_b)))


def rows_for_bounded_mean(
    *,
    truth: float,
    limit: float,
    deviation: float,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Rows with which the hedged interval shows that a mean of `truth` is beyond `limit`.

    It starts from a standard deviation of a half, and has to learn a smaller one from the rows:
    that costs as much as a variance that is larger by log(rows) / (4 rows), found by simulation.
    All in units of the range, `high - low`.

    Args:
        deviation: the standard deviation of one row, in the mean's unit.
    """
    if truth == limit:
        return None
    reach = HEDGED_WIDTH * upper_quantile(1 - confidence) + upper_quantile(1 - power)
    rows = 1.0
    for _ in range(_ROUNDS):
        variance = deviation**2 + math.log1p(rows) / (4 * rows)
        rows = (reach / (truth - limit)) ** 2 * variance
    return math.ceil(rows)


def rows_for_auc(
    *,
    truth: float,
    limit: float,
    positive_share: float,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Rows of both classes with which an AUC of `truth` is shown to be beyond `limit`.

    Scores are taken to be exponential in each class, which is near what most models do.

    Source: Hanley & McNeil (1982), Radiology 143.
    """
    at_limit = _auc_variance(limit, positive_share)
    at_truth = _auc_variance(truth, positive_share)
    return _ceiling(_rows(truth - limit, at_limit, at_truth, confidence, power))


def _auc_variance(area: float, positive_share: float) -> float:
    """Times the rows, for many rows."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return (q1 - area**2) / (1 - positive_share) + (q2 - area**2) / positive_share


def _rows(
    distance: float, at_limit: float, at_truth: float, confidence: float, power: float
) -> float | None:
    """From the variances a row at the limit and at the truth."""
    if distance == 0:
        return None
    reach = upper_quantile(1 - confidence) * math.sqrt(at_limit)
    reach += upper_quantile(1 - power) * math.sqrt(at_truth)
    return (reach / distance) ** 2


def _rows_asked(*groups: tuple[float, float]) -> list[float]:
    """The rows from which a score interval is used at all, from each group's rate and share."""
    asked: list[float] = []
    for rate, share in groups:
        rarer = min(rate, 1 - rate) * share
        asked.append(ROWS_FROM / share)
        # Where a rate is 0 at the limit, only exact bounds are ever used: nothing to wait for.
        asked.append(EVENTS_EXPECTED / rarer if rarer > _NEVER else 0.0)
    return asked


def _ceiling(rows: float | None, *at_least: float) -> int | None:
    return None if rows is None else math.ceil(max(rows, *at_least, 1.0))
