"""How many labelled rows a gate needs, before there are any, at the effects that matter.

For each gate: if the truth were this, so many rows show it with 80 % probability. What has to be
assumed (how often two models disagree, how common an event is) is said beside the numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pilotage.checks.metrics import difference_unit_of, unit_of
from pilotage.checks.numbers import shown
from pilotage.checks.sentences import title_of_gate
from pilotage.spec.gate_words import METRICS, MetricWord
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    DifferenceAcross,
    DropUnder,
    Equals,
    Gate,
    GateFile,
    NotWorseThanBaseline,
    RatioAcross,
    Within,
)
from pilotage.statistics.fixed.planning import (
    rows_for_auc,
    rows_for_bounded_mean,
    rows_for_difference,
    rows_for_pairs,
    rows_for_proportion,
    rows_for_ratio,
)

POWER: Final = 0.8
POWER_OF_EACH: Final = 0.9
"""Of each of two ends that must both be shown, so that both are with `POWER`."""
DISAGREE: Final = 0.1
"""Of rows, on which two models are taken to disagree."""
RATE: Final = 0.2
"""How common an event is taken to be in each group."""
POSITIVE: Final = 0.5
"""The share of positive rows that an AUC is planned with."""
DEVIATION: Final = 0.35
"""Of one row's probability error: that of a model right in 85 % of cases."""
DISTANCES: Final = (0.01, 0.02, 0.05)
"""From the limit: effects that matter to most."""
SHARES_OF_RANKED: Final = ("roc_auc",)
MEANS: Final = ("calibration_in_the_large", "brier_score")
NOT_COUNTED: Final = ("balanced_accuracy", "calibration_error", "calibration_in_the_large")
"""Written as shares, and no count of rows: a formula for proportions says nothing about them."""


@dataclass(frozen=True, slots=True)
class Effect:
    """If the truth were `truth`, the gate `answer` with `rows` rows; None where it never does."""

    truth: str
    answer: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """One gate's plan. `effects` is empty where there is no formula; `assumed` says why."""

    title: str
    assumed: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Sureness:
    """The confidence with which each answer is given. Any failure stops a release, so with J gates
    the first to fail has to be shown at a J-th of the error rate (Holm); passing pays nothing."""

    passing: float
    failing: float


def plan(gates: GateFile) -> tuple[Planned, ...]:
    """Every gate's plan, in the order of the file."""
    error_rate = (1 - gates.confidence) / max(1, len(gates.gates))
    sure = Sureness(gates.confidence, 1 - error_rate)
    return tuple(_plan(gate, METRICS.get(gate.metric), sure) for gate in gates.gates)


def _plan(gate: Gate, word: MetricWord | None, sure: Sureness) -> Planned:
    if word is None or "load" in word.needs:
        return Planned(gate.metric, "measured under load, not on rows", ())
    title = title_of_gate(gate, word)
    match gate.condition:
        case AtLeast(value) | AtMost(value):
            return _floor(title, word, value, isinstance(gate.condition, AtLeast), sure)
        case Equals(value, within):
            return _equals(title, word, value, within, sure)
        case Within(value):
            return _equals(title, word, 0.0, value, sure)
        case NotWorseThanBaseline(margin):
            return _pairs(title, word, margin, sure, harm_from=0.0)
        case DropUnder(_, margin):
            return _pairs(title, word, margin, sure, harm_from=margin)
        case BetterThanBaseline():
            return _better(title, word, sure)
        case DifferenceAcross(at_most):
            return _groups(title, word, at_most, sure)
        case RatioAcross(at_least):
            return _ratios(title, word, at_least, sure)


def _rows_of(
    word: MetricWord,
) -> tuple[Callable[[float, float, float, float], int | None], str] | None:
    """(truth, limit, confidence, power) -> rows, and what is assumed; None without a formula."""
    if word.name in SHARES_OF_RANKED:
        return (
            lambda truth, limit, confidence, power: rows_for_auc(
                truth=truth,
                limit=limit,
                positive_share=POSITIVE,
                confidence=confidence,
                power=power,
            )
        ), "half of the rows are positive"
    if word.name in MEANS:
        scale = 2.0 if word.better == "zero" else 1.0
        return (
            lambda truth, limit, confidence, power: rows_for_bounded_mean(
                truth=truth / scale,
                limit=limit / scale,
                deviation=DEVIATION / scale,
                confidence=confidence,
                power=power,
            )
        ), f"one row deviates by {DEVIATION}"
    if _is_counted(word):
        return (
            lambda truth, limit, confidence, power: rows_for_proportion(
                truth=truth, limit=limit, confidence=confidence, power=power
            )
        ), "rows that the metric looks at (a rate of positives counts positive rows)"
    return None


def _is_counted(word: MetricWord) -> bool:
    return unit_of(word) == "%" and word.name not in NOT_COUNTED


