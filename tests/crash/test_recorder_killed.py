"""`kill -9` of the recorder, of a worker, or of both, at random moments: no frame lost or doubled.

Most kills come just after a seal was asked for, while the recorder makes it.

The process under a worker's name here does what a worker does for each batch: it puts a frame,
and only then says so (as an answer would leave). What was said is counted in shared memory.
"""

import mmap
import os
import random
import signal
import struct
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pilotage.contracts import segments
from pilotage.contracts.segments import BLOCK, OUTCOME, PROBE, Frame, frame
from pilotage.serving.processes.recorder import SEAL
from pilotage.serving.recording.recorder import RecorderSettings, run_recorder
from pilotage.serving.recording.ring import places_of
from pilotage.serving.recording.to_ring import open_recording

ROUNDS = 60
SEED = 20_251
NODE, BOOT = 3, 4
RING_BYTES = 128 * 1024
KINDS = (BLOCK, OUTCOME, PROBE)


def _child(run) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        run()
    finally:
        os._exit(1)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@dataclass
class Scene:
    """A worker and a recorder on one folder, and what every worker so far has said."""

    folder: Path
    chance: random.Random
    said: memoryview = field(
        default_factory=lambda: memoryview(mmap.mmap(-1, 8 * (ROUNDS + 1))).cast("Q")
    )
    incarnation: int = -1
    worker: int = 0
    recorder: int = 0
    lifeline: int = -1

    def start_worker(self) -> None:
        self.incarnation += 1
        self.worker = _child(self._work)

    def _work(self) -> None:
        recording = open_recording(
            self.folder,
            node=NODE,
            boot=BOOT,
            worker=0,
            incarnation=self.incarnation,
            ring_bytes=RING_BYTES,
        )
        chance = random.Random(self.incarnation)
        number = 0
        while True:
            size = chance.choice((1, 1, 1, 40, 300))
            data = struct.pack("<II", self.incarnation, number) * size
            if recording._ring.put(frame(chance.choice(KINDS), data)):
                number += 1
                self.said[self.incarnation] = number
            else:
                time.sleep(0.0005)

    def start_recorder(self) -> None:
        reading, writing = os.pipe()

        def run() -> None:
            os.close(writing)
            settings = RecorderSettings(
                self.folder, NODE, BOOT, fsync_interval_s=0.005, segment_bytes=256 * 1024
            )
            run_recorder(settings, reading)

        self.recorder = _child(run)
        os.close(reading)
        self.lifeline = writing

    def ask_for_a_seal(self) -> None:
        with suppress(BrokenPipeError):
            os.write(self.lifeline, SEAL)

    def kill_recorder(self) -> None:
        _kill(self.recorder)
        os.close(self.lifeline)

    def finish(self) -> None:
        """Kill the worker, and let the recorder end in order."""
        _kill(self.worker)
        os.close(self.lifeline)
        assert os.waitpid(self.recorder, 0)[1] == 1 << 8


def _play(folder: Path, rounds: int) -> Scene:
    scene = Scene(folder, random.Random(SEED))
    scene.start_worker()
    scene.start_recorder()
    for _ in range(rounds):
        time.sleep(scene.chance.random() * 0.02)
        if scene.chance.random() < 0.7:
            scene.ask_for_a_seal()
            time.sleep(scene.chance.random() * 0.004)
        victim = scene.chance.choice(("recorder", "worker", "both"))
        if victim != "worker":
            scene.kill_recorder()
        if victim != "recorder":
            _kill(scene.worker)
            scene.start_worker()
        if victim != "worker":
            scene.start_recorder()
    scene.finish()
    return scene


def test_kills_at_random_moments_lose_no_frame_double_none_and_tear_none(tmp_path):
    scene = _play(tmp_path / "records", ROUNDS)
    kept = Counter()
    for path in sorted((tmp_path / "records").glob("*-*")):
        assert path.suffix == ".seg"
        data = path.read_bytes()
        found = list(segments.read(data))
        assert all(isinstance(each, Frame) for each in found)
        assert segments.read_seal(data[-4096:]) is not None
        for each in found:
            if each.kind in KINDS:
                pair = struct.unpack_from("<II", each.payload)
                assert each.payload == struct.pack("<II", *pair) * (len(each.payload) // 8)
                kept[pair] += 1
    assert max(kept.values()) == 1
    for incarnation in range(scene.incarnation + 1):
        numbers = [number for worker, number in kept if worker == incarnation]
        said = scene.said[incarnation]
        assert sorted(numbers) in (list(range(said)), list(range(said + 1)))
    assert sum(kept.values()) > 1000
    assert not any(place.exists() for place in places_of(tmp_path / "records"))
