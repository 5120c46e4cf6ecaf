"""Whether a ledger is as it was written: each line that was changed, removed, added or moved.

A ledger that was written anew from some line on is a whole chain again. So is one whose end was
cut off. Both are told apart from the true one by a digest that somebody kept elsewhere: as long as
a line with that digest is there, nothing before it was touched. Pure.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from pilotage.control.ledger.lines import (
    FIRST,
    FORMAT,
    ID_DIGITS,
    Line,
    is_whole,
    read_line,
    text_of,
)
from pilotage.errors import PilotageError

DIGEST_DIGITS: Final = 64
FIRST_NUMBER: Final = 1


class Fault(Struct, frozen=True):
    """What is wrong in a line of the file; the first is line 1."""

    line: int
    what: str


class Verification(Struct, frozen=True):
    """What was found.

    Attributes:
        lines: in the file, readable or not.
        last: the digest of the last line that can be read, "" where there is none: whoever keeps
            it can tell later that the end was cut off.
    """

    lines: int
    last: str
    faults: tuple[Fault, ...]


class _Format(Struct, frozen=True):
    format: int


def verify(lines: Iterable[bytes], *, expect: str = "") -> Verification:
    """Reads a ledger from its first line, each with its end; `expect` is a digest that was kept.

    Raises:
        PilotageError: `expect` is no digest, and no id of a line.
    """
    expect = _digest_of(expect)
    chain = _Chain()
    faults: list[Fault] = []
    number = 0
    seen = not expect
    for number, text in enumerate(lines, 1):
        line, wrong = chain.take(text)
        faults += [Fault(number, what) for what in wrong]
        seen = seen or (line is not None and line.digest.startswith(expect))
    if not seen:
        gone = f"no line has the digest {expect}: the end was cut off, or the lines were made anew"
        faults.append(Fault(number + 1, gone))
    return Verification(number, chain.last, tuple(faults))


class _Chain:
    """What is known after some lines."""

    def __init__(self) -> None:
        self.last = ""
        self._before: str | None = FIRST
        self._number = FIRST_NUMBER
        self._keys: set[str] = set()

    def take(self, text: bytes) -> tuple[Line | None, list[str]]:
        """The next line, and what is wrong with it."""
        try:
            line = read_line(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            line = None
        if line is None or line.format != FORMAT:
            self._before = None
            self._number += 1
            return None, [_unreadable(text)]
        wrong = [*_changed(line, text), *self._misplaced(line)]
        if line.entry.key in self._keys:
            wrong.append(f"its key {line.entry.key} stands in an earlier line")
        self._keys.add(line.entry.key)
        self.last = self._before = line.digest
        self._number = line.number + 1
        return line, wrong

    def _misplaced(self, line: Line) -> list[str]:
        if self._before is None:  # what stood before cannot be read
            return [] if line.number == self._number else [self._jump(line)]
        if line.before == self._before and line.number == self._number:
            return []
        if line.number != self._number:
            return [self._jump(line)]
        return ["it does not follow the line before: one was changed, removed, added or moved"]

    def _jump(self, line: Line) -> str:
        if line.number > self._number:
            return f"it has number {line.number}: what stood from {self._number} on was removed"
        return f"it has number {line.number} where {self._number} follows: it was added or moved"


def _changed(line: Line, text: bytes) -> list[str]:
    if not is_whole(line):
        return ["it was changed: its digest is not that of its content"]
    if text_of(line) != text:
        if not text.endswith(b"\n"):
            return ["its end is cut off"]
        return ["it was changed: it is not spelled as a ledger is written"]
    return []


def _unreadable(text: bytes) -> str:
    try:
        of = msgspec.json.decode(text, type=_Format)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not text.endswith(b"\n"):
            return (
                "it is cut off: a process died while it wrote it, or its end was removed; "
                "the next entry takes its place"
            )
        return "it is no line of a ledger"
    if of.format == FORMAT:
        return "it is no line of a ledger"
    return f"it has format {of.format}, and this release reads format {FORMAT}"


def _digest_of(text: str) -> str:
    plain = text.strip().lower()
    if plain and (not ID_DIGITS <= len(plain) <= DIGEST_DIGITS or plain.strip("0123456789abcdef")):
        raise PilotageError(
            "not the digest of a line",
            where="--expect",
            expected=f"{DIGEST_DIGITS} hex digits, or the {ID_DIGITS} of an id",
            fix="Give what an earlier `pilotage ledger verify` printed.",
        )
    return plain
