"""The metrics of answers: from scored rows to what each metric observes.

scikit-learn defines what the names mean. Where a metric is a share or a mean, computing it from
counts gives the same number (a test holds that) and an interval besides. Latency, memory and
custom metrics are measured elsewhere; `spec.gate_words` has every name with its meaning.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import Final

import numpy as np

from pilotage.checks.composites import (
    Compute,
    average_precision,
    balanced_accuracy,
    f1,
    mean_of,
    ndcg,
    r2,
    root_mean_of,
)
from pilotage.checks.observed import (
    Array,
    Calibration,
    Losses,
    Observed,
    Quantile,
    Ranks,
    Share,
    Statistic,
)
from pilotage.checks.scored import Scored
from pilotage.checks.weighting import weighted
from pilotage.errors import PilotageError
from pilotage.spec.gate_words import METRICS, MetricWord

Options = Mapping[str, float]
Observe = Callable[[Scored, Options], Observed]

LOG_LOSS_CLIP: Final = 5.0
"""Nats. A loss is clipped here unless a gate says otherwise, so that its mean has an interval: it
is the loss of a probability of 0.7 % for what was true."""

CALIBRATION_EDGES: Final = np.arange(1, 10) / 10
"""Ten bins of equal width: fixed beforehand, whatever the rows."""

_TITLES: Final = {"roc_auc": "ROC AUC", "f1": "F1", "r2": "R²", "ndcg": "NDCG"}
_HYPHENED: Final = ("true_positive", "false_positive", "true_negative", "false_negative")
_BARE: Final = ("roc_auc", "f1", "average_precision")
"""Shares that the field writes as 0.85, not as 85 %."""


def title_of(name: str) -> str:
    """A metric's name as a sentence begins with it: `False-positive rate`."""
    if name in _TITLES:
        return _TITLES[name]
    for pair in _HYPHENED:
        name = name.replace(pair, pair.replace("_", "-"))
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def unit_of(word: MetricWord) -> str:
    """How the metric's numbers are shown: `%`, `ms`, `MB` or bare."""
    if word.name in _BARE:
        return ""
    return {"share": "%", "seconds": "ms", "bytes": "MB", "value": ""}[word.unit]


def difference_unit_of(word: MetricWord) -> str:
    """How a difference of two of its values is shown: percentage points for a percentage."""
    return "pp" if unit_of(word) == "%" else unit_of(word)


def observe(word: MetricWord, scored: Scored, options: Options) -> Observed:
    """What the metric sees.

    Raises:
        PilotageError: it is not defined for this task, or the model does not give what it needs.
    """
    if word.name in scored.losses:
        own = Losses(scored.losses[word.name], 0.0, 1.0)
        return own if scored.weight is None else weighted(own, scored.weight)
    if word.tasks and scored.task not in word.tasks:
        fitting = [name for name, one in METRICS.items() if scored.task in one.tasks]
        raise PilotageError(
            f"{word.name} is not defined for {_TASKS[scored.task]}",
            expected=f"one of {', '.join(fitting)}",
        )
    if {"scores", "probabilities"} & set(word.needs) and scored.score is None:
        raise PilotageError(
            f"{word.name} needs {word.needs[0]}, and the model gives labels alone",
            fix="Export the model with its probabilities, or ask for a metric of labels.",
        )
    if "probabilities" in word.needs and not scored.probabilities:
        raise PilotageError(
            f"{word.name} needs probabilities, and the model's scores are none",
            expected="scores in [0, 1] that sum to 1 over the classes",
        )
    if "lists" in word.needs and scored.query is None:
        raise PilotageError(
            f"{word.name} needs to know which rows are ranked together",
            fix="Name their column as query_group.",
        )
    found = _OBSERVE[word.name](scored, options)
    return found if scored.weight is None else weighted(found, scored.weight)


_TASKS: Final = {
    "binary": "a model of two classes",
    "multiclass": "a model of more than two classes",
    "regression": "a model that answers numbers",
    "ranking": "a model that ranks",
}


def _all(scored: Scored) -> Array:
    return np.ones(scored.rows, dtype=bool)


def _right(scored: Scored, _: Options) -> Share:
    return Share(scored.answer == scored.truth, _all(scored))


def _wrong(scored: Scored, _: Options) -> Share:
    return Share(scored.answer != scored.truth, _all(scored))


def _rate(truth: bool, answer: bool) -> Observe:
    """Of the rows that are `truth`, the share that is answered `answer`."""
    return lambda scored, _: Share((scored.answer == 1) == answer, (scored.truth == 1) == truth)


def _precision(scored: Scored, _: Options) -> Share:
    return Share(scored.truth == 1, scored.answer == 1, by_answer=True)


def _selection_rate(scored: Scored, _: Options) -> Share:
    return Share(scored.answer == 1, _all(scored))


