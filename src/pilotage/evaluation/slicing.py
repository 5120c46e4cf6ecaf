"""Where a model is worse than elsewhere: its main metric in each slice against the rest.

For looking, not for deciding: slices are found in the same rows that they are shown on, so their
p-values are adjusted by Holm over all of them, and a gate asks its own question.
"""

from dataclasses import replace
from math import erfc, sqrt
from typing import Any, Final

import numpy as np
from scipy.special import gammaln  # pyright: ignore[reportMissingTypeStubs]

from pilotage.checks.metrics import observe
from pilotage.checks.observed import estimate_of
from pilotage.checks.once.of_one_model import interval_of
from pilotage.checks.once.rows import only
from pilotage.checks.scored import Scored
from pilotage.evaluation.report import SliceShown
from pilotage.spec.gate_words import METRICS
from pilotage.statistics.fixed.families import holm

SMALLEST: Final = 20
"""Rows below which a slice is not shown: nothing could be said of it."""
SHOWN: Final = 100
EXPECTED: Final = 25
"""Rows of either outcome, in the slice and outside, from which the score test is used."""

Array = np.ndarray[Any, np.dtype[Any]]


def main_metric(scored: Scored) -> str:
    """What slices are compared by: the metric whose every row has a value of its own."""
    return "accuracy" if scored.classes else "mean_absolute_error"


def slices_of(scored: Scored, confidence: float) -> tuple[SliceShown, ...]:
    """The slices by evidence, the clearest difference first."""
    word = METRICS[main_metric(scored)]
    scored = replace(scored, weight=None)  # for looking: every row counts once, as its p-value says
    rows_of_values = _values(scored)
    found: list[tuple[str, Array]] = []
    for column, grouping in scored.groups.items():
        counts = np.bincount(grouping.codes, minlength=len(grouping.names))
        for code, name in enumerate(grouping.names):
            if SMALLEST <= counts[code] < scored.rows:
                found.append((f"{column} = {name}", grouping.codes == code))
    p_values = [
        _p_value(rows_of_values[inside], rows_of_values[~inside], shares=bool(scored.classes))
        for _, inside in found
    ]
    if not found:
        return ()
    adjusted = [float(p) for p in holm(p_values)]
    order = sorted(range(len(found)), key=adjusted.__getitem__)[:SHOWN]
    shown: list[SliceShown] = []
    for i in order:
        name, inside = found[i]
        observed = observe(word, only(scored, inside), {})
        interval = interval_of(observed, confidence=confidence, side="two")
        estimate = estimate_of(observed)
        rest = float(rows_of_values[~inside].mean())
        shown.append(
            SliceShown(
                name,
                int(np.count_nonzero(inside)),
                estimate,
                interval.low,
                interval.high,
                None if estimate is None else estimate - rest,
                adjusted[i],
            )
        )
    return tuple(shown)


def _values(scored: Scored) -> Array:
    """The main metric's value of each row."""
    if scored.classes:
        return (scored.answer == scored.truth).astype(np.float64)
    return np.abs(scored.answer.astype(np.float64) - scored.truth)


def _p_value(inside: Array, outside: Array, *, shares: bool) -> float:
    """Two-sided, of equal means.

    Shares: Fisher's exact test, or the pooled score test where each outcome is expected
    `EXPECTED` times in both. A slice without a single mistake has no variance of its own: 20 rows
    answered right, beside 85 % elsewhere, are chance (p 0.08), where Welch's statistic says 0.
    Numbers: Welch's statistic by the normal.
    """
    if shares:
        return _p_of_shares(int(inside.sum()), len(inside), int(outside.sum()), len(outside))
    variance = inside.var() / len(inside) + outside.var() / max(len(outside), 1)
    difference = abs(inside.mean() - outside.mean())
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return erfc(difference / sqrt(variance) / sqrt(2))


def _p_of_shares(hits: int, rows: int, other_hits: int, other_rows: int) -> float:
    events, total = hits + other_hits, rows + other_rows
    rarer = min(events, total - events) / total
    if not rarer:
        return 1.0
    if min(rows, other_rows) * rarer < EXPECTED:
        return _fisher(hits, rows, events, total)
    share = events / total
    deviation = sqrt(share * (1 - share) * (1 / rows + 1 / other_rows))
    return erfc(abs(hits / rows - other_hits / other_rows) / deviation / sqrt(2))


def _fisher(hits: int, rows: int, events: int, total: int) -> float:
    """Twice the smaller tail of the hypergeometric distribution, 1 at most."""
    most, least = min(rows, events), max(0, rows - (total - events))
    counts = np.arange(least, most + 1, dtype=np.float64)
    logs = (
        _log_choose(events, counts)
        + _log_choose(total - events, rows - counts)
        - _log_choose(total, np.float64(rows))
    )
    masses = np.exp(logs)
    place = hits - least
    return float(min(1.0, 2 * min(masses[: place + 1].sum(), masses[place:].sum())))


def _log_choose(number: int, chosen: Any) -> Any:
    return gammaln(number + 1) - gammaln(chosen + 1) - gammaln(number - chosen + 1)
