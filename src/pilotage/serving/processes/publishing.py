"""The snapshots of one supervisor, as files that its workers read.

The files lie in a temporary folder, which a machine may sweep while the server runs for weeks: so a
snapshot is kept in memory, and written again where it is gone. Where that disk is full, the file
goes into shared memory: a candidate must be out although nothing can be written.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from pilotage.contracts import snapshot as snapshots
from pilotage.contracts.snapshot import Snapshot

KEPT_FILES: Final = 16
"""Files of the last snapshots that are kept, in files."""
SHARED: Final = Path("/dev/shm")


class Publishing:
    """The snapshot that is served, and that workers start with.

    Attributes:
        current: what a worker that starts now is given.
    """

    def __init__(self, first: Snapshot, shared: Path = SHARED) -> None:
        self.current = first
        self._shared = shared
        self._folders = [
            tempfile.TemporaryDirectory(prefix="pilotage-", ignore_cleanup_errors=True)
        ]
        self._paths: dict[int, Path] = {}

    @property
    def next_revision(self) -> int:
        """Never one that was published before."""
        return self.current.revision + 1

    def path(self) -> str:
        """The file of the current snapshot, which is there.

        Raises:
            OSError: it was gone, and cannot be written again.
        """
        path = self._paths.get(self.current.revision)
        if path is None or not path.exists():
            path = self._write(self.current)
        return str(path)

    def publish(self, fresh: Snapshot) -> None:
        """Makes it the current one.

        Raises:
            OSError: it cannot be written; the last one stays.
        """
        self._write(fresh)
        self.current = fresh
        # Workers may just be starting with one of the last ones.
        old = self._paths.pop(fresh.revision - KEPT_FILES, None)
        if old is not None:
            with suppress(OSError):
                old.unlink()

    def close(self) -> None:
        """Removes the files."""
        for folder in self._folders:
            folder.cleanup()

    def _write(self, snapshot: Snapshot) -> Path:
        """Whole or not at all: a worker that starts meanwhile reads the old one."""
        data = snapshots.encode(snapshot)
        name = f"snapshot-{snapshot.revision}"
        try:
            path = _written(Path(self._folders[0].name) / name, data)
        except OSError:
            if not self._shared.is_dir():
                raise
            path = _written(self._in_memory() / name, data)
        self._paths[snapshot.revision] = path
        return path

    def _in_memory(self) -> Path:
        """A folder in shared memory, made when it is first needed."""
        if len(self._folders) == 1:
            made = tempfile.TemporaryDirectory(
                prefix="pilotage-", dir=self._shared, ignore_cleanup_errors=True
            )
            self._folders.append(made)
        return Path(self._folders[1].name)


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)
    return path
