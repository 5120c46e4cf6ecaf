"""The one list of what a guard may compare, and of the words beside it. Pure.

The reader of guards and the reference follow these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pilotage.spec.rollouts import GuardMetric

Amount = Literal["points", "share", "percent", "number"]
"""`points`: how far two shares are apart; `share`: of pairs; `percent`: of the baseline's time;
`number`: in the outcome's own unit."""

Ask = Literal["not_worse_by", "at_most"]

OPTIONAL: Final = "optional"
"""Ends a guard that can roll back and need not pass."""

KIND_CHARACTERS: Final = 64
"""The longest kind of outcome that a guard may name."""


@dataclass(frozen=True, slots=True)
class GuardWord:
    """One thing that a guard may compare.

    Attributes:
        name: what to write.
        asks: the word before the margin.
        amount: what the margin is counted in.
        high: the largest margin.
        meaning: what is compared, in a line.
        judged: where, and on what.
        example: a whole guard.
        requires: words that must stand beside it; `allows` are those that may.
        tolerated: of the margin, what is tolerated unless it is said.
    """

    name: GuardMetric
    asks: Ask
    amount: Amount
    high: float
    meaning: str
    judged: str
    example: str
    requires: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    tolerated: float = 0.0


POINTS_HIGH: Final = 0.5
"""A guard that accepts half of everything guards nothing."""
TIMES_HIGH: Final = 10.0
"""Eleven times the baseline's time."""
NUMBER_HIGH: Final = 1e12

_PAIRS: Final = "shadow: the two answers to one request"
_PROBES: Final = "every stage: timing probes, both versions on the same batch"

GUARDS: Final[Mapping[str, GuardWord]] = MappingProxyType(
    {
        word.name: word
        for word in (
            GuardWord(
                *("error_rate", "not_worse_by", "points", POINTS_HIGH),
                "requests on which the engine failed, or gave what is no answer",
                "every stage",
                "error_rate not_worse_by 0.5pp",
            ),
            GuardWord(
                *("disagreement", "at_most", "share", POINTS_HIGH),
                "requests that the two versions give different labels",
                _PAIRS,
                "disagreement at_most 5%",
                tolerated=1.0,
            ),
            GuardWord(
                *("difference", "at_most", "share", POINTS_HIGH),
                "requests on which two numbers lie farther apart than `beyond`",
                _PAIRS,
                "difference beyond 0.01 at_most 5%",
                requires=("beyond",),
                tolerated=1.0,
            ),
            GuardWord(
                *("engine_time", "not_worse_by", "percent", TIMES_HIGH),
                "the engine's time, by the median of candidate over baseline",
                _PROBES,
                "engine_time not_worse_by 20%",
                tolerated=0.25,
            ),
            GuardWord(
                *("engine_time_tail", "not_worse_by", "points", POINTS_HIGH),
                "slow engine calls: more than three times the baseline's median",
                _PROBES,
                "engine_time_tail not_worse_by 1pp",
            ),
            GuardWord(
                *("accuracy", "not_worse_by", "points", POINTS_HIGH),
                "answers that an outcome of kind `label`, or of the kind named, proves right",
                "canary: outcomes that arrive",
                "accuracy not_worse_by 1pp",
                allows=("of",),
            ),
            GuardWord(
                *("rate", "not_worse_by", "points", POINTS_HIGH),
                "outcomes of a kind that say yes; more is better",
                "canary: outcomes that arrive",
                "rate of converted not_worse_by 1pp",
                requires=("of",),
            ),
            GuardWord(
                *("mean", "not_worse_by", "number", NUMBER_HIGH),
                "the mean of outcomes of a kind, which lie between two ends; more is better",
                "canary: outcomes that arrive",
                "mean of stars between 1 and 5 not_worse_by 0.2",
                requires=("of", "between"),
            ),
        )
    }
)
"""Every metric by its name, in the order of the reference."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A word with what follows it.

    Attributes:
        name: the word.
        form: what is to follow, as people read it.
        meaning: what it says, in a line.
        example: the word with a value.
    """

    name: str
    form: str
    meaning: str
    example: str


CLAUSES: Final[tuple[Clause, ...]] = (
    Clause("of", "KIND", "the kind of outcome", "of converted"),
    Clause("between", "LOW and HIGH", "the ends of what is possible", "between 1 and 5"),
    Clause(
        "beyond",
        "NUMBER",
        "how far two numbers may lie apart and count as the same, in the output's unit",
        "beyond 0.01",
    ),
    Clause(
        "not_worse_by",
        "AMOUNT",
        "the margin: the harm at which a candidate must not go live",
        "not_worse_by 0.5pp",
    ),
    Clause("at_most", "SHARE", "the margin, as a share of all pairs", "at_most 5%"),
    Clause(
        "tolerating",
        "AMOUNT",
        "the harm that must not fail a candidate: from 0 up to the margin",
        "tolerating 0.1pp",
    ),
    Clause(
        OPTIONAL,
        "",
        "the guard can roll back, and need not pass before the candidate goes live",
        "",
    ),
)
"""The words beside a metric, in the order in which a guard is shown."""

ALSO_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "errors": "error_rate",
        "error": "error_rate",
        "failures": "error_rate",
        "latency": "engine_time",
        "time": "engine_time",
        "latency_p50": "engine_time",
        "latency_p99": "engine_time_tail",
        "p99": "engine_time_tail",
        "p50": "engine_time",
        "tail": "engine_time_tail",
        "agreement": "disagreement",
        "conversion": "rate of converted",
        "conversion_rate": "rate of converted",
        "score": "mean of score between 0 and 1",
        "stars": "mean of stars between 1 and 5",
        "not_worse_than": "not_worse_by",
        "no_worse_than": "not_worse_by",
        "by_more_than": "not_worse_by",
        "not": "not_worse_by",
        "drop_at_most": "not_worse_by",
        "at-most": "at_most",
        "max": "at_most",
        "<": "at_most",
        "<=": "at_most",
        "tolerate": "tolerating",
        "tolerance": "beyond",
        "within": "beyond",
        "not_required": OPTIONAL,
    }
)
"""Words that people try, and what to advise."""
