"""The map and what a check found, as `--json` tells them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pilotage.learn.projects import CannotSee, DoesNotHold, Holds, Looked, Project
from pilotage.learn.skills import NotYet, Practice, Skill
from pilotage.learn.themes import SKILLS, THEMES
from pilotage.learn.tree import next_of, standing_of

MAP_FORMAT: Final = "pilotage.learn-map/1"
CHECK_FORMAT: Final = "pilotage.learn-check/1"


def map_told(
    role: str | None,
    solved: Collection[str],
    begun: Collection[str],
    projects: Mapping[str, Project],
) -> dict[str, Any]:
    """The skills of a role, or of everybody, and every project."""
    following = next_of(SKILLS, solved, role)
    return {
        "format": MAP_FORMAT,
        "role": role,
        "skills": [
            {"theme": theme.name, **_skill(skill, solved)}
            for theme in THEMES
            for skill in theme.skills
            if role is None or role in skill.roles
        ],
        "projects": [
            {
                "name": project.name,
                "title": project.title,
                "minutes": project.minutes,
                "standing": (
                    "solved"
                    if project.name in solved
                    else "begun"
                    if project.name in begun
                    else "open"
                ),
            }
            for project in projects.values()
        ],
        "next": following.name if following is not None else None,
    }


def _skill(skill: Skill, solved: Collection[str]) -> dict[str, Any]:
    proof = skill.proven_by
    return {
        "name": skill.name,
        "title": skill.title,
        "why": skill.why,
        "roles": skill.roles,
        "builds_on": skill.builds_on,
        "standing": standing_of(skill, SKILLS, solved),
        "project": proof.project if isinstance(proof, Practice) else None,
        "missing": proof.missing if isinstance(proof, NotYet) else None,
        "read": skill.read,
        "command": skill.command or None,
    }


def check_told(
    project: Project, found: Sequence[Looked], *, solved: bool, hint: str
) -> dict[str, Any]:
    """Each question and its answer: holds, does_not_hold, cannot_see or later."""
    return {
        "format": CHECK_FORMAT,
        "project": project.name,
        "solved": solved,
        "checks": [
            {
                "name": each.check.name,
                "question": each.check.question,
                **_finding(each),
            }
            for each in found
        ],
        "hint": hint or None,
    }


def _finding(looked: Looked) -> dict[str, Any]:
    match looked.finding:
        case Holds(said, numbers):
            return {"answer": "holds", "said": said, "next": None, "numbers": dict(numbers)}
        case DoesNotHold(said, look, numbers):
            return {
                "answer": "does_not_hold",
                "said": said,
                "next": look,
                "numbers": dict(numbers),
            }
        case CannotSee(said, start):
            return {"answer": "cannot_see", "said": said, "next": start, "numbers": {}}
        case _:
            return {"answer": "later", "said": None, "next": None, "numbers": {}}
