"""What comes first, what is done, what is open, and what is next. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from pilotage.errors import PilotageError
from pilotage.learn.skills import NotYet, Practice, Skill, Theme

Standing: TypeAlias = Literal["done", "open", "later", "read", "not yet"]
"""done: its project is solved; open: its project can be begun; later: a project before it is not
solved; read: documents teach it, no project proves it; not yet: the product cannot do it."""


def ordered(skills: Iterable[Skill]) -> tuple[Skill, ...]:
    """The skills, each behind those that it builds on, else in the order given.

    Raises:
        PilotageError: one builds on what is not there, or on itself by a circle.
    """
    every = {skill.name: skill for skill in skills}
    done: dict[str, Skill] = {}

    def place(skill: Skill, way: tuple[str, ...]) -> None:
        if skill.name in done:
            return
        if skill.name in way:
            circle = " > ".join((*way[way.index(skill.name) :], skill.name))
            raise PilotageError("skills build on one another in a circle", where=circle)
        for before in skill.builds_on:
            if before not in every:
                raise PilotageError(
                    f"{skill.name} builds on {before}, which is no skill", where=skill.name
                )
            place(every[before], (*way, skill.name))
        done[skill.name] = skill

    for skill in every.values():
        place(skill, ())
    return tuple(done.values())


def standing_of(skill: Skill, skills: Mapping[str, Skill], solved: Collection[str]) -> Standing:
    """How a skill stands for somebody who has solved these projects."""
    proof = skill.proven_by
    if isinstance(proof, NotYet):
        return "not yet"
    if not isinstance(proof, Practice):
        return "read"
    if proof.project in solved:
        return "done"
    before = {
        each.proven_by.project
        for each in _all_before(skill, skills)
        if isinstance(each.proven_by, Practice)
    }
    return "open" if before <= {proof.project, *solved} else "later"


def _all_before(skill: Skill, skills: Mapping[str, Skill]) -> list[Skill]:
    """All that a skill builds on, however far down."""
    found: dict[str, Skill] = {}
    to_look = list(skill.builds_on)
    while to_look:
        name = to_look.pop()
        if name not in found:
            found[name] = skills[name]
            to_look += skills[name].builds_on
    return list(found.values())


def next_of(skills: Mapping[str, Skill], solved: Collection[str], role: str | None) -> Skill | None:
    """The first open skill of a role (of anybody for None), in the order of the map; None when
    every project of theirs is solved."""
    for skill in skills.values():
        if (role is None or role in skill.roles) and standing_of(skill, skills, solved) == "open":
            return skill
    return None


def branches_of(theme: Theme, role: str | None) -> Sequence[tuple[int, Skill]]:
    """The skills of a theme as a tree: (depth, skill), each below the last one of the same theme
    that it builds on. With a role only its own."""
    kept = [skill for skill in theme.skills if role is None or role in skill.roles]
    names = {skill.name for skill in kept}
    parents = {
        skill.name: next((name for name in reversed(skill.builds_on) if name in names), None)
        for skill in kept
    }
    found: list[tuple[int, Skill]] = []

    def grow(parent: str | None, depth: int) -> None:
        for skill in kept:
            if parents[skill.name] == parent:
                found.append((depth, skill))
                grow(skill.name, depth + 1)

    grow(None, 0)
    return found
