"""A ring of frames in shared memory: one process puts, one process takes.

The ring is a file, mapped by both, so what was put outlives the death of either. A frame becomes
visible when the count of written bytes is stored, which is the last thing `put` does. A frame
never wraps: where it would, the rest of the ring is skipped.

The page in front of the data holds 64-bit words, each with one writer, in three cache lines:
what the ring is, what the producer counts, what the consumer counts.

Budget: `put` takes under 1 µs for a batch of 6 KB.
"""

import fcntl
import hashlib
import mmap
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from pilotage.contracts.segments import Stretch, measure
from pilotage.errors import PilotageError

MAGIC: Final = int.from_bytes(b"PLTRING1", sys.byteorder)
PAGE_BYTES: Final = 4096
RING_BYTES: Final = 8 * 1024 * 1024
"""Default size of a worker's ring: about a second of tiny predictions at 45 k a second."""
GROUP_BYTES: Final = 1024 * 1024
"""The most that a consumer is given at once, in bytes, unless one frame is longer."""
SUFFIX: Final = ".ring"
UNFINISHED: Final = ".new"
SHARED: Final = Path("/dev/shm")

_MAGIC, _CAPACITY, _ID = 0, 1, 2
_WRITTEN, _PUT, _REFUSED = 8, 9, 10
_TAKEN, _STATE, _SYNCED, _LOST = 16, 17, 18, 19
_SKIP: Final = b"\xff\xff\xff\xff"

RECORDING: Final = 0
DISK_FULL: Final = 1
OVER_BUDGET: Final = 2
UNWRITABLE: Final = 3
STATES: Final = ("recording", "disk_full", "over_budget", "unwritable")
"""The recorder's state, which it stores in each ring; the names for people and metrics."""


class Counts(Struct, frozen=True):
    """What a ring has seen: for metrics and readiness.

    Attributes:
        predictions: put, and so recorded.
        refused: not recorded, since the ring was full.
        waiting_bytes: put, not yet in a segment.
        unsynced_bytes: put, not yet sure to outlive the machine.
        lost_bytes: dropped by the recorder, since they were damaged.
        state: one of `STATES`.
    """

    predictions: int
    refused: int
    waiting_bytes: int
    unsynced_bytes: int
    lost_bytes: int
    state: str


