"""A segment on disk, while it is written: appended to, synced, sealed.

A file is `TIME-NODE-BOOT.open` while frames may still come and `.seg` once it is sealed; the names
sort by the time of opening. What fails half-way is cut off again before anything is written
behind it.
"""

import errno
import hashlib
import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from pilotage.contracts import segments
from pilotage.contracts.segments import Head, Seal, Stretch
from pilotage.serving.recording.surveys import survey

OPEN: Final = ".open"
SEALED: Final = ".seg"

Buffers = Sequence[bytes | memoryview]


class Disk:
    """The calls that can fail because of the disk; a test puts its own in their place."""

    def create(self, path: Path) -> int:
        """A new file, open for writing."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, buffers: Buffers, offset: int) -> int:
        """Write at `offset`; how many bytes were written, which may be fewer than given."""
        return os.pwritev(descriptor, buffers, offset)

    def sync(self, descriptor: int) -> None:
        """Return when what was written would outlive the machine."""
        getattr(os, "fdatasync", os.fsync)(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(descriptor, size)


class Digest(Protocol):
    """A SHA-256 in the making."""

    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


class Tally(Struct):
    """What a segment holds so far: its seal in the making."""

    total_bytes: int
    blocks: int
    outcomes: int
    rings: set[int]


def name_of(head: Head) -> str:
    """The name of a segment's file, without its ending."""
    return f"{head.opened_ns // 1_000_000:012x}-{head.node:06x}-{head.boot:04x}"


class SegmentFile:
    """One open segment. Every method may raise OSError and may be called again after it."""

    def __init__(
        self, path: Path, descriptor: int, head: Head, tally: Tally, digest: Digest
    ) -> None:
        self.path = path
        self.head = head
        self.tally = tally
        self._descriptor = descriptor
        self._digest = digest
        self._ragged = False
        self._synced_bytes = 0
        self.sealed = False
        self.disk = Disk()

    @classmethod
    def create(cls, folder: Path, head: Head, disk: Disk) -> "SegmentFile":
        """A new segment with its head written."""
        path = folder / (name_of(head) + OPEN)
        descriptor = disk.create(path)
        opened = cls(path, descriptor, head, Tally(0, 0, 0, set()), hashlib.sha256())
        opened.disk = disk
        try:
            opened.append([segments.head(head)])
            sync_folder(folder)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return opened

    def append(self, buffers: Buffers, stretch: Stretch | None = None, ring: int = 0) -> None:
        """Add whole frames: all of them, or none."""
        if self._ragged:
            self.disk.cut(self._descriptor, self.tally.total_bytes)
        self._ragged = True
        try:
            written = self._write(buffers)
        except OSError:
            with suppress(OSError):
                self.disk.cut(self._descriptor, self.tally.total_bytes)
                self._ragged = False
            raise
        self._ragged = False
        for buffer in buffers:
            self._digest.update(buffer)
        self.tally.total_bytes += written
        if stretch is not None:
            self.tally.blocks += stretch.blocks
            self.tally.outcomes += stretch.outcomes
            self.tally.rings.add(ring)

    def _write(self, buffers: Buffers) -> int:
        start = self.tally.total_bytes
        total = sum(map(len, buffers))
        written = self.disk.write(self._descriptor, buffers, start)
        if written < total:
            whole = memoryview(b"".join(buffers))
            while written < total:
                more = self.disk.write(self._descriptor, [whole[written:]], start + written)
                if not more:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += more
        return total

    @property
    def unsynced_bytes(self) -> int:
        """What a machine's death would lose."""
        return self.tally.total_bytes - self._synced_bytes

    def sync(self) -> None:
        """Return when all of it would outlive the machine."""
        before = self.tally.total_bytes
        self.disk.sync(self._descriptor)
        self._synced_bytes = before

    def seal(self, now_ns: int) -> Path:
        """Close it for ever, under its final name, which is returned."""
        if not self.sealed:
            tally = self.tally
            of = Seal(
                now_ns,
                tally.blocks,
                tally.outcomes,
                tally.total_bytes,
                self._digest.digest(),
                tuple(sorted(tally.rings)),
            )
            self.append([segments.seal(of)])
            self.sealed = True
        self.sync()
        final = self.path.with_suffix(SEALED)
        os.rename(self.path, final)
        sync_folder(final.parent)
        self.close()
        return final

    def close(self) -> None:
        """Let go of the file as it is: whole frames, without a seal."""
        os.close(self._descriptor)


def reopen(path: Path, disk: Disk) -> tuple[SegmentFile, dict[int, int]]:
    """A segment whose recorder died: its torn tail cut off, ready to be sealed.

    Also, for each ring, the offset up to which its frames are in the segment.

    Raises:
        PilotageError: the file is not a segment of this format.
        OSError: the disk fails.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        data = mmap.mmap(descriptor, size, prot=mmap.PROT_READ) if size else b""
        head = segments.read_head(data[: segments.HEAD_BYTES], where=str(path))
        found = survey(data)
        digest = hashlib.sha256(memoryview(data)[: found.size])
        if isinstance(data, mmap.mmap):
            data.close()
        if found.size < size:
            disk.cut(descriptor, found.size)
    except BaseException:
        os.close(descriptor)
        raise
    tally = Tally(found.size, found.blocks, found.outcomes, set(found.ends))
    opened = SegmentFile(path, descriptor, head, tally, digest)
    opened.disk = disk
    opened.sealed = found.sealed
    return opened, found.ends


def sync_folder(folder: Path) -> None:
    """Return when the names in the folder would outlive the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
