"""A gate over groups: each group against a number, or pairs of groups against each other.

Passing needs every group or pair to pass, without a correction. Failing, and naming the culprits,
is Holm's. A group that is too small leaves the gate undecided: it is never left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import ceil, inf
from typing import Final

import numpy as np

from pilotage.checks.answers import GroupAnswer, GroupEstimate
from pilotage.checks.observed import Observed
from pilotage.checks.once.between_groups import Group, difference_between, ratio_between
from pilotage.checks.once.quantities import Quantity
from pilotage.checks.once.rows import only
from pilotage.checks.scored import Array, Grouping, Scored
from pilotage.checks.step_down import Question, shown_to_fail
from pilotage.errors import PilotageError
from pilotage.spec.gates import DifferenceAcross, Gate, RatioAcross
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided, Verdict

Look = Callable[[Scored], Observed]
"""What a metric, with its options, sees in some rows."""

OVERALL: Final = "everyone else"
EVERY_PAIR: Final = 100
"""Groups of which all pairs are compared: 4,950 of them, a minute."""
SHOWN: Final = 8
"""Small groups that a note names."""


@dataclass(frozen=True, slots=True)
class Part:
    """One group or pair with its question. Of a ratio and its inverse, the smaller is shown.

    `small` tells that a group of it has fewer rows than the gate asks for.
    `chosen_from`: how many pairs it was chosen from by looking, on average.
    """

    name: str
    quantity: Quantity
    ask: Question
    shown: bool = True
    small: bool = False
    chosen_from: float = 1.0
    harm: Callable[[float], float] = field(default=lambda estimate: -estimate)
    """How near to failing an estimate is; the more the worse."""


def groups_of(look: Look, scored: Scored, grouping: Grouping) -> list[Group]:
    """Each group's rows as the metric sees them, the largest group first."""
    found = [
        Group(name, look(only(scored, inside)), int(np.count_nonzero(inside)))
        for name, inside in members_of(grouping)
    ]
    return sorted(found, key=lambda group: -group.rows)


def members_of(grouping: Grouping) -> list[tuple[str, Array]]:
    """The groups that have rows, each with which rows: bool (rows,)."""
    found = [(name, grouping.codes == code) for code, name in enumerate(grouping.names)]
    return [(name, inside) for name, inside in found if inside.any()]


def pairs_of(
    gate: Gate, look: Look, scored: Scored, *, lower_is_better: bool
) -> tuple[list[Group], list[Part]]:
    """The groups, and the pairs of them whose answers make the gate's.

    Raises:
        PilotageError: fewer than two groups, or a group to compare with that is not there.
    """
    grouping = grouping_of(scored, gate.across)
    groups = groups_of(look, scored, grouping)
    pairs = _pairs(gate, look, scored, grouping, groups, lower_is_better)
    # Any group could have become the best one: failing pays for every pair that it might have been.
    chosen_from = len(groups) / 2 if gate.against == "best" else 1.0
    match gate.condition:
        case DifferenceAcross(at_most):
            return groups, [
                Part(
                    _against(one, other),
                    quantity,
                    quantity.equals(0.0, within=at_most),
                    small=min(one.rows, other.rows) < gate.groups_from,
                    chosen_from=chosen_from,
                    harm=abs,
                )
                for one, other in pairs
                for quantity in [difference_between(one, other, rows_from=gate.groups_from)]
            ]
        case RatioAcross(at_least):
            return groups, [
                Part(
                    _against(one, other),
                    quantity,
                    quantity.at_least(at_least),
                    one is smaller,
                    min(one.rows, other.rows) < gate.groups_from,
                    chosen_from,
                )
                for larger, smaller in pairs
                for one, other in ((smaller, larger), (larger, smaller))
                for quantity in [ratio_between(one, other, rows_from=gate.groups_from)]
            ]
        case _:
            raise PilotageError("this condition compares no groups")


def _against(one: Group, other: Group) -> str:
    return f"{one.name} against {other.name}"


def _pairs(
    gate: Gate,
    look: Look,
    scored: Scored,
    grouping: Grouping,
    groups: Sequence[Group],
    lower_is_better: bool,
) -> list[tuple[Group, Group]]:
    """Which groups are compared, the smaller metric second."""
    if len(groups) < 2:
        raise PilotageError(
            f"there is only one group in {' × '.join(gate.across)}: {groups[0].name}",
            expected="two groups or more to compare",
        )
    named = {group.name: group for group in groups}
    if gate.against == "extremes":
        if len(groups) > EVERY_PAIR:
            raise PilotageError(
                f"{' × '.join(gate.across)} has {len(groups):,} groups, too many to compare all"
                " pairs of them",
                expected=f"{EVERY_PAIR} at most",
                fix="Compare each with the best or with everyone else: against: best, or"
                " against: overall.",
            )
        return [_ordered(pair) for pair in combinations(groups, 2)]
    if gate.against == "overall":
        return [_ordered((group, _rest(look, scored, grouping, group.name))) for group in groups]
    if gate.against == "best":
        reference = _best(groups, gate.groups_from, lower_is_better)
    elif gate.against in named:
        reference = named[gate.against]
    else:
        raise PilotageError(
            f"no group of {' × '.join(gate.across)} is named {gate.against}",
            expected=f"one of {', '.join(named)}",
        )
    return [_ordered((group, reference)) for group in groups if group is not reference]


def _rest(look: Look, scored: Scored, grouping: Grouping, name: str) -> Group:
    outside = grouping.codes != grouping.names.index(name)
    rows = int(np.count_nonzero(outside))
    return Group(OVERALL, look(only(scored, outside)), rows)


