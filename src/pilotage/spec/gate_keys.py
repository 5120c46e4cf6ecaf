"""Every key that a file of gates may have, in tables; the reader, the JSON Schema and the reference
follow them. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal[
    "metric",
    "level",
    "margin",
    "ratio",
    "share",
    "spread",
    "rate",
    "whole",
    "number",
    "text",
    "columns",
    "values",
    "baseline",
    "confidence",
    "undecided",
    "perturbation",
    "data",
    "gates",
    "functions",
]
"""What may stand behind a key. A `level` and a `margin` are in the metric's own unit."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        name: what to write.
        form: what may stand behind it.
        meaning: what it says, in a line.
        example: a value to copy.
        beside: keys of which one must stand beside it; empty where none need to.
    """

    name: str
    form: Form
    meaning: str
    example: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asks:
    """One way to ask, told by the key that it is recognised by.

    Attributes:
        head: the key; exactly one of all ways stands in a gate.
        meaning: the question, as a clause.
        requires: keys that must stand beside the head.
        allows: keys that may.
        example: a whole gate.
    """

    head: str
    meaning: str
    example: str
    requires: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All that may stand in a gate that asks so."""
        grouped = "across" in self.requires + self.allows
        own = (self.head, *self.requires, *self.allows, *(("groups_from",) if grouped else ()))
        return own + EVERYWHERE


FILE_KEYS: Final = (
    Key("data", "data", "the rows to judge by", "{file: rows.parquet, label: employed}"),
    Key("gates", "gates", "the questions, one a line", "[{metric: accuracy, at_least: 80%}]"),
    Key(
        *(
            "confidence",
            "confidence",
            "how sure a verdict is: it is wrong in what is left to 100 %",
        ),
        "95%",
    ),
    Key("undecided", "undecided", "what an undecided gate does to the exit code", "fail"),
    Key("metrics", "functions", "metrics of your own", "{cost: costs.py:cost_of_error}"),
)

DATA_KEYS: Final = (
    Key("file", "text", "a file, a folder of images, or a database's URL", "rows.parquet"),
    Key("label", "text", "the column that holds what is true", "employed"),
    Key("protected", "columns", "columns by whose groups the report is sliced", "[sex, race]"),
    Key("weight", "text", "the column of row weights", "weight"),
    Key("query_group", "text", "the column that tells which rows are ranked together", "query"),
    Key("positive", "text", "the label that counts as positive, of two", "employed"),
    Key("threshold", "number", "the score from which a row is answered positive", "0.5"),
)

GATE_KEYS: Final = (
    Key("metric", "metric", "what is measured", "accuracy"),
    Key("at_least", "level", "the metric is this or more", "85%"),
    Key("at_most", "level", "the metric is this or less", "20ms"),
    Key("within", "margin", "no farther from 0 (or from `equals`) than this", "2pp"),
    Key("not_worse_than", "baseline", "compared with the baseline on the same rows", "baseline"),
    Key(
        *("by_more_than", "margin", "the loss that is accepted", "1pp"),
        beside=("not_worse_than",),
    ),
    Key("better_than", "baseline", "compared with the baseline on the same rows", "baseline"),
    Key(
        *("by_at_least", "margin", "the gain that is asked for, 0 unless it is given", "1pp"),
        beside=("better_than",),
    ),
    Key("difference_at_most", "margin", "how far groups may differ", "5pp"),
    Key("ratio_at_least", "ratio", "the smaller group over the larger", "0.8"),
    Key("drop_at_most", "margin", "the loss that is accepted on perturbed inputs", "3pp"),
    Key("equals", "level", "what somebody claims the metric to be", "0.83"),
    Key(
        "across", "columns", "every group of this column; several columns make intersections", "sex"
    ),
    Key(
        "against",
        "text",
        "what groups are compared with: best, overall, or one by its name; all, if left out",
        "best",
        ("difference_at_most", "ratio_at_least"),
    ),
    Key(
        *("groups_from", "whole", "groups of fewer rows are undecided; 20 unless it is given"),
        "200",
        ("across",),
    ),
    Key("under", "perturbation", "what is done to the inputs", "{missing: 5%}", ("drop_at_most",)),
    Key("where", "values", "only rows with these values", "{sex: F}"),
    Key("claim", "text", "whose claim is examined", '"paper, table 2"', ("equals",)),
    Key("at", "rate", "the load: requests a second, open loop", "200/s"),
    Key("k", "whole", "how many of the first count", "5"),
    Key("tolerance", "number", "the distance from the truth that is right enough", "5"),
    Key("quantile", "share", "the share of the rows", "90%"),
    Key(
        "clip", "number", "a row's loss counts as this at most, so that the mean has a bound", "100"
    ),
)

