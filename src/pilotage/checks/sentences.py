"""A verdict as a sentence that a person reads first and may stop at.

"Accuracy is 82.1–83.4 % (each end 95 %, 20,000 rows): at least 80 %, passed." What was measured,
how sure, on how much, what was asked, and the answer.
"""

from collections.abc import Sequence

from pilotage.checks.answers import GroupAnswer
from pilotage.checks.metrics import difference_unit_of, title_of
from pilotage.checks.numbers import counted, shown, shown_range
from pilotage.spec.gate_words import MetricWord
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    DifferenceAcross,
    DropUnder,
    Equals,
    Gate,
    NotWorseThanBaseline,
    Perturbation,
    RatioAcross,
    Within,
)
from pilotage.statistics.verdict import Because, Evidence, Undecided, Verdict, word_of

_WHY = {
    Because.TOO_FEW: "too few rows to say",
    Because.STRADDLES: "both are possible",
    Because.NO_DATA: "there are no rows",
    Because.NO_LABELS: "there are no labels",
    Because.HORIZON: "the rows that were granted are used up",
}


def title_of_gate(gate: Gate, word: MetricWord) -> str:
    """What was asked, short: `False-positive rate across sex: differs by at most 5 pp`."""
    title = title_of(gate.metric)
    if options := ", ".join(f"{name} {value:g}" for name, value in gate.options):
        title += f" ({options})"
    if gate.where:
        title += " where " + ", ".join(f"{column} is {value}" for column, value in gate.where)
    if gate.across:
        title += f" across {' × '.join(gate.across)}"
    if isinstance(gate.condition, DropUnder):
        title += f" {under(gate.condition.perturbation)}"
    return f"{title}: {asked(gate, word)}"


def asked(gate: Gate, word: MetricWord) -> str:
    """The condition in words: `at least 80 %`."""
    apart = difference_unit_of(word)
    unit = "%" if apart == "pp" else apart
    match gate.condition:
        case AtLeast(value):
            return f"at least {shown(value, unit)}"
        case AtMost(value):
            return f"at most {shown(value, unit)}"
        case Within(value):
            return f"within {shown(value, apart)} of 0"
        case Equals(value, within):
            return f"equals {shown(value, unit)}, within {shown(within, apart)}"
        case NotWorseThanBaseline(margin):
            return f"not worse than the baseline by more than {shown(margin, apart)}"
        case BetterThanBaseline(by) if not by:
            return "better than the baseline"
        case BetterThanBaseline(by):
            return f"better than the baseline by at least {shown(by, apart)}"
        case DifferenceAcross(at_most):
            return f"differs by at most {shown(at_most, apart)}"
        case RatioAcross(at_least):
            return f"ratio at least {shown(at_least, 'ratio')}"
        case DropUnder(_, at_most):
            return f"drops by at most {shown(at_most, apart)}"


def under(perturbation: Perturbation) -> str:
    """What was done to the inputs, in words."""
    parts: list[str] = []
    if perturbation.missing:
        parts.append(f"{shown(perturbation.missing, '%')} of values missing")
    if perturbation.noise_sd:
        parts.append(f"noise of {perturbation.noise_sd:g} sd")
    columns = f" in {', '.join(perturbation.columns)}" if perturbation.columns else ""
    return f"with {' and '.join(parts)}{columns}"


def sentence_of(
    gate: Gate, word: MetricWord, unit: str, verdict: Verdict, groups: Sequence[GroupAnswer]
) -> str:
    """The whole sentence."""
    evidence = verdict.evidence
    title = title_of(gate.metric)
    measured = f"{title} {_measured(gate, unit, evidence, groups)}"
    if gate.claim:
        answer = {"passed": "confirmed", "failed": "refuted"}.get(word_of(verdict), "undecided")
        return f"{measured}: {asked(gate, word)} ({gate.claim}), {answer}{_why(verdict)}."
    return f"{measured}: {asked(gate, word)}, {word_of(verdict)}{_why(verdict)}."


def _why(verdict: Verdict) -> str:
    return f" ({_WHY[verdict.because]})" if isinstance(verdict, Undecided) else ""


def _measured(gate: Gate, unit: str, evidence: Evidence, groups: Sequence[GroupAnswer]) -> str:
    if evidence.interval is None or evidence.estimate is None:
        return f"could not be computed ({counted(evidence.observations, evidence.unit)})"
    low, high = evidence.interval.low, evidence.interval.high
    basis = f"({sureness(evidence)}, {counted(evidence.observations, evidence.unit)})"
    match gate.condition:
        case DifferenceAcross():
            pair = groups[0].group.replace(" against ", " and ") if groups else "the groups"
            return f"differs by {shown_range(low, high, unit)} between {pair} {basis}"
        case RatioAcross():
            pair = groups[0].group if groups else "the groups"
            return f"of {pair} is {shown_range(low, high, unit)} times as high {basis}"
        case NotWorseThanBaseline() | BetterThanBaseline():
            what = f"minus the baseline's is {shown_range(low, high, unit)}"
        case DropUnder(perturbation):
            what = f"changes by {shown_range(low, high, unit)} {under(perturbation)}"
        case _:
            what = f"is {shown_range(low, high, unit)}"
    return f"{_in_group(gate, groups)}{what} {basis}"


def _in_group(gate: Gate, groups: Sequence[GroupAnswer]) -> str:
    return f"of {groups[0].group} " if gate.across and groups else ""


def sureness(evidence: Evidence) -> str:
    """How sure the interval is: `95 %`, or `each end 95 %` for a verdict's two one-sided bounds."""
    assert evidence.interval is not None
    confidence, each = evidence.interval.confidence, 1 - evidence.error_rate
    if evidence.interval.side == "two" and confidence < each:
        return f"each end {shown(each, '%')}"
    return shown(confidence, "%")
