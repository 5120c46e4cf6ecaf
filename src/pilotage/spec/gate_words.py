"""The one list of metrics: what each is called, what it means, and what it is counted in. Pure.

The reader of gates, the JSON Schema, the reference and the checks all follow this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Unit = Literal["share", "seconds", "bytes", "value"]
"""`share`: a number that may be written in percent; `value`: in the unit of the label, or bare."""

Better = Literal["higher", "lower", "zero", "neither"]
"""Which way is better; `zero`: the nearer to 0."""

Task = Literal["binary", "multiclass", "regression", "ranking"]

Need = Literal["scores", "probabilities", "lists", "load"]
"""What a metric is computed from beside labels and answers: `lists` are rows that are ranked
together, `load` is the model on the serving engine in place of a data set's labels."""


@dataclass(frozen=True, slots=True)
class MetricWord:
    """One metric, as a gate may name it.

    Attributes:
        name: what to write.
        unit: what it is counted in.
        meaning: what it is, in a line.
        better: which way is better.
        tasks: the kinds of model that it judges; empty for every kind.
        needs: what it is computed from beside labels and answers.
        low, high: what it cannot go below or above; None where there is no such end.
        options: keys that a gate on it may have; `required` are those that it must have.
    """

    name: str
    unit: Unit
    meaning: str
    better: Better
    tasks: tuple[Task, ...] = ()
    needs: tuple[Need, ...] = ()
    low: float | None = 0.0
    high: float | None = 1.0
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


_BINARY: Final[tuple[Task, ...]] = ("binary",)
_CLASSES: Final[tuple[Task, ...]] = ("binary", "multiclass")
_NUMBERS: Final[tuple[Task, ...]] = ("regression",)
_LISTS: Final[tuple[Task, ...]] = ("ranking",)


def _rate(name: str, meaning: str, better: Better) -> MetricWord:
    """A share of rows of a model for two classes."""
    return MetricWord(name, "share", meaning, better, _BINARY)


def _error(name: str, meaning: str, *options: str, required: tuple[str, ...] = ()) -> MetricWord:
    """A distance between answer and truth, in the unit of the label."""
    return MetricWord(
        *(name, "value", meaning, "lower", _NUMBERS),
        high=None,
        options=options,
        required=required,
    )


def _latency(name: str, share: str) -> MetricWord:
    meaning = f"the time within which {share} of requests are answered at a stated load"
    return MetricWord(
        *(name, "seconds", meaning, "lower"),
        needs=("load",),
        high=None,
        options=("at",),
        required=("at",),
    )


