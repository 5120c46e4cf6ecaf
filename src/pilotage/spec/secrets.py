"""A secret that cannot be shown by accident. Pure."""

import re
from dataclasses import dataclass
from typing import Final

SHORTEST_SECRET: Final = 16
"""Characters below which a secret is not accepted on an address that others can reach."""

LONGEST_SECRET: Final = 512
"""Characters of a secret; callers send it in a header."""

PRINCIPAL: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}\Z", re.ASCII)
"""What the name of a caller looks like."""


class Secret:
    """Text that prints as stars; `reveal` is the one way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for digests and comparisons only."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True, slots=True)
class CallerKey:
    """One caller's key, as given to `serve`.

    Attributes:
        principal: the name that records carry.
        secret: what the caller sends.
        shell: a shell expression that yields the secret, for the command that people copy.
    """

    principal: str
    secret: Secret
    shell: str


def is_sendable(text: str) -> bool:
    """True when every character can stand in an Authorization header: visible ASCII."""
    return 0 < len(text) <= LONGEST_SECRET and all("!" <= character <= "~" for character in text)


def split_name(text: str) -> tuple[str, str]:
    """`NAME=SECRET` as (name, secret); the name is "" where none is given.

    An "=" names only when something other than "=" follows it: the padding at the end of base64
    belongs to the secret.
    """
    name, separator, rest = text.partition("=")
    if separator and rest.strip("=") and PRINCIPAL.match(name):
        return name, rest
    return "", text
