"""From gates and scored rows to answers: what `pilotage evaluate` decides.

A gate becomes a question (`Question`: confidence -> verdict). All gates are then asked together:
passing is each gate's own; failing is Holm's over all of them, since any failure stops a release.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pilotage.checks.answers import Answer
from pilotage.checks.metrics import difference_unit_of, observe, unit_of
from pilotage.checks.observed import Observed
from pilotage.checks.once.across_groups import (
    Part,
    answers_of,
    ask_all,
    grouping_of,
    members_of,
    members_shown,
    pairs_of,
    too_small,
)
from pilotage.checks.once.between_groups import Group
from pilotage.checks.once.of_one_model import quantity_of
from pilotage.checks.once.on_same_rows import difference_of
from pilotage.checks.once.quantities import Quantity
from pilotage.checks.once.rows import only
from pilotage.checks.once.rows_needed import rows_needed
from pilotage.checks.scored import Array, Scored
from pilotage.checks.sentences import sentence_of, title_of_gate, under
from pilotage.checks.step_down import Question, shown_to_fail
from pilotage.errors import PilotageError
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
from pilotage.statistics.verdict import Because, Failed, Undecided

AMONG_MANY = "may be chance among so many gates"


@dataclass(frozen=True, slots=True)
class Rows:
    """What the gates are asked about: the candidate's rows, and where a gate needs them the
    baseline's and those of the candidate on perturbed inputs, all of the same rows in one order.

    Where the model failed on perturbed inputs, the error stands in their place.
    """

    candidate: Scored
    baseline: Scored | None = None
    perturbed: Mapping[Perturbation, Scored | PilotageError] = field(
        default_factory=dict[Perturbation, Scored | PilotageError]
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A gate made a question. `quantity` is None for a gate over groups, which has `parts`."""

    gate: Gate
    word: MetricWord
    ask: Question
    unit: str
    margin: float
    quantity: Quantity | None = None
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    members: tuple[Group, ...] = ()
    """The groups by themselves, where they are compared."""


def ask(gate: Gate, word: MetricWord, rows: Rows) -> Asked:
    """The question that a gate puts to these rows.

    Raises:
        PilotageError: the metric is not defined for the model, or rows that it needs are missing;
            `where` is the gate's line.
    """
    try:
        rows = _narrowed(gate, rows)
        if gate.across:
            return _ask_across(gate, word, rows)
        quantity, question = _one(gate, word, rows)
        return Asked(gate, word, question, _unit(gate, word), _margin(gate), quantity)
    except PilotageError as error:
        place = error.where or (f"line {gate.line}" if gate.line else f"the gate on {gate.metric}")
        raise PilotageError(
            error.what, where=place, expected=error.expected, fix=error.fix
        ) from error


def answer_all(asked: Sequence[Asked], confidence: float) -> tuple[Answer, ...]:
    """Every gate's answer, with one error rate for all failures together."""
    shown = shown_to_fail([one.ask for one in asked], 1 - confidence)
    return tuple(_answer(one, fails, confidence) for one, fails in zip(asked, shown, strict=True))


def _answer(asked: Asked, fails: bool, confidence: float) -> Answer:
    verdict = asked.ask(confidence)
    notes, why = asked.notes, ""
    groups = answers_of(asked.parts, confidence) if asked.parts else ()
    if isinstance(verdict, Failed) and not fails:
        verdict, why = Undecided(verdict.evidence, Because.STRADDLES), AMONG_MANY
        notes += ("fails alone, but not among so many gates: one of them may fail so by chance",)
        groups = tuple(replace(one, culprit=False) for one in groups)
    alone = [one.group for one in groups if isinstance(one.verdict, Failed) and not one.culprit]
    if alone and not why and not isinstance(verdict, Failed):
        notes += (f"would fail alone, but may be chance among so many: {', '.join(alone)}",)
    return Answer(
        asked.gate,
        title_of_gate(asked.gate, asked.word),
        sentence_of(asked.gate, asked.word, asked.unit, verdict, groups, why=why),
        verdict,
        asked.margin,
        asked.unit,
        groups,
        # Of groups each one decides; of a failure among many, the other gates do.
        None if groups or why else rows_needed(asked.gate.condition, asked.word, verdict),
        notes,
        members_shown(asked.members, confidence),
    )


def _narrowed(gate: Gate, rows: Rows) -> Rows:
    """The rows that the gate's `where` leaves."""
    chosen = np.ones(rows.candidate.rows, dtype=bool)
    for column, value in gate.where:
        grouping = grouping_of(rows.candidate, (column,))
        if value not in grouping.names:
            raise PilotageError(
                f"no row has {column} = {value}", expected=f"one of {', '.join(grouping.names)}"
            )
        chosen &= grouping.codes == grouping.names.index(value)
    if not chosen.any():
        where = " and ".join(f"{column} = {value}" for column, value in gate.where)
        raise PilotageError(f"no row has {where}", fix="Leave a part of `where` out.")
    return rows if chosen.all() else _chosen(rows, chosen)