UNDER_KEYS: Final = (
    Key("missing", "share", "the probability with which a value is taken away", "5%"),
    Key("noise", "spread", "noise on numbers, in standard deviations of the column", "0.1sd"),
    Key("columns", "columns", "only these inputs; all, if left out", "[age, income]"),
)

ASKS: Final = (
    Asks(
        "at_least", "is it this or more?", "{metric: roc_auc, at_least: 0.85}", allows=("across",)
    ),
    Asks(
        "at_most",
        "is it this or less?",
        "{metric: latency_p99, at_most: 20ms, at: 200/s}",
        allows=("across",),
    ),
    Asks(
        "within",
        "is it this near to 0?",
        "{metric: calibration_in_the_large, within: 2pp}",
        allows=("across",),
    ),
    Asks(
        "not_worse_than",
        "is it worse than the baseline by less than a margin?",
        "{metric: accuracy, not_worse_than: baseline, by_more_than: 1pp}",
        requires=("by_more_than",),
        allows=("across",),
    ),
    Asks(
        "better_than",
        "is it better than the baseline?",
        "{metric: accuracy, better_than: baseline, by_at_least: 1pp}",
        allows=("by_at_least", "across"),
    ),
    Asks(
        "difference_at_most",
        "do the groups differ by this at most?",
        "{metric: false_positive_rate, across: sex, difference_at_most: 5pp}",
        requires=("across",),
        allows=("against",),
    ),
    Asks(
        "ratio_at_least",
        "is the smaller of two groups at least this share of the larger?",
        "{metric: selection_rate, across: race, ratio_at_least: 0.8, groups_from: 200}",
        requires=("across",),
        allows=("against",),
    ),
    Asks(
        "drop_at_most",
        "does it stand bad inputs?",
        "{metric: accuracy, under: {missing: 5%, noise: 0.1sd}, drop_at_most: 3pp}",
        requires=("under",),
    ),
    Asks(
        "equals",
        "is it what somebody claims, give or take `within`?",
        '{claim: "paper, table 2", metric: accuracy, equals: 0.83, within: 1pp}',
        requires=("within",),
        allows=("claim",),
    ),
)
"""The ways to ask. `where` and a metric's own options may stand beside each of them."""

EVERYWHERE: Final = ("metric", "where", "at", "k", "tolerance", "quantile", "clip")
"""Keys that may stand in a gate whatever it asks; the metric tells which of its options."""

OPTIONS: Final = ("k", "tolerance", "quantile", "clip")
"""Keys that are the metric's own settings."""

ALSO_CALLED: Final = {
    "min": "at_least",
    "minimum": "at_least",
    "max": "at_most",
    "maximum": "at_most",
    "group_by": "across",
    "groups": "across",
    "margin": "by_more_than",
    "min_group": "groups_from",
    "load": "at",
    "rate": "at",
    "filter": "where",
    "target": "label",
    "path": "file",
    "slices": "protected",
}
"""Keys that people try, and the one to advise."""

EXAMPLE: Final = """\
data: {file: census/2017.parquet, label: employed, protected: [sex, race]}
gates:
  - {metric: roc_auc, at_least: 0.85}
  - {metric: accuracy, not_worse_than: baseline, by_more_than: 1pp}
  - {metric: false_positive_rate, across: sex, difference_at_most: 5pp}
  - {metric: selection_rate, across: race, ratio_at_least: 0.8, groups_from: 200}
  - {metric: calibration_in_the_large, within: 2pp}
  - {metric: accuracy, under: {missing: 5%, noise: 0.1sd}, drop_at_most: 3pp}
  - {claim: "paper, table 2", metric: accuracy, equals: 0.83, within: 1pp}
  - {metric: latency_p99, at_most: 20ms, at: 200/s}
confidence: 95%
undecided: fail
"""
"""A whole file; the reference shows it and a test reads it."""
