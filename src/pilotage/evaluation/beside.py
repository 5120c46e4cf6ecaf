"""What a person looks at beside the gates: the usual metrics of a task, and the curves."""

from collections.abc import Sequence
from typing import Final

from pilotage.checks.metrics import observe, title_of, unit_of
from pilotage.checks.observed import Statistic, estimate_of
from pilotage.checks.once.asking import Asked, Rows
from pilotage.checks.once.of_one_model import quantity_of
from pilotage.errors import PilotageError
from pilotage.evaluation import curves
from pilotage.evaluation.report import MetricShown
from pilotage.evaluation.shown import finite, interval_shown
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import AtLeast, AtMost, Equals, Gate, Within

BOOTSTRAP_ROWS: Final = 200_000
"""Rows above which a metric that no gate asks for is shown without a bootstrapped interval."""
BESIDE: Final = {
    "binary": (
        "accuracy",
        "roc_auc",
        "precision",
        "recall",
        "false_positive_rate",
        "f1",
        "brier_score",
        "calibration_in_the_large",
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "f1", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error", "r2", "mean_error"),
    "ranking": ("ndcg",),
}
"""Metrics that are shown beside the gates."""


def metrics_beside(
    rows: Rows, asked: Sequence[Asked], confidence: float
) -> tuple[MetricShown, ...]:
    """The usual metrics of the task over all rows; an interval that a gate computed is not computed
    again."""
    shown: list[MetricShown] = []
    known = {one.gate.metric: one.quantity for one in asked if _is_overall(one.gate)}
    for name in BESIDE[rows.candidate.task]:
        word = METRICS[name]
        try:
            observed = observe(word, rows.candidate, {})
            other = None if rows.baseline is None else observe(word, rows.baseline, {})
        except PilotageError:
            continue  # the model gives no scores; the metrics of labels are shown
        large = isinstance(observed, Statistic) and observed.rows > BOOTSTRAP_ROWS
        large = large and name not in known
        quantity = None if large else known.get(name) or quantity_of(observed)
        shown.append(
            MetricShown(
                name,
                title_of(name),
                unit_of(word),
                finite(estimate_of(observed)),
                None if quantity is None else interval_shown(quantity.interval(confidence, "two")),
                None if other is None else finite(estimate_of(other)),
                f"no interval above {BOOTSTRAP_ROWS:,} rows unless a gate asks" if large else "",
            )
        )
    return tuple(shown)


def _is_overall(gate: Gate) -> bool:
    """Whether the gate's quantity is the metric of all rows, as it is shown beside the gates."""
    plain = isinstance(gate.condition, AtLeast | AtMost | Within | Equals)
    return plain and not (gate.across or gate.where or gate.options)


def curves_beside(
    rows: Rows, model: str, baseline: str, confidence: float
) -> tuple[curves.Curve, ...]:
    """The curves of the model and of the baseline, where there are scores to draw them from."""
    made: list[curves.Curve | None] = []
    for make in (curves.roc, curves.calibration):
        made.append(make(rows.candidate, model, confidence))
        if rows.baseline is not None:
            made.append(make(rows.baseline, baseline, confidence))
    return tuple(curve for curve in made if curve is not None)
