"""The files of snapshots: the current one is always there, the last ones for workers that start."""

import shutil
import tempfile
from pathlib import Path

import pytest

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


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary folders are the test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def full(published: Publishing) -> None:
    """Nothing can be written into the folder any more."""
    folder = Path(published.path()).parent
    shutil.rmtree(folder)
    folder.write_bytes(b"")


def test_where_the_disk_is_full_the_file_goes_into_shared_memory(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    published = Publishing(of(1), shared=shared)
    full(published)
    for revision in (2, 3):
        published.publish(of(revision))
    path = Path(published.path())
    assert path.is_relative_to(shared)
    assert snapshot.decode(path.read_bytes()) == of(3)
    assert len(list(shared.iterdir())) == 1
    published.close()
    assert list(shared.iterdir()) == []


def test_where_nothing_can_be_written_the_last_one_stays(tmp_path: Path) -> None:
    published = Publishing(of(1), shared=tmp_path / "absent")
    full(published)
    with pytest.raises(OSError, match="File exists"):
        published.publish(of(2))
    assert published.current == of(1)
    published.close()
