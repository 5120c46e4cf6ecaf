"""Segments: the append-only files in which records lie, as bytes.

A segment is a head and then frames, all little-endian:

    head   magic 8 | format u32 | node u32 | boot u32 | opened_ns u64 | mark 8 | crc32 u32
    frame  length u32 | crc32 u32 | kind u8 | payload of `length` bytes

The crc of a frame covers kind and payload, so a frame is read whole or not at all. The kinds:

    POSITION  mark | ring u64 | offset u64: the frames behind it, up to the next POSITION, were
              copied from that offset of that ring. It lets a recorder that was killed go on
              without losing or doubling a frame.
    BLOCK     predictions (`records.Block`)
    OUTCOME   one outcome (`records.Outcome`)
    PROBE     one timing probe (`records.Probe`)
    SEAL      the last frame of a segment that was closed in order (`Seal`)

A process that dies while it writes leaves the beginning of a frame at the end: a torn tail, which
is `Torn`. Any other damage is `Corrupt`, and reading goes on at the next POSITION: the mark is 8
random bytes of this segment, so content that a caller sent cannot pass for one.

Budget: `frame` takes 2 µs for a block of 32 small predictions (6 KB), most of it crc32.
"""

import zlib
from collections.abc import Iterator
from struct import Struct as Layout
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError

FORMAT: Final = 1
MAGIC: Final = b"PLTSEG\r\n"
MARK_BYTES: Final = 8
FRAME_BYTES: Final = 64 * 1024 * 1024
"""The longest payload of one frame, in bytes; a longer length is damage."""

POSITION: Final = 1
BLOCK: Final = 2
OUTCOME: Final = 3
SEAL: Final = 4
PROBE: Final = 5

_HEAD: Final = Layout("<8sIIIQ8sI")
_FRAME: Final = Layout("<IIB")
_POSITION: Final = Layout("<8sQQ")
_LENGTH: Final = Layout("<I")
HEAD_BYTES: Final = _HEAD.size
OVERHEAD_BYTES: Final = _FRAME.size
"""What a frame adds to its payload."""
POSITION_BYTES: Final = OVERHEAD_BYTES + _POSITION.size
_KIND_CRCS: Final = tuple(zlib.crc32(bytes((kind,))) for kind in range(256))


class Bytes(Protocol):
    """What a segment is read from: `bytes`, or an mmap of the file."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., /) -> int: ...


class Head(Struct, frozen=True):
    """The head of a segment: whose recorder wrote it, and when it was opened."""

    node: int
    boot: int
    opened_ns: int
    mark: bytes


class Position(Struct, frozen=True):
    """Where the frames behind it were copied from."""

    ring: int
    offset: int


class Seal(Struct, frozen=True):
    """What a sealed segment holds.

    Attributes:
        sealed_ns: nanoseconds since the epoch.
        blocks, outcomes: frames of these kinds.
        total_bytes: the length of everything before the seal.
        digest: SHA-256 of everything before the seal.
        rings: the rings whose frames are in here.
    """

    sealed_ns: int
    blocks: int
    outcomes: int
    total_bytes: int
    digest: bytes
    rings: tuple[int, ...]


class Frame(Struct, frozen=True):
    """One whole frame: `data[offset:end]`."""

    offset: int
    end: int
    kind: int
    payload: bytes


class Torn(Struct, frozen=True):
    """The data ends within a frame that starts at `offset`."""

    offset: int


class Corrupt(Struct, frozen=True):
    """The bytes from `offset` to `end` are damaged; reading goes on at `end`."""

    offset: int
    end: int


def head(of: Head) -> bytes:
    """The bytes a segment starts with."""
    data = _HEAD.pack(MAGIC, FORMAT, of.node, of.boot, of.opened_ns, of.mark, 0)[:-4]
    return data + _LENGTH.pack(zlib.crc32(data))


def frame(kind: int, payload: bytes) -> bytes:
    """One frame, ready to be appended."""
    return _FRAME.pack(len(payload), zlib.crc32(payload, _KIND_CRCS[kind]), kind) + payload


def position(of: Position, mark: bytes) -> bytes:
    """The POSITION frame that goes before frames copied from a ring."""
    return frame(POSITION, _POSITION.pack(mark, of.ring, of.offset))


def read_position(payload: bytes) -> Position:
    """What a POSITION frame says."""
    _, ring, offset = _POSITION.unpack(payload)
    return Position(ring, offset)


def seal(of: Seal) -> bytes:
    """The SEAL frame; it ends with its own length, so that it is found from the end."""
    payload = msgspec.msgpack.encode(of)
    whole = len(payload) + _LENGTH.size + OVERHEAD_BYTES
    return frame(SEAL, payload + _LENGTH.pack(whole))


def read_seal(tail: bytes) -> Seal | None:
    """The seal at the end of `tail`, which is the end of a segment; None where there is none."""
    if len(tail) < _LENGTH.size:
        return None
    (whole,) = _LENGTH.unpack_from(tail, len(tail) - _LENGTH.size)
    if not OVERHEAD_BYTES < whole <= len(tail):
        return None
    found = _frame_at(tail, len(tail) - whole)
    if not isinstance(found, Frame) or found.kind != SEAL or found.end != len(tail):
        return None
    try:
        return msgspec.msgpack.decode(found.payload[: -_LENGTH.size], type=Seal)
    except msgspec.MsgspecError:
        return None


def read_head(data: bytes, *, where: str = "segment") -> Head:
    """The head of the segment that starts with `data`.

    Raises:
        PilotageError: not a segment, a damaged head, or a format that this reader does not know.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise PilotageError(
            "not a segment of records", where=where, expected="a file that starts with PLTSEG"
        )
    if len(data) < HEAD_BYTES:
        raise PilotageError("the head of the segment is cut off", where=where)
    _, version, node, boot, opened_ns, mark, crc = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise PilotageError(
            f"the segment has format {version}",
            where=where,
            expected=f"format {FORMAT}",
            fix="Read it with the release of Pilotage that wrote it, or a later one.",
        )
    if zlib.crc32(data[: HEAD_BYTES - 4]) != crc:
        raise PilotageError("the head of the segment is damaged", where=where)
    return Head(node, boot, opened_ns, mark)


