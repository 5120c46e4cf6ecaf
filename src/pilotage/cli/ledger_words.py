"""Lines of the ledger in words, and tables of them for a terminal."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pilotage.control.ledger.lines import Line
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.entries import (
    ROLLOUT,
    Ended,
    Sealed,
    StageEnded,
    Started,
    SteeredBy,
    Verdict,
)
from pilotage.errors import PilotageError
from pilotage.records.values import moment
from pilotage.spec.words import printable

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH: Final = 200
"""Columns of a table that no terminal shows."""
NARROW_SPACE: Final = "\u202f"
SECOND: Final = 19
"""Characters of a moment up to its seconds."""


def when(at_s: float) -> str:
    """Seconds since the epoch as people read them, in UTC, to the second."""
    return moment(int(at_s * 1e9))[:SECOND].replace("T", " ")


def sentence(line: Line) -> str:
    """What happened; that of a later release is not known."""
    entry = line.entry
    try:
        match entry.kind:
            case "started":
                started = entries.read(entry, Started)
                return f"{started.candidate.name} against {started.baseline.name}"
            case "stage":
                stage = entries.read(entry, StageEnded)
                return f"{stage.ended} ended, {stage.began} began"
            case "steered":
                steered = entries.read(entry, SteeredBy)
                return f"{steered.verb}, asked for by {steered.by}"
            case "verdict":
                return answer(entries.read(entry, Verdict))
            case "sealed":
                sealed = entries.read(entry, Sealed)
                count = len(sealed.segments)
                segments = "1 segment" if count == 1 else f"{count} segments"
                return f"{segments} under verdict {sealed.verdict}"
            case "ended":
                ended = entries.read(entry, Ended)
                return _because(ended.phase.replace("_", " "), ended.because)
            case _:
                return "(of a later release)"
    except PilotageError:
        return "(written by another release)"


def answer(verdict: Verdict) -> str:
    """Of what the verdict is, its word, and why."""
    return f"{verdict.of}: {_because(verdict.word, verdict.harm or verdict.because)}"


def subject(verdict: Verdict) -> str:
    """Of what the verdict is, for people."""
    return "all guards together" if verdict.of == ROLLOUT else verdict.of


def _because(what: str, why: str) -> str:
    return f"{what}: {why}" if why else what


def console() -> "Console":
    """The terminal as wide as it is; a file or a pipe as wide as needed."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, folds: Sequence[str] = ()
) -> None:
    """A table without lines; columns that are named in `folds` give way where it is narrow."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in titles:
        if title in folds:
            table.add_column(title, overflow="fold")
        else:
            table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(*map(safe, row))
    console().print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One fact a line, its name before it; those that say nothing are left out."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        if value:
            table.add_row(name, safe(value))
    console().print(table)


def safe(text: str) -> str:
    """Text that was written elsewhere, which must not steer the terminal or pass for markup."""
    parts = text.split(NARROW_SPACE)  # before a unit, and harmless
    return NARROW_SPACE.join(map(printable, parts)).replace("[", "\\[")


def say(text: str) -> None:
    """On stderr, for people."""
    sys.stderr.write(printable(text) + "\n")
