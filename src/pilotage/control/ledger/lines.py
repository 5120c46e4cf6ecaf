"""One line of the ledger: an entry, its place, and the digests that bind it to the line before.

The digest covers the canonical JSON (sorted keys, no spaces) of everything else in the line, the
digest of the line before included. So a line that is changed, removed or moved breaks the chain
there, and whoever keeps the last digest elsewhere can tell that the end was cut off. Pure.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Struct

FORMAT: Final = 1
FIRST: Final = "0" * 64
"""What the first line says of the line before it."""
ID_DIGITS: Final = 16


class Entry(Struct, frozen=True):
    """What is to be remembered.

    Attributes:
        key: names this entry for ever; the ledger takes each key once.
        kind: started, stage, verdict, ended, steered, sealed.
        at: seconds since the epoch.
        endpoint, rollout: what it is about.
        what: the particulars, JSON values only.
    """

    key: str
    kind: str
    at: float
    endpoint: str
    rollout: str
    what: dict[str, Any]


class Line(Struct, frozen=True):
    """An entry in its place. `digest` is SHA-256 in hex; `before` is the previous line's."""

    format: int
    number: int
    before: str
    entry: Entry
    digest: str

    @property
    def id(self) -> str:
        """By which people name it."""
        return self.digest[:ID_DIGITS]


_encoder = msgspec.json.Encoder(order="sorted")
_lines = msgspec.json.Decoder(Line)


def line_after(number: int, before: str, entry: Entry) -> Line:
    """The entry as line `number`, behind the line whose digest is `before`."""
    return Line(FORMAT, number, before, entry, _digest(FORMAT, number, before, entry))


def is_whole(line: Line) -> bool:
    """Whether the line's digest is that of its content."""
    return line.digest == _digest(line.format, line.number, line.before, line.entry)


def text_of(line: Line) -> bytes:
    """The line as it stands in the file, its end included."""
    return _encoder.encode(line) + b"\n"


def read_line(text: bytes) -> Line:
    """The line that `text` holds.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _lines.decode(text)


def _digest(format_: int, number: int, before: str, entry: Entry) -> str:
    covered = {"format": format_, "number": number, "before": before, "entry": entry}
    return hashlib.sha256(_encoder.encode(covered)).hexdigest()
