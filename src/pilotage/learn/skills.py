"""What a skill is, and whose work needs it. Pure."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Role:
    """A line of work, by the name that job offers use. `key` is what people type."""

    key: str
    title: str
    does: str


@dataclass(frozen=True, slots=True)
class Practice:
    """The skill is proven by a project of `pilotage learn`."""

    project: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The product can do it and documents teach it; no project proves it yet."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """The product cannot do it yet. `missing` names the capability, as a noun."""

    missing: str


Proof: TypeAlias = Practice | Reading | NotYet


@dataclass(frozen=True, slots=True)
class Skill:
    """Something that one can learn to do.

    Attributes:
        name: what people type: words joined by hyphens.
        title: the field's standard term for it.
        why: why it matters at work, in one or two sentences.
        roles: keys of the roles that need it.
        builds_on: names of the skills to have before.
        proven_by: what shows that somebody has it.
        read: pages of `docs`, with an anchor where there is one ("how-to/operate.md#watch-it").
        command: what uses it, as typed ("pilotage evaluate --plan"); "" where nothing does yet.
    """

    name: str
    title: str
    why: str
    roles: tuple[str, ...]
    builds_on: tuple[str, ...]
    proven_by: Proof
    read: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """Skills that answer one question."""

    name: str
    question: str
    skills: tuple[Skill, ...]
