"""A disk that is really full: a small file system of our own, and a limit on the size of files."""

import os
import resource
import signal
import struct
import subprocess
import sys
import time

import pytest

from pilotage.contracts import segments
from pilotage.contracts.segments import BLOCK, Frame, frame
from pilotage.serving.recording.recorder import RecorderSettings, run_recorder
from pilotage.serving.recording.ring import Ring, places_of
from pilotage.serving.recording.to_ring import open_recording

NODE, BOOT = 3, 4
PATIENCE_S = 10.0


@pytest.fixture
def small_disk(tmp_path):
    """A file system with 2 MB of room."""
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("not root on Linux: no small file system can be mounted")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "pilotage-test", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


class Scene:
    """A worker in this process, and a recorder in its own."""

    def __init__(self, folder, *, largest_file: int | None = None) -> None:
        self.folder = folder
        reading, self._lifeline = os.pipe()
        self._recorder = os.fork()
        if self._recorder == 0:
            os.close(self._lifeline)
            if largest_file is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
            run_recorder(RecorderSettings(folder, NODE, BOOT), reading)
            os._exit(0)
        os.close(reading)
        self.recording = open_recording(
            folder, node=NODE, boot=BOOT, worker=0, incarnation=0, ring_bytes=512 * 1024
        )
        self.ring: Ring = self.recording._ring
        self.put: list[int] = []
        self._number = 0

    def offer(self, count: int) -> int:
        """So many frames of 8 KB; how many the ring took."""
        before = len(self.put)
        for _ in range(count):
            self._number += 1
            if self.ring.put(frame(BLOCK, struct.pack("<Q", self._number) * 1024)):
                self.put.append(self._number)
        return len(self.put) - before

    def until(self, true) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, self.recording.counts()
            time.sleep(0.002)

    def end(self) -> None:
        self.recording.close()
        os.close(self._lifeline)
        assert os.waitpid(self._recorder, 0)[1] == 0

    def kept(self) -> list[int]:
        numbers = []
        for path in sorted(self.folder.glob("*-*")):
            for found in segments.read(path.read_bytes()):
                assert isinstance(found, Frame)
                if found.kind == BLOCK:
                    numbers.append(struct.unpack_from("<Q", found.payload)[0])
        return numbers


def _fill_up(scene: Scene) -> None:
    """Until the disk and then the ring are full."""

    def full() -> bool:
        scene.offer(8)
        return scene.recording.full and scene.offer(1) == 0

    scene.until(full)


def test_when_there_is_room_again_the_record_goes_on_without_a_gap(small_disk):
    scene = Scene(small_disk / "records")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    _fill_up(scene)
    counts = scene.recording.counts()
    assert counts.state == "disk_full"
    assert counts.refused > 0
    ballast.unlink()
    scene.until(lambda: scene.ring.empty and not scene.recording.full)
    assert scene.offer(3) == 3
    scene.until(lambda: scene.ring.empty)
    scene.end()
    assert scene.kept() == scene.put


def test_what_a_full_disk_left_in_the_ring_is_copied_by_the_next_server(small_disk):
    folder = small_disk / "records"
    scene = Scene(folder)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    _fill_up(scene)
    scene.end()
    assert scene.kept() == scene.put[: len(scene.kept())]
    assert len(scene.kept()) < len(scene.put)
    ballast.unlink()
    successor = Scene(folder)
    successor.end()
    assert successor.kept() == scene.put
    assert not places_of(folder)[0].exists()


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path):
    scene = Scene(tmp_path / "records", largest_file=100_000)
    _fill_up(scene)
    assert scene.recording.counts().state == "disk_full"
    scene.end()
    assert scene.kept() == scene.put[: len(scene.kept())]
    successor = Scene(tmp_path / "records")
    successor.end()
    assert successor.kept() == scene.put
