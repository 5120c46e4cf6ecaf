"""What a figure and a table of the page are made of, and the widths that they are drawn in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pilotage.evaluation.page.drawing import Spec
from pilotage.evaluation.page.numbers import count
from pilotage.evaluation.verdict_words import word_shown

WIDE: Final = 860
HALF: Final = 404
NARROW: Final = 304
"""Widths of the drawings, in pixels: whole row, half a row, phone."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers in rows; the first column names the row. `more` tells what was left out."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: str = ""
    notes: tuple[str, ...] = ()
    """One for each row, shown under its name; empty where no row has one."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture in two widths, with its caption, its table and, where colours need it, a key."""

    anchor: str
    title: str
    caption: str
    wide: Spec
    narrow: Spec
    table: Table
    key: tuple[tuple[str, str], ...] = ()
    """(class of the swatch, its name)."""
    shape: Literal["whole", "half", "alone"] = "whole"
    """How it stands in a page of two columns; `alone` is a half with nobody beside it."""


def in_widths(spec: Callable[[int], Spec], width: int) -> tuple[Spec, Spec]:
    """A picture for the page and for a phone."""
    return spec(width), spec(NARROW)


def more(total: int, drawn: int, noun: str) -> str:
    """What a picture or list leaves out, or "". The noun is that of one."""
    left = total - drawn
    if left <= 0:
        return ""
    ending = "" if left == 1 else "es" if noun.endswith("s") else "s"
    return f"and {count(left)} more {noun}{ending} in the JSON"


def as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def verdict_key(words: list[str], outcome: str) -> tuple[tuple[str, str], ...]:
    """The key of a picture with these verdicts in it."""
    swatches = {"failed": "diamond", "undecided": "ring", "passed": "disc"}
    return tuple(
        (swatch, word_shown(word, outcome)) for word, swatch in swatches.items() if word in words
    )
