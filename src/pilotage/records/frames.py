"""Frames out of the files of a record folder: segments by mapping them, rings by copying them.

Each frame of a record has an address, the ring and the offset at which its worker put it. It is
the same in the ring and in the segment, and grows along a ring, so that a frame which is seen in
two places, or copied twice after damage, is given once.
"""

import mmap
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from pilotage.contracts import segments
from pilotage.contracts.segments import BLOCK, OUTCOME, POSITION, PROBE, Frame, Head, Seal
from pilotage.errors import PilotageError
from pilotage.serving.recording.ring import RECORDING, STATES, SUFFIX, Ring, places_of
from pilotage.serving.recording.segment_file import OPEN, SEALED

MS: Final = 1_000_000
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
    """The segments of a folder, the oldest first.

    A file that gets its final name while a folder is listed may be left out of the list, so it is
    listed until two lists in a row name the same segments.
    """
    found = _listed(folder)
    while (again := _listed(folder)) != found:
        found = again
    return found


def latest_opened_ns(folder: Path) -> int:
    """When the newest segment was opened, as the recorder's clock said; 0 where there is none.

    Whoever begins to read now gives this as `since_ns` to every later `Reader`. The names of
    segments always grow, so it holds when the clock is set back.
    """
    found = segments_in(folder) if folder.is_dir() else []
    return found[-1].opened_ms * MS if found else 0


def _listed(folder: Path) -> list[Segment]:
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
    """How far a segment was read.

    Attributes:
        at: where the last POSITION starts. Reading goes on there and not behind the last frame,
            since a recorder whose disk is full takes back the group it was writing, and may put
            another in its place.
        done: it was sealed and read to its end.
    """

    at: int = segments.HEAD_BYTES
    done: bool = False


def frames_of(
    segment: Segment, damage: list[Damage], progress: Progress | None = None
) -> Iterator[Found]:
    """The frames of a segment; what is damaged goes to `damage`.

    With `progress` from its last POSITION on: the frames of one group may be given again.
    """
    to = progress or Progress()
    address: Address | None = None
    with opened(segment.path) as data:
        if len(data) <= to.at or head_of(data, segment.path) is None:
            return
        for found in segments.read(data, to.at):
            if isinstance(found, segments.Torn):
                return
            if isinstance(found, segments.Corrupt):
                damage.append(Damage(segment.path, found.offset, found.end - found.offset))
                continue
            if found.kind == POSITION:
                to.at = found.offset
            address, each = _placed(found, address, segment.path.name)
            if each is not None:
                yield each
    to.done = segment.sealed


def waiting_in(folder: Path, places: tuple[Path, ...] | None = None) -> list[Found]:
    """The frames in rings of the folder that no recorder has copied yet."""
    kept: list[Found] = []
    for place in places_of(folder) if places is None else places:
        for path in sorted(place.glob("*" + SUFFIX)):
            with suppress(OSError, PilotageError):
                kept += _waiting_at(path)
    return kept


def trouble_in(folder: Path, places: tuple[Path, ...] | None = None) -> str:
    """Why records of the folder's workers are not kept (a state of the recorder's); "" if they are.

    What waits in rings meanwhile is still read, until they are full.
    """
    for place in places_of(folder) if places is None else places:
        for path in sorted(place.glob("*" + SUFFIX)):
            with suppress(OSError, PilotageError):
                ring = Ring.open(path)
                state = ring.state
                ring.close()
                if state != RECORDING:
                    return STATES[state]
    return ""


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

    A reader that begins where another ended is told so: `given` is how far each ring was read, and
    segments that were followed by another at `since_ns` or before are passed over. `since_ns` is
    in the recorder's clock: take it from `latest_opened_ns`, or from `resumes_ns` of the other.
    """

    def __init__(
        self,
        folder: Path,
        places: tuple[Path, ...] | None = None,
        *,
        given: Mapping[int, int] | None = None,
        since_ns: int = 0,
    ) -> None:
        self.folder = folder
        self.damage: list[Damage] = []
        self.resumes_ns = since_ns
        """The `since_ns` for a reader that goes on with `given` after the last iteration."""
        self._places = places
        self._given: dict[int, int] = dict(given or {})
        self._since_ms = since_ns // MS
        self._progress: dict[str, Progress] = {}

    @property
    def given(self) -> dict[int, int]:
        """For each ring, the offset behind the last frame that was given or passed over."""
        return dict(self._given)

    def __iter__(self) -> Iterator[Found]:
        """Everything that is there now and was not given yet.

        Rings are copied before segments are read: what leaves a ring meanwhile is in a segment.
        """
        waiting = waiting_in(self.folder, self._places)
        listed = segments_in(self.folder)
        for segment in _not_over(listed, self._since_ms):
            yield from self._fresh_in(segment)
        yield from filter(self._is_new, waiting)
        if listed:
            self.resumes_ns = listed[-1].opened_ms * MS

    def skip(self) -> None:
        """Take everything that is there now as given."""
        for _ in self:
            pass

    def _fresh_in(self, segment: Segment) -> Iterator[Found]:
        progress = self._progress.setdefault(segment.path.stem, Progress())
        if progress.done:
            return
        damage: list[Damage] = []
        with suppress(FileNotFoundError):  # removed since it was listed
            yield from filter(self._is_new, frames_of(segment, damage, progress))
        known = {(each.path.stem, each.offset) for each in self.damage}
        self.damage += [each for each in damage if (each.path.stem, each.offset) not in known]

    def _is_new(self, found: Found) -> bool:
        ring, offset = found.address.ring, found.address.offset
        if offset < self._given.get(ring, 0):
            return False
        self._given[ring] = behind(found)
        return True


def behind(found: Found) -> int:
    """The offset behind the frame in its ring."""
    return found.address.offset + segments.OVERHEAD_BYTES + len(found.payload)


def _not_over(listed: list[Segment], since_ms: int) -> list[Segment]:
    """The segments that were not followed by another at that moment or before."""
    kept = 0
    for index, following in enumerate(listed[1:], 1):
        if following.opened_ms <= since_ms:
            kept = index
    return listed[kept:]


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
