"""The figures of a gate that compares groups: each by itself, then the pairs."""

import msgspec
import pytest

from pilotage.evaluation.page.across import DRAWN_GROUPS, across_figures, anchor
from pilotage.evaluation.report import MemberShown
from simulators.reports import race_gate, report, sex_gate


def figures(gate, *members):
    shown = msgspec.structs.replace(gate, members=members) if members else gate
    return across_figures(report(gates=(shown,)))


def test_each_group_by_itself_comes_before_the_pairs_and_the_gate_leads_to_it():
    assert [figure.anchor for figure in figures(sex_gate())] == ["members-1", "groups-1"]
    gates = (sex_gate(), msgspec.structs.replace(race_gate(), members=()))
    shown = report(gates=gates)
    assert [anchor(gate, shown) for gate in gates] == ["members-1", "groups-2"]


def test_the_highest_is_on_top_and_the_caption_names_highest_and_lowest():
    figure = figures(race_gate())[0]
    assert figure.title == "Each group by itself: Selection rate across race"
    assert figure.caption.startswith("Highest in White, 43.2–44.8")
    assert "lowest in Pacific Islander, 35.7–41.8" in figure.caption
    names = [row["name"] for row in figure.wide["data"]["values"]]
    assert (names[0], names[-1]) == ("White", "Pacific Islander")


def test_the_table_holds_what_is_drawn():
    head, (first, _) = (
        figures(sex_gate("failed"))[0].table.head,
        figures(sex_gate("failed"))[0].table.rows,
    )
    assert head == ("Group", "Estimate", "Interval", "Rows")
    assert [cell.replace("\u202f", " ") for cell in first] == [
        "F", "18.4 %", "17.6–19.2 %", "9,600",
    ]  # fmt: skip


@pytest.mark.parametrize(("many", "rest"), [(DRAWN_GROUPS, ""), (DRAWN_GROUPS + 1, "1 more group")])
def test_the_largest_groups_are_drawn_and_the_others_counted(many, rest):
    members = [MemberShown(f"g{n}", n + 1, n / 100, n / 200, n / 50) for n in range(many)]
    figure = figures(sex_gate(), *members)[0]
    names = [row[0] for row in figure.table.rows]
    assert len(names) == DRAWN_GROUPS
    assert ("g0" in names) is (not rest)
    assert rest in figure.caption
    assert bool(figure.table.more) is bool(rest)


def unknown(name):
    return MemberShown(name, 3, None, None, None)


def test_a_group_of_which_nothing_is_known_keeps_its_line_and_is_no_extreme():
    known = MemberShown("F", 100, 0.2, 0.1, 0.3)
    figure = figures(sex_gate(), unknown("tiny"), known, unknown("small"))[0]
    assert [row["name"] for row in figure.wide["data"]["values"]] == ["F", "tiny", "small"]
    assert figure.caption.startswith("Known in one group only: F, 10–30")
    assert figures(sex_gate(), unknown("a"), unknown("b"))[0].caption.startswith(
        "In no group is there enough to say"
    )


def test_groups_that_are_alike_have_no_highest():
    members = [MemberShown(name, 100, 0.0, 0.0, 0.03) for name in "FM"]
    assert figures(sex_gate(), *members)[0].caption.startswith("The same in all of them: 0")
