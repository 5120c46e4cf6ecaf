"""The figures of a gate across groups: each group by itself, then what the gate asks of them."""

from typing import Final

from pilotage.evaluation.page import captions, intervals
from pilotage.evaluation.page.numbers import between, count, shown, width
from pilotage.evaluation.page.ordering import groups_worst_first, highest_first, worst_first
from pilotage.evaluation.page.shapes import (
    WIDE,
    Figure,
    Table,
    as_sentence,
    in_widths,
    more,
    verdict_key,
)
from pilotage.evaluation.report import GateShown, Report

DRAWN_GROUPS: Final = 16
"""Groups, and pairs of groups, in the picture of one gate."""
DRAWN_ACROSS: Final = 12
"""Gates across groups that get pictures of their own."""


def across_figures(report: Report) -> list[Figure]:
    """The figures of all gates across groups, the worst gate first."""
    figures: list[Figure] = []
    for at, gate in enumerate(_drawn_gates(report), start=1):
        if gate.members:
            figures.append(_members(gate, at))
        figures.append(_groups(gate, at, report.outcome))
    return figures


def anchor(gate: GateShown, report: Report) -> str:
    """The identifier of the first picture of a gate's groups; "" where there is none."""
    drawn = [id(each) for each in _drawn_gates(report)]
    if id(gate) not in drawn:
        return ""
    return f"{'members' if gate.members else 'groups'}-{drawn.index(id(gate)) + 1}"


def undrawn_across(report: Report) -> int:
    """Gates across groups that got no picture."""
    return sum(bool(gate.groups) for gate in report.gates) - len(_drawn_gates(report))


def _drawn_gates(report: Report) -> list[GateShown]:
    return worst_first(tuple(gate for gate in report.gates if gate.groups))[:DRAWN_ACROSS]


def _members(gate: GateShown, at: int) -> Figure:
    unit = gate.member_unit
    drawn = highest_first(gate, DRAWN_GROUPS)
    rest = more(len(gate.members), len(drawn), "group")
    rows = tuple(
        (each.group, intervals.estimated(each, unit), between(each.low, each.high, unit),
         count(each.rows))
        for each in drawn
    )  # fmt: skip
    caption = f"{captions.members_seen(drawn, unit)} {as_sentence(rest)}".strip()
    return Figure(
        f"members-{at}",
        f"Each group by itself: {intervals.in_two(gate.title)[0]}",
        caption,
        *in_widths(lambda pixels: intervals.members(gate, drawn, pixels), WIDE),
        Table(("Group", "Estimate", "Interval", "Rows"), rows, rest),
    )


def _groups(gate: GateShown, at: int, outcome: str) -> Figure:
    groups = groups_worst_first(gate)
    drawn = groups[:DRAWN_GROUPS]
    rest = more(len(groups), len(drawn), "group")
    rows = tuple(
        (each.group, intervals.group_word(each, outcome),
         shown(each.estimate, gate.unit, width=width(each.low, each.high)),
         between(each.low, each.high, gate.unit), count(each.rows))
        for each in drawn
    )  # fmt: skip
    wide, narrow = in_widths(
        lambda pixels: intervals.groups(gate, drawn, pixels, outcome=outcome), WIDE
    )
    seen = f"{captions.groups_seen(groups, gate, outcome)}{captions.arrows(wide)}"
    verdict = captions.answer_head(outcome)
    return Figure(
        f"groups-{at}",
        f"Across groups: {intervals.in_two(gate.title)[0]}",
        f"{seen} {as_sentence(rest)}".strip(),
        wide,
        narrow,
        Table(("Group", verdict, "Estimate", "Interval", "Rows"), rows, rest),
        key=verdict_key([group.word for group in drawn], outcome),
    )
