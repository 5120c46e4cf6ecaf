"""Words in messages: the nearest valid one, and a caller's text made safe to show. Pure."""

from collections.abc import Iterable
from typing import Final

SHOWN_LENGTH: Final = 60
"""Characters of somebody's text that a message shows."""


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid word that `word` was probably meant to be; None when nothing comes near."""
    from difflib import get_close_matches  # only on the way to an error: 8 ms

    folded = {name.lower().replace("_", "-"): name for name in valid}
    found = get_close_matches(word.lower().replace("_", "-"), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def shown(text: str) -> str:
    """`text` in quotes on one line, cut to `SHOWN_LENGTH`, control characters escaped."""
    cut = text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
    return f'"{printable(cut)}"'


def printable(text: str) -> str:
    """`text` on one line, with what could steer a terminal written out as escapes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """The advice to use the nearest valid word, or "" when nothing comes near."""
    near = nearest(word, valid)
    return f"Did you mean {near}?" if near else ""
