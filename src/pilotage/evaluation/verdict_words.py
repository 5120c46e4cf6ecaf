"""The words and signs in which a person reads a verdict.

Where two models are compared nothing passes or fails, though the same procedure answers: a verdict
of passed says that the new one is better. Machines read `verdict.word`, which stays what it is.
"""

from typing import Final

COMPARED: Final = "compared"
"""The outcome of a report in which nothing passes or fails."""
NOT_SHOWN: Final = "not shown"

_COMPARED: Final = {"passed": "better", "failed": "worse", "undecided": NOT_SHOWN}
_MARKS: Final = {
    "passed": "✓",
    "failed": "✗",
    "undecided": "?",
    "better": "+",
    "worse": "−",
    NOT_SHOWN: "?",
}


def word_shown(word: str, outcome: str) -> str:
    """A verdict's word as it is shown in a report of this outcome."""
    return _COMPARED.get(word, word) if outcome == COMPARED else word


def mark_shown(word: str, outcome: str) -> str:
    """The sign beside the word that is shown; "" where the word is no verdict."""
    return _MARKS.get(word_shown(word, outcome), "")
