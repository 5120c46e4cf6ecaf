"""The ledger's file: entries are appended for ever, by several processes if need be.

How nothing is written twice and nothing acknowledged is lost:

1. An appender holds the lock of the file while it reads what is new, decides and writes.
2. A line without an end was written by a process that died before it could say so. Nobody was
   told of it, so the next appender cuts it off, says so in its log, and writes in its place.
3. An entry whose key stands in a line is not written again; its line is given back.
4. What was written is synced before its lines are given back.
"""

import fcntl
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from pilotage.control.ledger.lines import FIRST, FORMAT, Entry, Line, line_after, read_line, text_of
from pilotage.control.ledger.verifying import FIRST_NUMBER, Verification
from pilotage.control.ledger.verifying import verify as verify_lines
from pilotage.errors import PilotageError

PIECE_BYTES: Final = 1024 * 1024
LEAST_DIGITS: Final = 4
"""Of an id, by which a line may be named."""

Log = Callable[..., None]


def _quiet(_event: str, **_fields: object) -> None:
    pass


class Ledger:
    """A ledger at a path, which need not be there yet.

    Args:
        log: told of events, with fields: `ledger_tail_removed` (bytes).
    """

    def __init__(self, path: Path, log: Log = _quiet) -> None:
        self.path = path
        self._log = log
        self._forget()

    def append(self, entries: Iterable[Entry]) -> list[Line]:
        """The line of each entry, in their order; those whose key was not there are written.

        When it returns, the lines outlive the machine.

        Raises:
            OSError: the disk fails; none of the entries is written.
            PilotageError: the last line cannot be read, so nothing can follow it.
        """
        with self._locked() as descriptor:
            self._catch_up(descriptor)
            lines: list[Line] = []
            fresh: dict[str, Line] = {}
            number, before = self._number, self._last
            for entry in entries:
                line = fresh.get(entry.key) or self._kept(descriptor, entry.key)
                if line is None:
                    line = fresh[entry.key] = line_after(number, before, entry)
                    number, before = number + 1, line.digest
                lines.append(line)
            if fresh:
                self._write(descriptor, list(fresh.values()))
            return lines

    def read(self) -> Iterator[Line]:
        """Every line that can be read, from the first on; nothing where there is no file."""
        for text in texts(self.path):
            line = _line_of(text)
            if line is not None:
                yield line

    def find(self, name: str) -> Line:
        """The line whose id begins so (4 digits or more), or whose entry has this key.

        Raises:
            PilotageError: there is none, or more than one.
        """
        wanted = name.strip()
        digits = wanted.lower()
        found = [
            line
            for line in self.read()
            if line.entry.key == wanted
            or (len(digits) >= LEAST_DIGITS and line.digest.startswith(digits))
        ]
        if len(found) == 1:
            return found[0]
        raise PilotageError(
            "several lines of the ledger have this id" if found else "no line has this id",
            where=str(self.path),
            expected=f"{LEAST_DIGITS} or more of the first digits of an id",
            fix="See the ids with `pilotage verdict list` or `pilotage ledger show`.",
        )

    # --- what is known of the file ---------------------------------------------------------

    def _forget(self) -> None:
        self._file = (0, 0)
        self._size = 0
        self._number = FIRST_NUMBER
        self._last = FIRST
        self._unreadable = False
        self._places: dict[str, tuple[int, int]] = {}

    def _catch_up(self, descriptor: int) -> None:
        """Reads what was appended since, and cuts a line off that has no end."""
        status = os.fstat(descriptor)
        file = (status.st_dev, status.st_ino)
        if file != self._file or status.st_size < self._size:
            self._forget()
            self._file = file
        for text in _lines_from(descriptor, self._size, status.st_size):
            if not text.endswith(b"\n"):
                os.ftruncate(descriptor, self._size)
                os.fsync(descriptor)
                self._log("ledger_tail_removed", bytes=len(text))
                break
            self._know(text)
        if self._unreadable:
            raise PilotageError(
                "the last line of the ledger cannot be read, so nothing can follow it",
                where=str(self.path),
                expected=f"a line of format {FORMAT}",
                fix="Run `pilotage ledger verify`; move the file away, and keep it.",
            )

    def _know(self, text: bytes) -> None:
        line = _line_of(text)
        self._unreadable = line is None
        if line is not None:
            self._number, self._last = line.number + 1, line.digest
            self._places.setdefault(line.entry.key, (self._size, len(text)))
        self._size += len(text)

    def _kept(self, descriptor: int, key: str) -> Line | None:
        place = self._places.get(key)
        if place is None:
            return None
        offset, size = place
        line = _line_of(os.pread(descriptor, size, offset))
        return line if line is not None and line.entry.key == key else None

    def _write(self, descriptor: int, lines: list[Line]) -> None:
        texts_ = [text_of(line) for line in lines]
        data = memoryview(b"".join(texts_))
        at = self._size
        try:
            while data:
                written = os.pwrite(descriptor, data, at)
                data, at = data[written:], at + written
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, self._size)
            raise
        for text in texts_:
            self._know(text)

    @contextmanager
    def _locked(self) -> Generator[int]:
        """The file, which is made where it is not there, and nobody else's while this lasts."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if _is_at(descriptor, self.path):
                    if not os.fstat(descriptor).st_size:
                        _sync_folder(self.path.parent)
                    yield descriptor
                    return
            finally:
                os.close(descriptor)


def verify(path: Path, *, expect: str = "") -> Verification:
    """What `verifying.verify` finds in the file.

    Raises:
        PilotageError: there is no such file, or `expect` is no digest.
    """
    if not path.is_file():
        raise PilotageError(
            "there is no ledger here",
            where=str(path),
            fix="Name the folder that was given to `serve --data`.",
        )
    return verify_lines(texts(path), expect=expect)


def texts(path: Path) -> Iterator[bytes]:
    """The lines of a ledger as they stand in it now, each with its end; the last may have none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        # What an appender has not said to be written may be taken back; what lies before stays.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        size = os.fstat(descriptor).st_size
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        yield from _lines_from(descriptor, 0, size)
    finally:
        os.close(descriptor)


def _lines_from(descriptor: int, offset: int, end: int) -> Iterator[bytes]:
    """The lines from an offset on, each with its end; the last may have none."""
    rest = b""
    while piece := os.pread(descriptor, min(PIECE_BYTES, end - offset), offset):
        offset += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        yield from (text + b"\n" for text in whole)
    if rest:
        yield rest


def _line_of(text: bytes) -> Line | None:
    try:
        line = read_line(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return line if line.format == FORMAT and text.endswith(b"\n") else None


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one of that name: it may have been moved away."""
    ours = os.fstat(descriptor)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
