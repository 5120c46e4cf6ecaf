"""The recorder: a process that copies frames from the workers' rings into segments.

How nothing is lost or doubled when it is killed at any moment:

1. Frames stay in a ring until they are in the segment; only then is the ring's count of taken
   bytes moved.
2. Before the frames it writes a POSITION: which ring they come from, and from which offset.
3. A recorder that starts cuts the torn tail off the segment its predecessor left open, reads how
   far each ring was copied into it, moves the rings' counts there, seals it, and opens another.

One recorder writes to a folder: it holds the lock of the folder. Several servers may share one
folder, as two commands on one machine do by default. Their workers put their rings into the same
place, the recorder that holds the lock serves all of them, and the others stand by and take over
when it is gone. So no server is refused, and no two processes write to one file.

When the disk is full, the budget is used up or the folder cannot be written to, frames stay in the
rings, the state is told to the workers through the rings, and the recorder tries again.
"""

import errno
import fcntl
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from pilotage.contracts import segments
from pilotage.contracts.limits import MIB
from pilotage.contracts.segments import Head, Position, Stretch
from pilotage.errors import PilotageError
from pilotage.serving.recording import ring as ring_words
from pilotage.serving.recording.ring import Ring
from pilotage.serving.recording.segment_file import OPEN, SEALED, Disk, SegmentFile, reopen

S: Final = 1_000_000_000
BUSY_PAUSE_S: Final = 0.005
PAUSE_S: Final = 0.05
"""Between two rounds: a wake-up costs about 80 µs, and what waits in a ring is safe already."""
BUSY_BYTES: Final = MIB
"""A round that moved more than this is followed by the short pause."""
LOOK_NS: Final = S // 5
"""How often the folder of rings is looked at for new rings and dead producers."""
FIRST_RETRY_NS: Final = S // 10
LAST_RETRY_NS: Final = 5 * S
GROUPS_A_ROUND: Final = 16
SPARE_BYTES: Final = 1024
"""What the budget keeps for the head and the seal of a segment, in bytes."""
FAREWELL_NS: Final = 30 * S
"""How long a recorder whose supervisor died waits for the workers to end."""
LOCK: Final = "recorder.lock"
UNREADABLE: Final = ".unreadable"


class RecorderSettings(Struct, frozen=True):
    """What a recorder is told.

    Attributes:
        folder: where segments go.
        node, boot: of the server, as in its prediction ids.
        fsync_interval_s: the longest that a written record waits for its fsync: what the death of
            the machine may lose (with one pause of the loop, 50 ms).
        segment_bytes, segment_s: a segment is sealed when it is larger or older.
        record_budget_bytes: all segments together; beyond it nothing more is recorded.
    """

    folder: Path
    node: int
    boot: int
    fsync_interval_s: float = 1.0
    segment_bytes: int = 64 * MIB
    segment_s: float = 600.0
    record_budget_bytes: int = 10 * 1024 * MIB


class OverBudget(OSError):
    """The budget of the record folder is used up."""


