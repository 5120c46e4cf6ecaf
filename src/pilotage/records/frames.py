"""Frames out of the files of a record folder: segments by mapping them, rings by copying them.

Each frame of a record has an address, the ring and the offset at which its worker put it. It is
the same in the ring and in the segment, and grows along a ring, so that a frame which is seen in
two places, or copied twice after damage, is given once.
"""

import mmap
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from pilotage.contracts import segments
from pilotage.contracts.segments import BLOCK, OUTCOME, POSITION, PROBE, Frame, Head, Seal
from pilotage.errors import PilotageError
from pilotage.serving.recording.ring import SUFFIX, Ring, places_of
from pilotage.serving.recording.segment_file import OPEN, SEALED

SEAL_BYTES: Final = 64 * 1024
"""How much of a segment's end is read to find its seal."""


class Address(Struct, frozen=True):
    """Where a worker put a frame."""

    ring: int
    offset: int


class Found(Struct, frozen=True):
    """A frame of records: its kind, its bytes, its address, and the file it was read from."""

    kind: int
    payload: bytes
    address: Address
    source: str


class Segment(Struct, frozen=True):
    """A segment of the folder, by its name."""

    path: Path
    opened_ms: int

    @property
    def sealed(self) -> bool:
        return self.path.suffix == SEALED


class Damage(Struct, frozen=True):
    """Bytes of a segment that cannot be read."""

    path: Path
    offset: int
    lost_bytes: int


def segments_in(folder: Path) -> list[Segment]:
    """The segments of a folder, the oldest first."""
    found: list[Segment] = []
    for path in folder.iterdir():
        if path.suffix in (OPEN, SEALED):
            with suppress(ValueError):
                found.append(Segment(path, int(path.name.partition("-")[0], 16)))
    return sorted(found, key=lambda segment: segment.path.name)


@contextmanager
def opened(path: Path) -> Generator[mmap.mmap | bytes]:
    """The bytes of a segment; one that was sealed meanwhile is found under its final name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        descriptor = os.open(path.with_suffix(SEALED), os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        data = mmap.mmap(descriptor, size, prot=mmap.PROT_READ) if size else b""
    finally:
        os.close(descriptor)
    try:
        yield data
    finally:
        if isinstance(data, mmap.mmap):
            data.close()


def head_of(data: mmap.mmap | bytes, path: Path) -> Head | None:
    """The head of a segment; None while its recorder has not written it whole.

    Raises:
        PilotageError: another format, or damage.
    """
    if len(data) < segments.HEAD_BYTES:
        return None
    return segments.read_head(data[: segments.HEAD_BYTES], where=str(path))


def seal_of(segment: Segment) -> Seal | None:
    """The seal of a segment; None where there is none."""
    if not segment.sealed:
        return None
    with segment.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - SEAL_BYTES))
        return segments.read_seal(file.read())


class Progress(Struct):
    """How far a segment was read, and the address of the frame that comes next."""

    at: int = segments.HEAD_BYTES
    address: Address | None = None


def frames_of(
    segment: Segment, damage: list[Damage], progress: Progress | None = None
) -> Iterator[Found]:
    """The frames of a segment, from where `progress` left it; what is damaged goes to `damage`."""
    to = progress or Progress()
    with opened(segment.path) as data:
        if len(data) <= to.at or head_of(data, segment.path) is None:
            return
        for found in segments.read(data, to.at):
            if isinstance(found, segments.Torn):
                return
            if isinstance(found, segments.Corrupt):
                damage.append(Damage(segment.path, found.offset, found.end - found.offset))
                continue
            to.at = found.end
            to.address, each = _placed(found, to.address, segment.path.name)
            if each is not None:
                yield each


def waiting_in(folder: Path, places: tuple[Path, ...] | None = None) -> list[Found]:
    """The frames in rings of the folder that no recorder has copied yet."""
    kept: list[Found] = []
    for place in places_of(folder) if places is None else places:
        for path in sorted(place.glob("*" + SUFFIX)):
            with suppress(OSError, PilotageError):
                kept += _waiting_at(path)
    return kept


def _waiting_at(path: Path) -> Iterator[Found]:
    ring = Ring.open(path)
    number, pieces = ring.id, ring.copy()
    ring.close()
    for offset, piece in pieces:
        for frame in segments.read(bytes(segments.HEAD_BYTES) + piece):
            if isinstance(frame, Frame):
                address = Address(number, offset + frame.offset - segments.HEAD_BYTES)
                yield Found(frame.kind, frame.payload, address, path.name)


class Reader:
    """Reads a folder from the start, and goes on where it was when it is asked again.

    `damage` holds what could not be read.
    """

    def __init__(self, folder: Path, places: tuple[Path, ...] | None = None) -> None:
        self.folder = folder
        self.damage: list[Damage] = []
        self._places = places
        self._given: dict[int, int] = {}
        self._progress: dict[str, Progress] = {}

    def __iter__(self) -> Iterator[Found]:
        """Everything that is there now and was not given yet.

        Rings are copied before segments are read: what leaves a ring meanwhile is in a segment.
        """
        waiting = waiting_in(self.folder, self._places)
        for segment in segments_in(self.folder):
            progress = self._progress.setdefault(segment.path.stem, Progress())
            yield from filter(self._is_new, frames_of(segment, self.damage, progress))
        yield from filter(self._is_new, waiting)

    def skip(self) -> None:
        """Take everything that is there now as given."""
        for _ in self:
            pass

    def _is_new(self, found: Found) -> bool:
        ring, offset = found.address.ring, found.address.offset
        if offset < self._given.get(ring, 0):
            return False
        self._given[ring] = offset + segments.OVERHEAD_BYTES + len(found.payload)
        return True


def _placed(
    frame: Frame, address: Address | None, source: str
) -> tuple[Address | None, Found | None]:
    """The address behind a frame of a segment, and the frame at its address where it is one."""
    if frame.kind == POSITION:
        position = segments.read_position(frame.payload)
        return Address(position.ring, position.offset), None
    if address is None or frame.kind not in (BLOCK, OUTCOME, PROBE):
        return address, None
    behind = Address(address.ring, address.offset + frame.end - frame.offset)
    return behind, Found(frame.kind, frame.payload, address, source)