def _chosen(rows: Rows, chosen: Array) -> Rows:
    return Rows(
        only(rows.candidate, chosen),
        None if rows.baseline is None else only(rows.baseline, chosen),
        {
            how: scored if isinstance(scored, PilotageError) else only(scored, chosen)
            for how, scored in rows.perturbed.items()
        },
    )


def _ask_across(gate: Gate, word: MetricWord, rows: Rows) -> Asked:
    members: list[Group] = []
    if isinstance(gate.condition, DifferenceAcross | RatioAcross):
        members, parts = pairs_of(
            gate,
            lambda scored: observe(word, scored, dict(gate.options)),
            rows.candidate,
            lower_is_better=word.better == "lower",
        )
    else:
        parts = [
            _part(gate, word, _chosen(rows, inside), name)
            for name, inside in members_of(grouping_of(rows.candidate, gate.across))
        ]
    question = ask_all(parts, rows.candidate.rows)
    small = too_small(grouping_of(rows.candidate, gate.across), gate.groups_from)
    return Asked(
        gate,
        word,
        question,
        _unit(gate, word),
        _margin(gate),
        parts=tuple(parts),
        notes=small,
        members=tuple(members),
    )


def _part(gate: Gate, word: MetricWord, rows: Rows, name: str) -> Part:
    """The gate asked of one group alone."""
    quantity, _ = _one(gate, word, rows)
    small = rows.candidate.rows < gate.groups_from
    if small:
        quantity = replace(quantity, because=Because.TOO_FEW)
    question = _question(gate, word, quantity)
    return Part(name, quantity, question, small=small, harm=_harm(gate, word))


def _harm(gate: Gate, word: MetricWord) -> Callable[[float], float]:
    """How near to failing an estimate is, the more the worse."""
    match gate.condition:
        case AtMost():
            return lambda estimate: estimate
        case Within():
            return abs
        case Equals(value):
            return lambda estimate: abs(estimate - value)
        case NotWorseThanBaseline() | BetterThanBaseline() if word.better == "lower":
            return lambda estimate: estimate
        case _:
            return lambda estimate: -estimate


def _one(gate: Gate, word: MetricWord, rows: Rows) -> tuple[Quantity, Question]:
    def look(scored: Scored) -> Observed:
        return observe(word, scored, dict(gate.options))

    match gate.condition:
        case NotWorseThanBaseline() | BetterThanBaseline():
            if rows.baseline is None:
                raise PilotageError(
                    "this gate compares with a baseline, and none is given",
                    fix="Name it: --baseline MODEL.",
                )
            quantity = difference_of(look(rows.candidate), look(rows.baseline))
        case DropUnder(perturbation):
            perturbed = rows.perturbed[perturbation]
            if isinstance(perturbed, PilotageError):
                raise PilotageError(
                    f"{under(perturbation)}, {perturbed.what}",
                    fix="Make the model answer such rows (impute what is missing), or do not"
                    " perturb what it will never see.",
                )
            quantity = difference_of(look(perturbed), look(rows.candidate))
        case _:
            quantity = quantity_of(look(rows.candidate))
    return quantity, _question(gate, word, quantity)


def _question(gate: Gate, word: MetricWord, quantity: Quantity) -> Question:
    """A comparison passes against its margin and fails against 0; a plain floor has one number."""
    lower = word.better == "lower"
    match gate.condition:
        case AtLeast(value):
            return quantity.at_least(value)
        case AtMost(value):
            return quantity.at_most(value)
        case Within(value):
            return quantity.equals(0.0, within=value)
        case Equals(value, within):
            return quantity.equals(value, within=within)
        case NotWorseThanBaseline(margin):
            if lower:
                return quantity.at_most(margin, fails_above=0.0)
            return quantity.at_least(-margin, fails_below=0.0)
        case BetterThanBaseline(by):
            return quantity.at_most(-by) if lower else quantity.at_least(by)
        case DropUnder(_, at_most):
            return quantity.at_most(at_most) if lower else quantity.at_least(-at_most)
        case DifferenceAcross() | RatioAcross():
            raise PilotageError(
                "this gate compares groups, and names none", fix="Name them: across: COLUMN."
            )


def _unit(gate: Gate, word: MetricWord) -> str:
    match gate.condition:
        case AtLeast() | AtMost() | Within() | Equals():
            unit = unit_of(word)
            return "pp" if unit == "%" and word.better == "zero" else unit
        case RatioAcross():
            return "ratio"
        case _:
            return difference_unit_of(word)


def _margin(gate: Gate) -> float:
    """The number that decides, in the direction in which it is shown (harm is to its left)."""
    match gate.condition:
        case AtLeast(value) | AtMost(value) | Within(value) | Equals(value):
            return value
        case NotWorseThanBaseline(margin) | BetterThanBaseline(margin):
            return margin
        case DifferenceAcross(at_most) | DropUnder(_, at_most):
            return at_most
        case RatioAcross(at_least):
            return at_least
