import pytest

from pilotage.errors import PilotageError
from pilotage.learn.skills import NotYet, Practice, Reading, Skill, Theme
from pilotage.learn.tree import branches_of, next_of, ordered, standing_of


def skill(name, *before, proven_by=None, roles=("ml-engineer",)) -> Skill:
    return Skill(name, name, "Why.", roles, before, proven_by or Reading())


FIRST = skill("first", proven_by=Practice("one"))
SECOND = skill("second", "first", proven_by=Practice("two"), roles=("edge",))
MORE = skill("more", "first", proven_by=Practice("one"))
FAR = skill("far", "between", proven_by=Practice("three"), roles=("edge",))
BETWEEN = skill("between", "second")
LATER = skill("later", proven_by=NotYet("wings"))
EVERY = {one.name: one for one in (SECOND, FIRST, MORE, FAR, BETWEEN, LATER)}


def test_every_skill_comes_behind_those_that_it_builds_on():
    assert [one.name for one in ordered(EVERY.values())] == [
        *("first", "second", "more", "between", "far", "later"),
    ]


def test_a_circle_is_refused_with_its_way():
    with pytest.raises(PilotageError) as refused:
        ordered([skill("a", "b"), skill("b", "c"), skill("c", "b")])
    assert refused.value.where == "b > c > b"


def test_a_skill_that_builds_on_nothing_known_is_refused():
    with pytest.raises(PilotageError, match="builds on wings, which is no skill"):
        ordered([skill("a", "wings")])


@pytest.mark.parametrize(
    ("one", "solved", "standing"),
    [
        (FIRST, [], "open"),
        (FIRST, ["one"], "done"),
        (MORE, [], "open"),
        (SECOND, [], "later"),
        (SECOND, ["one"], "open"),
        (FAR, ["one"], "later"),
        (FAR, ["one", "two"], "open"),
        (FAR, ["three"], "done"),
        (BETWEEN, [], "read"),
        (LATER, ["one", "two", "three"], "not yet"),
    ],
)
def test_a_skill_stands_where_the_projects_before_it_put_it(one, solved, standing):
    assert standing_of(one, EVERY, solved) == standing


def test_next_is_the_first_open_skill_of_a_role():
    assert next_of(EVERY, [], None) == FIRST
    assert next_of(EVERY, [], "edge") is None
    assert next_of(EVERY, ["one"], "edge") == SECOND
    assert next_of(EVERY, ["one", "two", "three"], None) is None


def test_a_branch_stands_below_the_last_skill_of_its_theme_that_it_builds_on():
    theme = Theme("t", "?", tuple(EVERY.values()))
    assert [(depth, one.name) for depth, one in branches_of(theme, None)] == [
        *((0, "first"), (1, "second"), (2, "between"), (3, "far"), (1, "more"), (0, "later")),
    ]
    assert [(depth, one.name) for depth, one in branches_of(theme, "edge")] == [
        *((0, "second"), (0, "far")),
    ]