def read(data: Bytes, start: int = HEAD_BYTES) -> Iterator[Frame | Torn | Corrupt]:
    """The frames of a whole segment `data`, from the frame that starts at `start`.

    A torn tail ends it with `Torn`. Damage gives `Corrupt` with its offset, and the frames go on
    behind it where that can be known. Frames of an unknown kind are given like the others.
    """
    mark = data[HEAD_BYTES - 4 - MARK_BYTES : HEAD_BYTES - 4]
    at = start
    size = len(data)
    while at < size:
        found = _frame_at(data, at)
        if isinstance(found, Frame):
            yield found
            at = found.end
            continue
        resume = _next_position(data, at + 1, mark)
        if found and resume == size:
            yield Torn(at)
            return
        yield Corrupt(at, resume)
        at = resume


def frame_around(data: Bytes, place: int) -> Frame | None:
    """The whole frame that holds the byte at `place`, found by lengths alone.

    None where lengths do not lead there, or where that frame is damaged.
    """
    at = HEAD_BYTES
    while at <= place:
        header = data[at : at + _LENGTH.size]
        if len(header) < _LENGTH.size:
            return None
        end = at + OVERHEAD_BYTES + int.from_bytes(header, "little")
        if place < end:
            found = _frame_at(data, at)
            return found if isinstance(found, Frame) else None
        at = end
    return None


def _frame_at(data: Bytes, at: int) -> Frame | bool:
    """The frame at `at`; else True where it may only be cut off, False where it is damaged."""
    header = data[at : at + OVERHEAD_BYTES]
    if len(header) < OVERHEAD_BYTES:
        return True
    fields: tuple[int, int, int] = _FRAME.unpack(header)
    length, crc, kind = fields
    if length > FRAME_BYTES:
        return False
    end = at + OVERHEAD_BYTES + length
    if end > len(data):
        return True
    payload = data[at + OVERHEAD_BYTES : end]
    if zlib.crc32(payload, _KIND_CRCS[kind]) != crc:
        return False
    return Frame(at, end, kind, payload)


def _next_position(data: Bytes, start: int, mark: bytes) -> int:
    """Where the next whole POSITION frame starts, or the end of the data."""
    at = start
    while (at := data.find(mark, at)) >= 0:
        begin = at - OVERHEAD_BYTES
        if begin >= start:
            found = _frame_at(data, begin)
            if isinstance(found, Frame) and found.kind == POSITION:
                return begin
        at += 1
    return len(data)


class Stretch(Struct, frozen=True):
    """Whole frames that lie one behind the other: their bytes and how many of which kind."""

    total_bytes: int
    blocks: int
    outcomes: int


def measure(data: memoryview, most_bytes: int) -> Stretch:
    """The whole frames at the start of `data`, by their headers alone.

    At most `most_bytes` of them, but at least one where there is one. It stops before anything
    that does not look like a frame of records.
    """
    at = blocks = outcomes = 0
    last = len(data) - OVERHEAD_BYTES
    while at <= last:
        length, _, kind = _FRAME.unpack_from(data, at)
        end = at + OVERHEAD_BYTES + length
        if length > FRAME_BYTES or end > len(data) or (at and end > most_bytes):
            break
        if kind == BLOCK:
            blocks += 1
        elif kind == OUTCOME:
            outcomes += 1
        elif kind != PROBE:
            break
        at = end
    return Stretch(at, blocks, outcomes)
