"""What is asked of a host that computes a user's metric, and what it answers.

The rows lie in the host's own folder as `.npy` files, since they may be many; the losses come back
in the same way.
"""

from typing import Final

from msgspec import Struct

TRUTH: Final = "truth.npy"
ANSWER: Final = "answer.npy"
SCORE: Final = "score.npy"
LOSSES: Final = "losses.npy"
PORTION_ROWS: Final = 65_536
"""Rows of one call of the function."""


class LossCall(Struct, frozen=True):
    """One function of a user's.

    Attributes:
        source: the Python file; shown: how messages call it.
        function: its name in there.
        classes: of a classifier, whose truth and answers are indexes into it; empty for numbers.
        scored: whether there is a file of scores.
    """

    source: str
    shown: str
    function: str
    classes: tuple[str, ...]
    scored: bool


class LossesMade(Struct, frozen=True):
    """The losses lie in `LOSSES`: float64 (rows,), each from 0 to 1."""

    rows: int
