"""A body as it comes: pieces of any size go in, one bytes object comes out, in linear time."""

from typing import Final, Protocol

PIECE_BYTES: Final = 16 * 1024
"""Pieces from here on are kept as they came; smaller ones are copied together, so that a body sent
byte by byte takes no object for each byte."""


class Gathering:
    """Pieces of a body, joined once at the end."""

    __slots__ = ("_pieces", "_tail", "byte_count")

    def __init__(self) -> None:
        self._pieces: list[bytes | bytearray] = []
        self._tail = bytearray()
        self.byte_count = 0

    def add(self, piece: bytes | bytearray) -> None:
        self.byte_count += len(piece)
        if len(piece) < PIECE_BYTES:
            self._tail += piece
            return
        if self._tail:
            self._pieces.append(self._tail)
            self._tail = bytearray()
        self._pieces.append(bytes(piece))  # bytes stay as they are; a buffer will change

    def join(self) -> bytes:
        """All pieces as one; this object is empty afterwards."""
        self._pieces.append(self._tail)
        body = b"".join(self._pieces)
        self._pieces = []
        self._tail = bytearray()
        return body


class Body(Protocol):
    """A body being received; with `keep` off its bytes are passed over and not kept."""

    whole: bool

    @property
    def byte_count(self) -> int:
        """Bytes kept so far."""
        ...

    def receive(self, data: bytes | bytearray) -> int:
        """Take what belongs to the body; returns how many bytes that were. May raise Refusal."""
        ...

    def take(self) -> bytes:
        """The body, once it is whole."""
        ...


class SizedBody:
    """A body whose length was declared."""

    __slots__ = ("_gathering", "_left", "whole")

    def __init__(self, content_length: int, *, keep: bool) -> None:
        self._left = content_length
        self._gathering = Gathering() if keep else None
        self.whole = content_length == 0

    @property
    def byte_count(self) -> int:
        return 0 if self._gathering is None else self._gathering.byte_count

    def receive(self, data: bytes | bytearray) -> int:
        used = min(self._left, len(data))
        if self._gathering is not None:
            self._gathering.add(data if used == len(data) else data[:used])
        self._left -= used
        self.whole = self._left == 0
        return used

    def take(self) -> bytes:
        return b"" if self._gathering is None else self._gathering.join()