METRICS: Final[Mapping[str, MetricWord]] = MappingProxyType(
    {
        word.name: word
        for word in (
            MetricWord("accuracy", "share", "rows answered right", "higher", _CLASSES),
            MetricWord("error_rate", "share", "rows answered wrong", "lower", _CLASSES),
            _rate("precision", "of rows answered positive, those that are", "higher"),
            _rate("recall", "of rows that are positive, those answered so", "higher"),
            _rate("true_positive_rate", "recall by its other name", "higher"),
            _rate("false_positive_rate", "of negative rows, those answered positive", "lower"),
            _rate("false_negative_rate", "of positive rows, those answered negative", "lower"),
            _rate("true_negative_rate", "of negative rows, those answered so", "higher"),
            _rate("selection_rate", "rows answered positive, whatever is true", "neither"),
            MetricWord(
                "f1", "share", "the harmonic mean of precision and recall", "higher", _CLASSES
            ),
            MetricWord(
                *("balanced_accuracy", "share", "the mean of the classes' recalls", "higher"),
                _CLASSES,
            ),
            MetricWord(
                "top_k_accuracy",
                "share",
                "rows whose true class is among the k with the highest scores",
                "higher",
                _CLASSES,
                ("scores",),
                options=("k",),
                required=("k",),
            ),
            MetricWord(
                "roc_auc",
                "share",
                "how often a positive row has a higher score than a negative one",
                "higher",
                _BINARY,
                ("scores",),
            ),
            MetricWord(
                "average_precision",
                "share",
                "precision averaged over the thresholds at which recall grows",
                "higher",
                _BINARY,
                ("scores",),
            ),
            MetricWord(
                "log_loss",
                "value",
                "minus the mean logarithm of the true class's probability",
                "lower",
                _CLASSES,
                ("probabilities",),
                high=None,
                options=("clip",),
            ),
            MetricWord(
                "brier_score",
                "value",
                "the mean squared distance between probabilities and truth",
                "lower",
                _CLASSES,
                ("probabilities",),
            ),
            MetricWord(
                "calibration_in_the_large",
                "share",
                "the share of positive rows minus the mean probability",
                "zero",
                _BINARY,
                ("probabilities",),
                low=-1.0,
            ),
            MetricWord(
                "calibration_error",
                "share",
                "an upper bound on the mean distance between probability and share, in bins",
                "lower",
                _BINARY,
                ("probabilities",),
            ),
            _error("mean_absolute_error", "the mean distance from the truth", "clip"),
            _error(
                *("root_mean_squared_error", "the root of the mean squared distance", "clip"),
            ),
            MetricWord(
                "r2",
                "value",
                "the share of the label's variance that the model explains",
                "higher",
                _NUMBERS,
                low=None,
            ),
            _error("median_absolute_error", "the distance that half of the rows keep within"),
            _error(
                "quantile_absolute_error",
                "the distance that a stated share of the rows keeps within",
                "quantile",
                required=("quantile",),
            ),
            MetricWord(
                "share_within",
                "share",
                "rows whose answer is no farther from the truth than a tolerance",
                "higher",
                _NUMBERS,
                options=("tolerance",),
                required=("tolerance",),
            ),
            MetricWord(
                "mean_error",
                "value",
                "the mean of answer minus truth: what the model is off on the whole",
                "zero",
                _NUMBERS,
                low=None,
                high=None,
                options=("clip",),
            ),
            MetricWord(
                "ndcg",
                "value",
                "how near each list's order is to the best one, the top counting most",
                "higher",
                _LISTS,
                ("lists",),
                options=("k",),
            ),
            _latency("latency_p50", "half"),
            _latency("latency_p90", "90 %"),
            _latency("latency_p99", "99 %"),
            MetricWord(
                "memory",
                "bytes",
                "the memory of a worker that serves the model, under load where one is stated",
                "lower",
                needs=("load",),
                high=None,
                options=("at",),
            ),
        )
    }
)
"""Every metric by its name, in the order of the reference."""

REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("expected_calibration_error", "ece", "maximum_calibration_error", "mce"),
        "Use calibration_in_the_large, brier_score or calibration_error (an upper bound).",
    )
)
"""Names that many tools know and that no gate may have, with what to use. The expected calibration
error of a perfectly calibrated model is 0.086 at 200 rows and 0.012 at 10,000, in 15 bins: a
threshold on it judges the number of rows."""

ALSO_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "auc": "roc_auc",
        "auroc": "roc_auc",
        "acc": "accuracy",
        "fpr": "false_positive_rate",
        "fnr": "false_negative_rate",
        "tpr": "true_positive_rate",
        "tnr": "true_negative_rate",
        "sensitivity": "recall",
        "specificity": "true_negative_rate",
        "fallout": "false_positive_rate",
        "positive_rate": "selection_rate",
        "mae": "mean_absolute_error",
        "rmse": "root_mean_squared_error",
        "bias": "mean_error",
        "brier": "brier_score",
        "cross_entropy": "log_loss",
        "latency": "latency_p99",
        "p99": "latency_p99",
    }
)
"""Words that people try, and the name to advise."""


def custom_word(name: str) -> MetricWord:
    """The word of a metric that a user's function computes: the mean of losses in [0, 1]."""
    return MetricWord(name, "share", "the mean loss of a function of your own", "lower")
