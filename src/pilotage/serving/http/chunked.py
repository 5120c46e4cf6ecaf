"""The chunked coding, strictly: pieces of any size go in, the body comes out, or a refusal.

Lines end in CR LF and nothing else. Extensions are passed over, trailers are checked and dropped:
they never become headers. Both are bounded, each alone and in sum.

Source: RFC 9112, section 7.1.
"""

import re
from typing import Final

from pilotage.contracts.limits import Limits
from pilotage.serving.http.bodies import Gathering
from pilotage.serving.http.head import body_too_large, malformed
from pilotage.serving.refusals import Refusal

FRAMING_BYTES: Final = 64 * 1024
FRAMING_PER_BYTE: Final = 8
"""Size lines may take so many bytes in all, plus so many for each byte of the body: a chunk of one
byte needs five, so only padding is refused."""

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
_WHERE: Final = "chunked body"

_SIZE_LINE, _DATA, _DATA_END, _TRAILERS = range(4)


class ChunkedBody:
    """A body in chunks. See `bodies.Body` for the promise of each method."""

    __slots__ = (
        "_body_bytes",
        "_framing_bytes",
        "_gathering",
        "_left",
        "_limits",
        "_line",
        "_state",
        "_trailer_bytes",
        "whole",
    )

    def __init__(self, limits: Limits, *, keep: bool) -> None:
        self._limits = limits
        self._gathering = Gathering() if keep else None
        self._line = bytearray()
        self._state = _SIZE_LINE
        self._left = 0
        self._body_bytes = 0
        self._framing_bytes = 0
        self._trailer_bytes = 0
        self.whole = False

    @property
    def byte_count(self) -> int:
        return 0 if self._gathering is None else self._gathering.byte_count

    def receive(self, data: bytes | bytearray) -> int:
        at = 0
        while at < len(data) and not self.whole:
            at = self._take_data(data, at) if self._state == _DATA else self._take_line(data, at)
        return at

    def take(self) -> bytes:
        return b"" if self._gathering is None else self._gathering.join()

    def _take_data(self, data: bytes | bytearray, at: int) -> int:
        end = min(at + self._left, len(data))
        if self._gathering is not None:
            self._gathering.add(data[at:end])
        self._left -= end - at
        if self._left == 0:
            self._state = _DATA_END
        return end

    def _take_line(self, data: bytes | bytearray, at: int) -> int:
        line = self._line
        found = data.find(b"\n", at)
        end = len(data) if found < 0 else found + 1
        longest = self._longest_line() + 2
        line += data[at : min(end, at + longest + 1 - len(line))]
        if len(line) > longest:
            raise self._line_too_long()
        if found < 0:
            if self._state == _DATA_END and not line.startswith(b"\r"):
                raise malformed("a chunk does not end where its size says", _WHERE)
            return end
        if not line.endswith(b"\r\n") or line.count(b"\r") != 1:
            raise malformed("a line of the coding does not end in CR LF", _WHERE)
        content = bytes(line[:-2])
        line.clear()
        self._read_line(content)
        return end

    def _longest_line(self) -> int:
        if self._state == _SIZE_LINE:
            return self._limits.chunk_line_bytes
        return 0 if self._state == _DATA_END else self._limits.trailer_bytes

    def _line_too_long(self) -> Refusal:
        if self._state == _DATA_END:
            return malformed("a chunk does not end where its size says", _WHERE)
        if self._state == _SIZE_LINE:
            longest = self._limits.chunk_line_bytes
            return malformed(
                "a chunk's size line is too long", _WHERE, expected=f"at most {longest} bytes"
            )
        return self._trailers_too_long()

    def _trailers_too_long(self) -> Refusal:
        return Refusal(
            431,
            "too_large",
            "the trailers are too long",
            where=_WHERE,
            expected=f"at most {self._limits.trailer_bytes} bytes",
            close=True,
        )

    def _read_line(self, line: bytes) -> None:
        if self._state == _DATA_END:
            self._state = _SIZE_LINE
        elif self._state == _SIZE_LINE:
            self._read_size(line)
        elif line:
            self._read_trailer(line)
        else:
            self.whole = True

    def _read_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise malformed("a chunk's size cannot be read", _WHERE, expected="hexadecimal digits")
        self._left = int(match.group(1), 16)
        self._framing_bytes += len(line) + 4
        if self._framing_bytes > FRAMING_BYTES + FRAMING_PER_BYTE * self._body_bytes:
            raise malformed("the chunks are mostly framing", _WHERE, expected="larger chunks")
        self._body_bytes += self._left
        if self._body_bytes > self._limits.body_bytes:
            raise body_too_large(self._limits, _WHERE)
        self._state = _DATA if self._left else _TRAILERS

    def _read_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line) + 2
        if self._trailer_bytes > self._limits.trailer_bytes:
            raise self._trailers_too_long()
        if _TRAILER.fullmatch(line) is None:
            raise malformed("a trailer cannot be read", _WHERE)
