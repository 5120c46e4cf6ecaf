"""A verdict as a sentence that a person reads first and may stop at.

"Accuracy is 82.1–83.4 % (each end 95 %, 20,000 rows): at least 80 %, passed." What was measured,
how sure, on how much, what was asked, and the answer.
"""

from collections.abc import Sequence

from pilotage.checks.answers import GroupAnswer
from pilotage.checks.metrics import LOG_LOSS_CLIP, difference_unit_of, title_of
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
from pilotage.statistics.interval import Guarantee
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
    title = subject_of(gate)
    if gate.across:
        title += f" across {' × '.join(gate.across)}"
    if isinstance(gate.condition, DropUnder):
        title += f" {under(gate.condition.perturbation)}"
    return f"{title}: {asked(gate, word)}"


def subject_of(gate: Gate) -> str:
    """What is measured, on which rows: `Share within (tolerance = 5) where sex is F`."""
    subject = title_of(gate.metric)
    settings = dict(gate.options)
    if gate.metric == "log_loss":
        settings.setdefault("clip", LOG_LOSS_CLIP)  # or its mean would have no bound
    if options := ", ".join(f"{name} = {value:g}" for name, value in settings.items()):
        subject += f" ({options})"
    if gate.where:
        subject += " where " + ", ".join(f"{column} is {value}" for column, value in gate.where)
    return subject


def asked(gate: Gate, word: MetricWord) -> str:
    """The condition in words: `at least 80 %`."""
    lower = word.better == "lower"
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
            worse = "worse (higher)" if lower else "worse"
            return f"not {worse} than the baseline by more than {shown(margin, apart)}"
        case BetterThanBaseline(by):
            better = "better (lower)" if lower else "better"
            margin = f" by at least {shown(by, apart)}" if by else ""
            return f"{better} than the baseline{margin}"
        case DifferenceAcross(at_most):
            return f"differs by at most {shown(at_most, apart)}"
        case RatioAcross(at_least):
            return f"ratio at least {shown(at_least, 'ratio')}"
        case DropUnder(_, at_most):
            return f"{'grows' if lower else 'drops'} by at most {shown(at_most, apart)}"


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
    gate: Gate,
    word: MetricWord,
    unit: str,
    verdict: Verdict,
    groups: Sequence[GroupAnswer],
    *,
    why: str = "",
) -> str:
    """The whole sentence. `why` tells why it is undecided, where that is not the verdict's own."""
    measured = f"{subject_of(gate)} {_measured(gate, unit, verdict.evidence, groups)}"
    answer, claim = word_of(verdict), ""
    if gate.claim:
        answer = {"passed": "confirmed", "failed": "refuted"}.get(answer, answer)
        claim = f" ({gate.claim})"
    each = " in every group" if gate.across and not _of_pairs(gate) else ""
    if isinstance(verdict, Undecided):
        answer += f" ({why or _why(verdict.because, groups)})"
    return f"{measured}: {asked(gate, word)}{each}{claim}, {answer}."


def _why(because: Because, groups: Sequence[GroupAnswer]) -> str:
    """Of groups: why the one is undecided that the sentence speaks of."""
    first = groups[0].verdict if groups else None
    if isinstance(first, Undecided):
        small = first.because is Because.TOO_FEW
        return "too few rows in a group" if small else _WHY[first.because]
    return _WHY[because]


def _of_pairs(gate: Gate) -> bool:
    return isinstance(gate.condition, DifferenceAcross | RatioAcross)


def _measured(gate: Gate, unit: str, evidence: Evidence, groups: Sequence[GroupAnswer]) -> str:
    """What was found. Of groups: in the one, or the pair, that decides, with its own rows."""
    observations = groups[0].rows if groups else evidence.observations
    counts = counted(observations, evidence.unit)
    group = f"of {groups[0].group} " if gate.across and groups and not _of_pairs(gate) else ""
    if evidence.interval is None or evidence.estimate is None:
        return f"{group}could not be computed ({counts})"
    low, high = evidence.interval.low, evidence.interval.high
    basis = f"({sureness(evidence)}, {counts})"
    one, _, other = groups[0].group.partition(" against ") if groups else ("a group", "", "another")
    match gate.condition:
        case DifferenceAcross():
            return f"differs by {shown_range(low, high, unit)} between {one} and {other} {basis}"
        case RatioAcross():
            return f"of {one} is {shown_range(low, high, unit)} times that of {other} {basis}"
        case NotWorseThanBaseline() | BetterThanBaseline():
            what = f"minus the baseline's is {shown_range(low, high, unit)}"
        case DropUnder(perturbation):
            what = f"changes by {shown_range(low, high, unit)} {under(perturbation)}"
        case _:
            what = f"is {shown_range(low, high, unit)}"
    return f"{group}{what} {basis}"


def sureness(evidence: Evidence) -> str:
    """How sure the interval is: `95 %`, or `each end 95 %` for a verdict's two one-sided bounds.

    `about` where the procedure was measured to be near its confidence, `roughly` where it only
    gets there as rows grow.
    """
    assert evidence.interval is not None
    interval, each = evidence.interval, 1 - evidence.error_rate
    near = {Guarantee.APPROXIMATE: "about ", Guarantee.ASYMPTOTIC: "roughly "}
    how = near.get(interval.guarantee, "")
    resampled = ", by resampling" if interval.guarantee is Guarantee.ASYMPTOTIC else ""
    if interval.side == "two" and interval.confidence < each:
        return f"each end {how}{shown(each, '%')}{resampled}"
    return f"{how}{shown(interval.confidence, '%')}{resampled}"