class Ring:
    """A ring, seen by its producer (`put`), its consumer (`peek`, `take`) or a reader (`copy`)."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        size = os.fstat(descriptor).st_size
        if size <= PAGE_BYTES:
            raise PilotageError("not a ring of records", where=str(path))
        self._map = mmap.mmap(descriptor, size)
        self._words = memoryview(self._map)[:PAGE_BYTES].cast("Q")
        self._data = memoryview(self._map)[PAGE_BYTES:]
        self.capacity = size - PAGE_BYTES
        if self._words[_MAGIC] != MAGIC or self._words[_CAPACITY] != self.capacity:
            raise PilotageError("not a ring of records", where=str(path))
        self.id = self._words[_ID]
        self._written = self._words[_WRITTEN]

    @classmethod
    def create(cls, path: Path, ring_id: int, ring_bytes: int = RING_BYTES) -> "Ring":
        """A new, empty ring, which belongs to this process until it dies or closes it.

        Raises:
            OSError: it exists already, or there is no room; nothing is left behind.
        """
        fresh = path.with_suffix(UNFINISHED)
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _reserve(descriptor, PAGE_BYTES + ring_bytes)
            words = memoryview(bytearray(PAGE_BYTES)).cast("Q")
            words[_MAGIC], words[_CAPACITY], words[_ID] = MAGIC, ring_bytes, ring_id
            os.pwrite(descriptor, words, 0)
            os.link(fresh, path)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            os.unlink(fresh)
        return cls(path, descriptor)

    @classmethod
    def open(cls, path: Path) -> "Ring":
        """An existing ring.

        Raises:
            OSError: it cannot be opened.
            PilotageError: it is not a ring.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def put(self, frame: bytes, predictions: int = 1) -> bool:
        """Make one whole frame visible to the consumer; False, and counted, when it is full.

        A frame longer than half of the ring is always refused. The counts are of predictions.
        """
        size = len(frame)
        words = self._words
        written = self._written
        at = written % self.capacity
        rest = self.capacity - at
        needed = size if size <= rest else rest + size
        if needed > self.capacity - (written - words[_TAKEN]) or 2 * size > self.capacity:
            words[_REFUSED] += predictions
            return False
        if size > rest:
            self._data[at : at + 4] = _SKIP[:rest]
            at = 0
        self._data[at : at + size] = frame
        words[_PUT] += predictions
        self._written = words[_WRITTEN] = written + needed
        return True

    def peek(self, most_bytes: int = GROUP_BYTES) -> tuple[memoryview, Stretch] | None:
        """The whole frames that wait and lie together, the oldest first, and how many they are.

        They stay in the ring until `take`. None when nothing waits; a stretch of 0 bytes means
        that the ring is damaged.
        """
        words = self._words
        waiting = words[_WRITTEN] - words[_TAKEN]
        at = words[_TAKEN] % self.capacity
        rest = self.capacity - at
        if not waiting:
            return None
        if rest < len(_SKIP) or bytes(self._data[at : at + len(_SKIP)]) == _SKIP:
            words[_TAKEN] += rest
            waiting, at, rest = waiting - rest, 0, self.capacity
        data = self._data[at : at + min(waiting, rest)]
        stretch = measure(data, most_bytes)
        return data[: stretch.total_bytes], stretch

    def take(self, taken_bytes: int) -> None:
        """Give the first `taken_bytes` of what `peek` showed back to the producer."""
        self._words[_TAKEN] += taken_bytes

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._words[_WRITTEN] == self._words[_TAKEN]

    @property
    def taken(self) -> int:
        """Bytes taken since the ring was made, which is the offset of what `peek` shows."""
        return self._words[_TAKEN]

    @property
    def written(self) -> int:
        """Bytes put since the ring was made."""
        return self._words[_WRITTEN]

    def skip_to(self, offset: int) -> None:
        """Take what lies before `offset`, which was found to be copied already."""
        self._words[_TAKEN] = max(self._words[_TAKEN], min(offset, self._words[_WRITTEN]))

    def drop(self) -> int:
        """Give up what waits, since it is damaged, and count it; how many bytes that was."""
        lost = self._words[_WRITTEN] - self._words[_TAKEN]
        self._words[_LOST] += lost
        self._words[_TAKEN] = self._words[_WRITTEN]
        return lost

    def tell(self, state: int) -> None:
        """The consumer's word to the producer: how recording goes (one of `STATES`)."""
        self._words[_STATE] = state

    def tell_synced(self, offset: int) -> None:
        """The consumer's word that everything before `offset` would outlive the machine."""
        self._words[_SYNCED] = offset

    @property
    def state(self) -> int:
        """How recording goes, as the recorder told last: an index into `STATES`."""
        return self._words[_STATE]

    def counts(self) -> Counts:
        """What both sides have counted so far."""
        words = self._words
        return Counts(
            predictions=words[_PUT],
            refused=words[_REFUSED],
            waiting_bytes=words[_WRITTEN] - words[_TAKEN],
            unsynced_bytes=words[_WRITTEN] - words[_SYNCED],
            lost_bytes=words[_LOST],
            state=STATES[words[_STATE]],
        )

    def copy(self) -> list[tuple[int, bytes]]:
        """For a reader: what waits, as stretches of whole frames, each with its offset.

        What the consumer takes meanwhile is left out, since it may be overwritten already.
        """
        words = self._words
        start, end = words[_TAKEN], words[_WRITTEN]
        at = start % self.capacity
        upper = bytes(self._data[at : at + min(end - start, self.capacity - at)])
        turn = start + self.capacity - at
        lower = bytes(self._data[: max(0, end - turn)])
        taken = words[_TAKEN]
        return [
            (max(offset, taken), piece[max(0, taken - offset) :])
            for offset, piece in (
                (start, upper[: measure(memoryview(upper), len(upper)).total_bytes]),
                (turn, lower),
            )
            if piece and offset + len(piece) > taken
        ]

    def orphaned(self) -> bool:
        """Whether the producer is dead (or has closed the ring), so that nothing more can come."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of the ring; what waits in it stays there for its consumer."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)
        self._words.release()
        self._data.release()
        with suppress(BufferError):  # somebody holds a view: the map goes with the last of them
            self._map.close()


def ring_id(node: int, boot: int, worker: int, incarnation: int) -> int:
    """The number of a ring: node 24 bits, boot 16, worker 8, and the worker's incarnation 16.

    The first three are those of the prediction ids in it, so that a reader can tell them apart.
    """
    return node << 40 | boot << 24 | worker << 16 | incarnation & 0xFFFF


def places_of(records: Path, shared: Path = SHARED) -> tuple[Path, ...]:
    """Where the rings of a record folder may lie: the same in every process, after a restart too.

    First in shared memory where the machine has it; else in the record folder itself.
    """
    name = hashlib.sha256(os.fsencode(records.resolve())).hexdigest()[:16]
    inside = (records / "rings",)
    return (shared / f"pilotage-{os.getuid()}-{name}", *inside) if shared.is_dir() else inside


def make_folder(rings: Path) -> None:
    """Make the folder of the rings, which only this user may enter.

    Raises:
        PilotageError: something else of this name is there, which belongs to another user.
    """
    rings.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = os.lstat(rings)
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PilotageError(
            "the folder for rings of records belongs to somebody else",
            where=str(rings),
            fix="Remove it, or name another record folder.",
        )


def sweep(place: Path) -> None:
    """Remove rings whose producer died while it made them."""
    for path in place.glob("*" + UNFINISHED):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(descriptor)


def _reserve(descriptor: int, size: int) -> None:
    """Give the file its size with the room really taken: a full tmpfs must not kill us later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    zeros = bytes(64 * 1024)
    for at in range(0, size, len(zeros)):
        os.pwrite(descriptor, zeros[: size - at], at)
