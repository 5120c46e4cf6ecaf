"""The files of snapshots: the current one is always there, the last ones for workers that start."""

import shutil
from pathlib import Path

from pilotage.contracts import snapshot
from pilotage.contracts.snapshot import FORMAT, Snapshot
from pilotage.serving.processes.publishing import KEPT_FILES, Publishing


def of(revision: int) -> Snapshot:
    return Snapshot(FORMAT, revision, 0.0, (), ())


def test_the_last_files_stay_and_older_ones_go() -> None:
    published = Publishing(of(1))
    folder = Path(published.path()).parent
    for revision in range(2, KEPT_FILES + 3):
        published.publish(of(revision))
    found = {int(path.name.removeprefix("snapshot-")) for path in folder.iterdir()}
    assert found == set(range(3, KEPT_FILES + 3))
    published.close()
    assert not folder.exists()


def test_a_file_that_was_swept_away_is_written_again() -> None:
    published = Publishing(of(1))
    shutil.rmtree(Path(published.path()).parent)
    assert snapshot.decode(Path(published.path()).read_bytes()) == of(1)
    assert published.next_revision == 2
    published.close()