class Recorder:
    """One recorder at work; the caller calls `round` again and again.

    `round` takes the time of a clock that never goes back; `clock` gives nanoseconds since the
    epoch, for names and seals alone.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        *,
        places: tuple[Path, ...] | None = None,
        disk: Disk | None = None,
        clock: Callable[[], int] = time.time_ns,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._settings = settings
        self._places = places or ring_words.places_of(settings.folder)
        self._disk = disk or Disk()
        self._clock = clock
        self._random_bytes = random_bytes
        self._lock: int | None = None
        self._rings: dict[str, Ring] = {}
        self._ends: dict[int, int] = {}
        self._segment: SegmentFile | None = None
        self._repaired = False
        self._look_at = self._retry_at = self._sync_at = self._seal_at = 0
        self._retry_ns = FIRST_RETRY_NS
        self._used_bytes = 0
        self.hurry = False
        """Look for dead producers in every round: the end is near."""
        self.seal_wanted = False
        """Seal the segment that is open in the next round, once the rings are drained."""
        self.state = ring_words.RECORDING

    @property
    def active(self) -> bool:
        """Whether this recorder holds the folder; else it stands by."""
        return self._lock is not None

    def round(self, now_ns: int) -> int:
        """Move what waits, sync and rotate what is due; how many bytes were moved."""
        if now_ns < self._retry_at:
            return 0
        moved = 0
        try:
            if not self._repaired and not self._begin(now_ns):
                return 0
            if self.hurry or self.seal_wanted or now_ns >= self._look_at:
                self._look(now_ns)
            for ring in self._rings.values():
                moved += self._drain(ring, now_ns)
            self._settle(now_ns)
            self.seal_wanted = False
        except OSError as error:
            self._fail(error, now_ns)
            return moved
        if self.state != ring_words.RECORDING:
            self._tell(ring_words.RECORDING)
        self._retry_ns = FIRST_RETRY_NS
        return moved

    def owes(self) -> bool:
        """Whether this server's rings still need it: a worker lives, or frames can be written."""
        if not self.active:
            return False
        writable = self.state == ring_words.RECORDING
        server = ring_words.ring_id(self._settings.node, self._settings.boot, 0, 0) >> 24
        return any(
            not ring.orphaned() or (writable and not ring.empty)
            for ring in self._rings.values()
            if ring.id >> 24 == server
        )

    def close(self) -> None:
        """Seal what is open, or leave whole frames when the disk does not let it."""
        if self._segment is not None:
            with suppress(OSError):
                self._seal(self._segment)
        for ring in self._rings.values():
            if self.active and ring.orphaned() and ring.empty:
                ring.path.unlink(missing_ok=True)
            ring.close()
        self._rings.clear()
        if self._lock is not None:
            for place in self._places:
                ring_words.sweep(place)
                with suppress(OSError):
                    place.rmdir()
            os.close(self._lock)
            self._lock = None

    # Taking over.

    def _begin(self, now_ns: int) -> bool:
        """Take the folder over; False while another recorder has it."""
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _lock(self._settings.folder / LOCK)
            if self._lock is None:
                self._retry_at = now_ns + LOOK_NS
                return False
        self._discover()
        for path in sorted(self._settings.folder.glob("*" + OPEN)):
            self._repair(path)
        self._used_bytes = _used(self._settings.folder)
        self._repaired = True
        return True

    def _repair(self, path: Path) -> None:
        """Seal a segment that an earlier recorder left open, and go on where that one was."""
        if path.stat().st_size < segments.HEAD_BYTES:
            path.unlink()
            return
        try:
            segment, ends = reopen(path, self._disk)
        except PilotageError:
            path.rename(path.with_suffix(UNREADABLE))
            return
        try:
            self._ends.update(ends)
            for ring in self._rings.values():
                ring.skip_to(ends.get(ring.id, 0))
            segment.seal(self._clock())
        except OSError:
            segment.close()
            raise

    def _discover(self) -> None:
        for place in self._places:
            for path in place.glob("*" + ring_words.SUFFIX):
                if path.name in self._rings:
                    continue
                try:
                    ring = Ring.open(path)
                except PilotageError:
                    continue
                ring.skip_to(self._ends.get(ring.id, 0))
                ring.tell(self.state)
                self._rings[path.name] = ring

    def _look(self, now_ns: int) -> None:
        """Find new rings, remove those of dead workers once they are copied, mind the folder."""
        self._look_at = now_ns + LOOK_NS
        self._discover()
        for name, ring in list(self._rings.items()):
            if ring.orphaned() and ring.empty:
                ring.path.unlink(missing_ok=True)
                ring.close()
                del self._rings[name]
        if self._segment is not None and not self._segment.path.exists():
            self._segment.close()
            self._segment = None

    # Copying.

    def _drain(self, ring: Ring, now_ns: int) -> int:
        """Copies what waits, for a while; all that waits now where a seal is wanted."""
        moved = rounds = 0
        until = ring.written if self.seal_wanted else 0
        while rounds < GROUPS_A_ROUND or ring.taken < until:
            rounds += 1
            waiting = ring.peek()
            if waiting is None:
                break
            data, stretch = waiting
            if not stretch.total_bytes:
                ring.drop()
                break
            self._copy(ring, data, stretch, now_ns)
            moved += stretch.total_bytes
        return moved

    def _copy(self, ring: Ring, data: memoryview, stretch: Stretch, now_ns: int) -> None:
        needed = segments.POSITION_BYTES + stretch.total_bytes
        most = self._settings.record_budget_bytes - SPARE_BYTES
        if self._used_bytes + needed > most:
            self._used_bytes = _used(self._settings.folder)
            if self._used_bytes + needed > most:
                raise OverBudget
        if self._segment is not None and self._segment.sealed:
            self._seal(self._segment)
        segment = self._segment or self._open(now_ns)
        position = segments.position(Position(ring.id, ring.taken), segment.head.mark)
        segment.append([position, data], stretch, ring.id)
        ring.take(stretch.total_bytes)
        self._used_bytes += needed
        if segment.tally.total_bytes >= self._settings.segment_bytes:
            self._seal(segment)

    def _open(self, now_ns: int) -> SegmentFile:
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = self._settings
        opened_ns = max(self._clock(), _latest_ns(settings.folder) + 1_000_000)
        mark = self._random_bytes(segments.MARK_BYTES)
        head = Head(settings.node, settings.boot, opened_ns, mark)
        self._segment = SegmentFile.create(settings.folder, head, self._disk)
        self._seal_at = now_ns + int(settings.segment_s * S)
        return self._segment

    def _settle(self, now_ns: int) -> None:
        """Sync and seal what is due."""
        segment = self._segment
        if segment is None:
            return
        if self.seal_wanted or now_ns >= self._seal_at:
            self._seal(segment)
        elif segment.unsynced_bytes and now_ns >= self._sync_at:
            self._sync_at = now_ns + int(self._settings.fsync_interval_s * S)
            segment.sync()
            self._tell_synced()

    def _seal(self, segment: SegmentFile) -> None:
        segment.seal(self._clock())
        self._segment = None
        self._used_bytes = _used(self._settings.folder)
        self._tell_synced()

    # Telling the workers.

    def _tell_synced(self) -> None:
        for ring in self._rings.values():
            ring.tell_synced(ring.taken)

    def _tell(self, state: int) -> None:
        self.state = state
        for ring in self._rings.values():
            ring.tell(state)

    def _fail(self, error: OSError, now_ns: int) -> None:
        """Say what is wrong, and wait longer each time before trying again."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        state = ring_words.DISK_FULL if full else ring_words.UNWRITABLE
        self.state = ring_words.OVER_BUDGET if isinstance(error, OverBudget) else state
        with suppress(OSError):
            self._discover()
        self._tell(self.state)
        self._retry_at = now_ns + self._retry_ns
        self._retry_ns = min(2 * self._retry_ns, LAST_RETRY_NS)


def run_recorder(settings: RecorderSettings, control: int) -> None:
    """The whole life of a recorder process: until `control` ends and the workers are gone.

    `control` is the reading end of a pipe whose other end only the supervisor holds. A byte in it
    asks for a seal of the segment that is open; a recorder that stands by passes over it. Signals
    that a terminal or a service manager sends to all processes are passed over too: a recorder
    outlives the workers, whose last answers it must keep.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    recorder = Recorder(settings)
    leave_at: int | None = None
    while True:
        now_ns = time.monotonic_ns()
        moved = recorder.round(now_ns)
        if leave_at is not None and (not recorder.owes() or now_ns >= leave_at):
            break
        pause_s = BUSY_PAUSE_S if moved > BUSY_BYTES else PAUSE_S
        if leave_at is not None:
            time.sleep(BUSY_PAUSE_S)
        elif select.select([control], [], [], pause_s)[0]:
            if os.read(control, 64):
                recorder.seal_wanted = recorder.active
            else:
                leave_at = now_ns + FAREWELL_NS
                recorder.hurry = True
    recorder.close()


def _lock(path: Path) -> int | None:
    """The lock of the folder, held as long as the descriptor is open; None when it is taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _used(folder: Path) -> int:
    """Bytes of all segments in the folder."""
    with os.scandir(folder) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.name.endswith((OPEN, SEALED)))


def _latest_ns(folder: Path) -> int:
    """When the newest segment was opened, by its name: a later one must sort behind it."""
    names = [path.name for ending in (OPEN, SEALED) for path in folder.glob("*" + ending)]
    return int(max(names).partition("-")[0], 16) * 1_000_000 if names else 0
