"""What a project is: a task, files to begin with, and questions that behaviour answers. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

Numbers: TypeAlias = Mapping[str, str]
"""What was measured, by name, as people read it."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The answer is yes. `said` is a sentence with what was seen."""

    said: str
    numbers: Numbers = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class DoesNotHold:
    """The answer is no, or not yet. `look` says where to look next."""

    said: str
    look: str
    numbers: Numbers = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class CannotSee:
    """There is nothing to look at. `start` says what to start or to write."""

    said: str
    start: str


Finding: TypeAlias = Holds | DoesNotHold | CannotSee


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Bench(Protocol):
    """What a check may look at, and with which hands."""

    @property
    def folder(self) -> Path:
        """Where the learner works."""
        ...

    @property
    def scratch(self) -> Path:
        """An empty folder for this check alone, which is gone afterwards."""
        ...

    def run(self, *words: str) -> Ran:
        """`pilotage WORDS` in the learner's folder, with a home folder in `scratch`."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One question to what the product says or did.

    Attributes:
        name: by which hints are counted.
        question: as a person asks it.
        look: finds the answer.
        hint: where to look, where it does not hold; `stronger` when asked again.
        needs: names of checks that must hold before it is worth looking.
    """

    name: str
    question: str
    look: Callable[[Bench], Finding]
    hint: str
    stronger: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """Practice. `files` are made anew in the learner's folder, TASK.md among them; `first` is what
    to type first; `extra` the part of Pilotage that it needs, with a module that tells."""

    name: str
    title: str
    minutes: int
    task: str
    first: tuple[str, ...]
    files: Mapping[str, Callable[[], bytes]]
    checks: tuple[Check, ...]
    extra: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A check and what it found; None where it was not worth looking yet."""

    check: Check
    finding: Finding | None


def look_at(project: Project, bench: Bench) -> tuple[Looked, ...]:
    """Every question of the project in order, with its answer."""
    held: set[str] = set()
    found: list[Looked] = []
    for check in project.checks:
        finding = check.look(bench) if set(check.needs) <= held else None
        if isinstance(finding, Holds):
            held.add(check.name)
        found.append(Looked(check, finding))
    return tuple(found)


def is_solved(found: tuple[Looked, ...]) -> bool:
    return all(isinstance(each.finding, Holds) for each in found)


def first_open(found: tuple[Looked, ...]) -> Check | None:
    """The check that wants work next."""
    return next((each.check for each in found if not isinstance(each.finding, Holds)), None)
