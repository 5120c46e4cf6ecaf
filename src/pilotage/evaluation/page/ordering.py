"""What a person looks at first: the order of gates and groups in lists and pictures."""

from typing import Final

from pilotage.evaluation.page.numbers import known
from pilotage.evaluation.report import GateShown, GroupShown, MemberShown

ORDER: Final = {"failed": 0, "undecided": 1, "passed": 2}


def worst_first(gates: tuple[GateShown, ...]) -> list[GateShown]:
    """Failed, then undecided, then passed; else as declared."""
    return sorted(gates, key=lambda gate: ORDER.get(gate.verdict.word, 1))


def groups_worst_first(gate: GateShown) -> list[GroupShown]:
    """The groups of a gate in the same order; of those that fail a cause comes first."""
    return sorted(gate.groups, key=lambda group: (ORDER.get(group.word, 1), not group.culprit))


def highest_first(gate: GateShown, most: int) -> list[MemberShown]:
    """The `most` largest of the groups that a gate compares, by what the metric is in them; those
    in which it is unknown come last."""
    largest = sorted(gate.members, key=lambda member: -member.rows)[:most]
    return sorted(largest, key=_down)


def _down(member: MemberShown) -> tuple[bool, float]:
    estimate = member.estimate
    if estimate is None or not known(estimate):
        return True, 0.0
    return False, -estimate
