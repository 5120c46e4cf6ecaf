"""What a setting's text may say: a count, a time, a size, a choice, a path. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pilotage.spec import units
from pilotage.spec.words import did_you_mean


class Wrong(ValueError):
    """The text is not of this kind.

    Attributes:
        fix: advice that goes beyond what the kind expects; "" where there is none.
    """

    def __init__(self, fix: str = "") -> None:
        super().__init__(fix)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    Attributes:
        read: gives a text its value, or raises `Wrong`.
        noun: "is not ..." in a message ("a port").
        expected: what would have been right.
        metavar: the word for the value in the help; "" for a switch, which takes none.
        choices: the words, where only some are right.
    """

    read: Callable[[str], object]
    noun: str
    expected: str
    metavar: str
    choices: tuple[str, ...] = ()


ENDPOINT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z", re.ASCII)
"""The name of a model in `/v2/models/NAME`."""

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}\Z", re.ASCII)
"""The name of a header in lower case. Source: RFC 9110, section 5.6.2, "token"."""

_YES: Final = frozenset({"true", "yes", "on", "1"})
_NO: Final = frozenset({"false", "no", "off", "0"})


def whole(low: int, high: int, *, noun: str = "such a number", metavar: str = "N") -> Kind:
    """A whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII) or not low <= int(text) <= high:
            raise Wrong
        return int(text)

    return Kind(read, noun, f"a whole number from {low} to {high}", metavar)


def duration(low_ns: int, high_ns: int, *, off: str = "", example: str = "50ms") -> Kind:
    """A time in nanoseconds from `low_ns` to `high_ns`; the word `off`, where given, says none."""

    def read(text: str) -> int | None:
        if off and text.lower() == off:
            return 0 if low_ns == 0 else None
        try:
            value = units.parse_duration(text)
        except units.NotAUnit as error:
            raise Wrong(error.fix) from None
        if not low_ns <= value <= high_ns:
            raise Wrong
        return value

    span = f"from {units.format_duration(low_ns)} to {units.format_duration(high_ns)}"
    word = f", or {off}" if off else ""
    return Kind(
        read, "such a time", f"a time {span} with its unit, such as {example}{word}", "TIME"
    )


def size(low: int, high: int) -> Kind:
    """A size in bytes from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = units.parse_size(text)
        except units.NotAUnit as error:
            raise Wrong(error.fix) from None
        if not low <= value <= high:
            raise Wrong
        return value

    span = f"from {units.format_size(low)} to {units.format_size(high)}"
    return Kind(read, "such a size", f"a size {span}, such as 64MiB", "SIZE")


def choice(*words: str) -> Kind:
    """One of `words`."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise Wrong(did_you_mean(text, words))
        return text.lower()

    return Kind(read, "one of the choices", " or ".join(words), "WORD", words)


def _read_switch(text: str) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise Wrong
    return word in _YES


def _read_text(text: str) -> str:
    if not text or "\0" in text:
        raise Wrong
    return text


def _read_name(text: str) -> str:
    if not ENDPOINT_NAME.match(text):
        raise Wrong
    return text


def _read_host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not re.fullmatch(r"[A-Za-z0-9._:%-]{1,253}", bare, re.ASCII):
        raise Wrong
    if re.fullmatch(r"[^:]+:[0-9]+", bare):
        port = bare.rpartition(":")[2]
        raise Wrong(f"The port goes to a setting of its own: --port {port}.")
    return bare


def _read_sticky(text: str) -> str:
    """ "header:NAME" in lower case, as HTTP compares names; "" for none."""
    word = text.lower()
    if word == "none":
        return ""
    noun, colon, name = word.partition(":")
    if noun == "header" and colon and _HEADER.match(name):
        return word
    raise Wrong(f"Write header:{word}." if _HEADER.match(word) and noun != "header" else "")


SWITCH: Final = Kind(_read_switch, "yes or no", "true or false", "")
PATH: Final = Kind(_read_text, "a path", "a path", "PATH")
TEXT: Final = Kind(_read_text, "a text", "a text", "TEXT")
HOST: Final = Kind(_read_host, "a host", "an address such as 127.0.0.1, or a host's name", "HOST")
NAME: Final = Kind(
    _read_name,
    "a model's name",
    "letters, digits, dot, dash and underscore, at most 128, a letter or digit first",
    "NAME",
)
STICKY: Final = Kind(
    _read_sticky, "header:NAME", "header: and the name of a header, or none", "header:NAME"
)