def _is_paired(word: MetricWord) -> bool:
    """Of precision each model chooses its own rows, so that nothing is paired."""
    return _is_counted(word) and word.name != "precision"


NO_FORMULA: Final = "no planning number: its spread is known only from rows"


def _floor(title: str, word: MetricWord, limit: float, at_least: bool, sure: Sureness) -> Planned:
    found = _rows_of(word)
    if found is None:
        return Planned(title, NO_FORMULA, ())
    rows, assumed = found
    effects: list[Effect] = []
    for answer, sign in (("passes", 1), ("fails", -1)):
        for distance in DISTANCES:
            truth = limit + distance * sign * (1 if at_least else -1)
            if 0 < truth < 1:
                confidence = sure.passing if answer == "passes" else sure.failing
                number = rows(truth, limit, confidence, POWER)
                effects.append(Effect(shown(truth, unit_of(word)), answer, number))
    return Planned(title, assumed, tuple(effects))


def _equals(title: str, word: MetricWord, value: float, within: float, sure: Sureness) -> Planned:
    found = _rows_of(word)
    if found is None:
        return Planned(title, NO_FORMULA, ())
    rows, assumed = found
    inside = rows(value, value + within, sure.passing, POWER_OF_EACH)
    # Harm is shown by a two-sided interval: it could be missed on two sides.
    outside = rows(value + 2 * within, value + within, (1 + sure.failing) / 2, POWER)
    unit = difference_unit_of(word) if word.better == "zero" else unit_of(word)
    return Planned(
        title,
        assumed,
        (
            Effect(shown(value, unit), "passes", inside),
            Effect(shown(value + 2 * within, unit), "fails", outside),
        ),
    )


def _pairs(
    title: str, word: MetricWord, margin: float, sure: Sureness, *, harm_from: float
) -> Planned:
    unit = difference_unit_of(word)
    assumed = f"the two disagree on {shown(DISAGREE, '%')} of rows"
    if not _is_paired(word):
        return Planned(title, NO_FORMULA, ())
    effects = [
        Effect(
            "equal",
            "passes",
            rows_for_pairs(
                difference=0.0, limit=-margin, discordant=DISAGREE, confidence=sure.passing
            ),
        )
    ]
    for harm in (margin, 2 * margin, 3 * margin):
        if harm_from < harm <= DISAGREE:
            number = rows_for_pairs(
                difference=-harm, limit=-harm_from, discordant=DISAGREE, confidence=sure.failing
            )
            effects.append(Effect(f"{shown(harm, unit)} worse", "fails", number))
    return Planned(title, assumed, tuple(effects))


def _better(title: str, word: MetricWord, sure: Sureness) -> Planned:
    unit = difference_unit_of(word)
    if not _is_paired(word):
        return Planned(title, NO_FORMULA, ())
    effects = tuple(
        Effect(
            f"{shown(gain, unit)} better",
            "passes",
            rows_for_pairs(
                difference=gain, limit=0.0, discordant=DISAGREE, confidence=sure.passing
            ),
        )
        for gain in DISTANCES
    )
    return Planned(title, f"the two disagree on {shown(DISAGREE, '%')} of rows", effects)


def _groups(title: str, word: MetricWord, at_most: float, sure: Sureness) -> Planned:
    if not _is_counted(word):
        return Planned(title, NO_FORMULA, ())
    assumed = f"two groups of equal size, a rate of {shown(RATE, '%')}"
    effects = [
        Effect(
            "no difference",
            "passes",
            rows_for_difference(
                rate_a=RATE,
                rate_b=RATE,
                limit=at_most,
                confidence=sure.passing,
                power=POWER_OF_EACH,
            ),
        )
    ]
    for apart in (2 * at_most, 3 * at_most):
        if RATE + apart < 1:
            number = rows_for_difference(
                rate_a=RATE + apart,
                rate_b=RATE,
                limit=at_most,
                confidence=(1 + sure.failing) / 2,
            )
            effects.append(Effect(f"{shown(apart, 'pp')} apart", "fails", number))
    return Planned(title, assumed, tuple(effects))


def _ratios(title: str, word: MetricWord, at_least: float, sure: Sureness) -> Planned:
    if not _is_counted(word):
        return Planned(title, NO_FORMULA, ())
    assumed = f"two groups of equal size, a rate of {shown(RATE, '%')}"
    effects = [
        Effect(
            "equal rates",
            "passes",
            rows_for_ratio(
                rate_a=RATE,
                rate_b=RATE,
                limit=at_least,
                confidence=sure.passing,
                power=POWER_OF_EACH,  # the ratio and its inverse must both be shown
            ),
        )
    ]
    for share in (0.75, 0.5):
        ratio = at_least * share
        number = rows_for_ratio(
            rate_a=RATE * ratio, rate_b=RATE, limit=at_least, confidence=sure.failing
        )
        effects.append(Effect(f"a ratio of {shown(ratio, 'ratio')}", "fails", number))
    return Planned(title, assumed, tuple(effects))
