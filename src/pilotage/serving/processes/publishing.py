"""The snapshots of one supervisor, as files that its workers read.

The files lie in a temporary folder, which a machine may sweep while the server runs for weeks, and
whose disk may be full: so a snapshot is kept in memory, and written again where it is gone.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from pilotage.contracts import snapshot as snapshots
from pilotage.contracts.snapshot import Snapshot

KEPT_FILES: Final = 16
"""Files of the last snapshots that are kept, in files."""


class Publishing:
    """The snapshot that is served, and that workers start with.

    Attributes:
        current: what a worker that starts now is given.
    """

    def __init__(self, first: Snapshot) -> None:
        self.current = first
        self._folder = tempfile.TemporaryDirectory(prefix="pilotage-")

    @property
    def next_revision(self) -> int:
        """Never one that was published before."""
        return self.current.revision + 1

    def path(self) -> str:
        """The file of the current snapshot, which is there.

        Raises:
            OSError: it was gone, and cannot be written again.
        """
        path = self._path(self.current.revision)
        if not path.exists():
            self._write(self.current)
        return str(path)

    def publish(self, fresh: Snapshot) -> None:
        """Makes it the current one.

        Raises:
            OSError: it cannot be written; the last one stays.
        """
        self._write(fresh)
        self.current = fresh
        # Workers may just be starting with one of the last ones.
        with suppress(FileNotFoundError):
            self._path(fresh.revision - KEPT_FILES).unlink()

    def close(self) -> None:
        """Removes the files."""
        self._folder.cleanup()

    def _path(self, revision: int) -> Path:
        return Path(self._folder.name) / f"snapshot-{revision}"

    def _write(self, snapshot: Snapshot) -> None:
        """Whole or not at all: a worker that starts meanwhile reads the old one."""
        path = self._path(snapshot.revision)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(snapshots.encode(snapshot))
        fresh.replace(path)