def _best(groups: Sequence[Group], rows_from: int, lower_is_better: bool) -> Group:
    """The group with the best estimate of those that are large enough to be judged.

    It is chosen by the same rows. Passing pays nothing for that, since the luckiest group is the
    hardest to be near to; failing does (`Part.chosen_from`).
    """
    large = [group for group in groups if group.rows >= rows_from] or list(groups)
    sign = -1.0 if lower_is_better else 1.0
    return max(large, key=lambda group: sign * (group.quantity.estimate or 0.0))


def _ordered(pair: tuple[Group, Group]) -> tuple[Group, Group]:
    one, other = pair
    if (one.quantity.estimate or 0.0) < (other.quantity.estimate or 0.0):
        return other, one
    return one, other


def ask_all(parts: Sequence[Part], rows: int) -> Question:
    """One question out of many: passed when all pass, failed when any is shown to fail.

    `rows`: of all groups together.
    """

    def ask(confidence: float) -> Verdict:
        verdicts = [part.ask(confidence) for part in parts]
        shown = shown_parts(parts, confidence)
        worst = verdicts[_worst(parts, verdicts, shown)].evidence
        evidence = replace(worst, observations=rows)
        if any(shown):
            return Failed(evidence)
        if all(isinstance(verdict, Passed) for verdict in verdicts):
            return Passed(evidence)
        few = any(_is_small(verdict) for verdict in verdicts)
        return Undecided(evidence, Because.TOO_FEW if few else Because.STRADDLES)

    return ask


def shown_parts(parts: Sequence[Part], confidence: float) -> tuple[bool, ...]:
    """Which parts are shown to fail. Those with too few rows are no chance of a failure, and so do
    not count among the questions: their size does not depend on any answer. All others do, even
    where the answers turned out to be too few to say anything."""
    judged = [i for i, part in enumerate(parts) if not part.small]
    possible = ceil(sum(parts[i].chosen_from for i in judged))
    failing = shown_to_fail([parts[i].ask for i in judged], 1 - confidence, possible=possible)
    named = {i for i, fails in zip(judged, failing, strict=True) if fails}
    return tuple(i in named for i in range(len(parts)))


def answers_of(parts: Sequence[Part], confidence: float) -> tuple[GroupAnswer, ...]:
    """Each part's own answer, the worst first; a ratio and its inverse are shown once."""
    shown = shown_parts(parts, confidence)
    verdicts = [part.ask(confidence) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: _order(parts[i], shown[i], verdicts[i]))
    return tuple(
        _answer(parts[i], verdicts[i], shown[i]) for i in order if parts[i].shown or shown[i]
    )


def members_shown(groups: Sequence[Group], confidence: float) -> tuple[GroupEstimate, ...]:
    """What the metric is in each group by itself, the largest group first."""
    shown: list[GroupEstimate] = []
    for group in groups:
        interval = group.quantity.interval(confidence, "two")
        estimate = group.quantity.estimate
        shown.append(GroupEstimate(group.name, group.rows, estimate, interval.low, interval.high))
    return tuple(shown)


def _answer(part: Part, verdict: Verdict, culprit: bool) -> GroupAnswer:
    evidence = verdict.evidence
    interval = evidence.interval
    return GroupAnswer(
        part.name,
        verdict,
        evidence.observations,
        evidence.estimate,
        interval.low if interval else None,
        interval.high if interval else None,
        culprit,
    )


def _worst(parts: Sequence[Part], verdicts: Sequence[Verdict], shown: Sequence[bool]) -> int:
    """The part that the gate's numbers are taken from: the first of those that are shown."""
    return min(range(len(parts)), key=lambda i: _order(parts[i], shown[i], verdicts[i]))


def _order(part: Part, culprit: bool, verdict: Verdict) -> tuple[int, float]:
    """What is shown to fail comes first, then what fails alone, what is open, what is too small to
    be judged, and last what passes; among those what is nearest to failing."""
    estimate = verdict.evidence.estimate
    if culprit or isinstance(verdict, Failed):
        rank = 0 if culprit else 1
    elif isinstance(verdict, Undecided):
        rank = 3 if _is_small(verdict) else 2
    else:
        rank = 4
    return rank, inf if estimate is None else -part.harm(estimate)


def _is_small(verdict: Verdict) -> bool:
    return isinstance(verdict, Undecided) and verdict.because in (
        Because.TOO_FEW,
        Because.NO_DATA,
    )


def too_small(grouping: Grouping, rows_from: int) -> tuple[str, ...]:
    """A note on the groups that are too small to be judged, if there are any."""
    small = [
        f"{name} ({int(inside.sum()):,})"
        for name, inside in members_of(grouping)
        if inside.sum() < rows_from
    ]
    if not small:
        return ()
    more = f" and {len(small) - SHOWN} more" if len(small) > SHOWN else ""
    noun = "a group has" if len(small) == 1 else f"{len(small)} groups have"
    return (f"{noun} fewer than {rows_from} rows: {', '.join(small[:SHOWN])}{more}",)


def grouping_of(scored: Scored, across: Sequence[str]) -> Grouping:
    """The groups of a column, or of the intersection of several.

    Raises:
        PilotageError: the columns were not read as groups.
    """
    name = " × ".join(across)
    known: Mapping[str, Grouping] = scored.groups
    if name not in known:
        raise PilotageError(
            f"the rows have no groups of {name}", expected=f"one of {', '.join(known) or 'none'}"
        )
    return known[name]
