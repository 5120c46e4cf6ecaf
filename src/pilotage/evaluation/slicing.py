"""Where a model is worse than elsewhere: its main metric in each slice against the rest.

For looking, not for deciding: slices are found in the same rows that they are shown on, so their
p-values are adjusted by Holm over all of them, and a gate asks its own question.
"""

from dataclasses import replace
from math import erfc, sqrt
from typing import Any, Final

import numpy as np

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
    p_values = [_p_value(rows_of_values[inside], rows_of_values[~inside]) for _, inside in found]
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


def _p_value(inside: Array, outside: Array) -> float:
    """Two-sided, of equal means: Welch's statistic by the normal, for slices of 20 and more."""
    variance = inside.var() / len(inside) + outside.var() / max(len(outside), 1)
    difference = abs(inside.mean() - outside.mean())
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return erfc(difference / sqrt(variance) / sqrt(2))
