"""A confusion table of any number of classes, made small enough to be read.

Of many classes those with the most errors keep their row and column; the others are added up, so
that every row of the data is still counted once.
"""

from dataclasses import dataclass
from typing import Final

from pilotage.evaluation.report import Confusion

SHOWN_CLASSES: Final = 12
"""Classes that keep a row of their own on a wide page."""
SHOWN_CLASSES_NARROW: Final = 6
"""The same on a narrow one."""
SHOWN_PAIRS: Final = 12
"""Pairs of truth and answer that are listed."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows: truth; columns: answer. `shares` of the row, None where the row is empty or where a
    share would mislead (the classes that were added up, with themselves)."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float | None, ...], ...]
    merged: int
    """How many classes were added up."""


@dataclass(frozen=True, slots=True)
class Confused:
    """One answer that was given for another class: how often, and its share of that class."""

    truth: str
    answer: str
    count: int
    share: float


def cells(table: Confusion, most: int) -> Cells:
    """The table with at most `most` classes, and one line for all others where there are more."""
    size = len(table.classes)
    kept = list(range(size))
    if size > most:
        by_errors = sorted(range(size), key=lambda at: (-_errors(table, at), at))
        kept = sorted(by_errors[:most])
    rest = [at for at in range(size) if at not in kept]
    parts = [[at] for at in kept] + ([rest] if rest else [])
    counts = tuple(
        tuple(sum(table.counts[t][a] for t in truth for a in answer) for answer in parts)
        for truth in parts
    )
    names = [table.classes[at] for at in kept] + ([_others(len(rest))] if rest else [])
    shares = [[_share(each, sum(row)) for each in row] for row in counts]
    if rest:
        shares[-1][-1] = None
    return Cells(tuple(names), counts, tuple(tuple(row) for row in shares), len(rest))


def most_confused(table: Confusion, most: int = SHOWN_PAIRS) -> tuple[Confused, ...]:
    """The pairs with the most errors, the worst first."""
    pairs = [
        Confused(table.classes[truth], table.classes[answer], count, count / sum(row))
        for truth, row in enumerate(table.counts)
        for answer, count in enumerate(row)
        if truth != answer and count
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.count)[:most])


def _others(many: int) -> str:
    return "1 other" if many == 1 else f"{many} others"


def _errors(table: Confusion, at: int) -> int:
    """Errors that a class is part of, as truth or as answer."""
    row, right = sum(table.counts[at]), table.counts[at][at]
    return row - right + sum(line[at] for line in table.counts) - right


def _share(count: int, total: int) -> float | None:
    return count / total if total else None