def _top_k(scored: Scored, options: Options) -> Share:
    score = _scores(scored)
    if score.ndim == 1:
        score = np.column_stack([1 - score, score])
    own = score[np.arange(scored.rows), scored.truth]
    higher = np.count_nonzero(score > own[:, None], axis=1)
    return Share(higher < options["k"], _all(scored))


def _ranks(scored: Scored, _: Options) -> Ranks:
    return Ranks(scored.truth == 1, _scores(scored))


def _scores(scored: Scored) -> Array:
    assert scored.score is not None
    return scored.score


def _of_truth(scored: Scored) -> Array:
    """The probability that was given to what was true."""
    score = _scores(scored)
    if score.ndim == 1:
        return np.where(scored.truth == 1, score, 1 - score)
    return score[np.arange(scored.rows), scored.truth]


def _log_loss(scored: Scored, options: Options) -> Losses:
    clip = options.get("clip", LOG_LOSS_CLIP)
    with np.errstate(divide="ignore"):
        losses = -np.log(np.maximum(_of_truth(scored).astype(np.float64), 0.0))
    return Losses(np.clip(losses, 0.0, clip), 0.0, clip)


def _brier_score(scored: Scored, _: Options) -> Losses:
    """Two classes: (p - y)^2, in [0, 1]. More: half the sum over the classes, also in [0, 1]."""
    score = _scores(scored).astype(np.float64)
    if score.ndim == 1:
        return Losses((score - (scored.truth == 1)) ** 2, 0.0, 1.0)
    squares = (score**2).sum(axis=1) - 2 * _of_truth(scored) + 1
    return Losses(np.clip(squares / 2, 0.0, 1.0), 0.0, 1.0)


def _calibration_in_the_large(scored: Scored, _: Options) -> Losses:
    """The mean of truth minus probability: 0 when as many are true as were predicted."""
    return Losses((scored.truth == 1) - _scores(scored).astype(np.float64), -1.0, 1.0)


def _calibration_error(scored: Scored, _: Options) -> Calibration:
    return Calibration(scored.truth == 1, _scores(scored).astype(np.float64), CALIBRATION_EDGES)


def _signed(scored: Scored) -> Array:
    return scored.answer.astype(np.float64) - scored.truth


def _absolute(scored: Scored) -> Array:
    return np.abs(_signed(scored))


def _share_within(scored: Scored, options: Options) -> Share:
    return Share(_absolute(scored) <= options["tolerance"], _all(scored))


def _mean_absolute_error(scored: Scored, options: Options) -> Observed:
    if clip := options.get("clip"):
        return Losses(np.minimum(_absolute(scored), clip), 0.0, clip)
    return Statistic(mean_of(_absolute(scored)), scored.rows, 0.0, inf)


def _mean_error(scored: Scored, options: Options) -> Observed:
    if clip := options.get("clip"):
        return Losses(np.clip(_signed(scored), -clip, clip), -clip, clip)
    return Statistic(mean_of(_signed(scored)), scored.rows, -inf, inf)


def _root_mean_squared_error(scored: Scored, options: Options) -> Statistic:
    errors = np.minimum(_absolute(scored), options.get("clip", inf))
    return Statistic(root_mean_of(errors**2), scored.rows, 0.0, options.get("clip", inf))


def _ndcg(scored: Scored, options: Options) -> Statistic:
    compute, lists = ndcg(scored, int(options.get("k", 0)))
    return Statistic(compute, lists, 0.0, 1.0, unit="list")


def _statistic(
    prepare: Callable[[Scored], Compute], low: float = 0.0, high: float = 1.0
) -> Observe:
    return lambda scored, _: Statistic(prepare(scored), scored.rows, low, high)


_OBSERVE: Final[Mapping[str, Observe]] = {
    "accuracy": _right,
    "error_rate": _wrong,
    "precision": _precision,
    "recall": _rate(True, True),
    "true_positive_rate": _rate(True, True),
    "false_positive_rate": _rate(False, True),
    "false_negative_rate": _rate(True, False),
    "true_negative_rate": _rate(False, False),
    "selection_rate": _selection_rate,
    "f1": _statistic(f1),
    "balanced_accuracy": _statistic(balanced_accuracy),
    "top_k_accuracy": _top_k,
    "roc_auc": _ranks,
    "average_precision": _statistic(average_precision),
    "log_loss": _log_loss,
    "brier_score": _brier_score,
    "calibration_in_the_large": _calibration_in_the_large,
    "calibration_error": _calibration_error,
    "mean_absolute_error": _mean_absolute_error,
    "root_mean_squared_error": _root_mean_squared_error,
    "r2": _statistic(r2, -inf, 1.0),
    "median_absolute_error": lambda scored, _: Quantile(_absolute(scored), 0.5),
    "quantile_absolute_error": lambda scored, options: Quantile(
        _absolute(scored), options["quantile"]
    ),
    "share_within": _share_within,
    "mean_error": _mean_error,
    "ndcg": _ndcg,
}
OBSERVED: Final = frozenset(_OBSERVE)
"""The metrics that are computed here, from scored rows."""
