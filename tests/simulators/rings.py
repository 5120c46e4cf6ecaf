"""A record folder with several workers' rings and a recorder, all in this process."""

from pathlib import Path

from pilotage.contracts.segments import OUTCOME, frame
from pilotage.serving.recording.recorder import Recorder, RecorderSettings
from pilotage.serving.recording.ring import Ring, places_of, ring_id
from pilotage.serving.recording.segment_file import Disk
from pilotage.serving.recording.to_ring import Recording, open_recording

NODE, BOOT = 0xABCDEF, 7
START_MS = 1_790_000_000_000
S_NS = 1_000_000_000


class Rings:
    """`put` is what a worker does; `copy`, `seal` and `restart` what the recorder does."""

    def __init__(
        self,
        folder: Path,
        workers: int = 2,
        *,
        ring_bytes: int = 64 * 1024,
        segment_bytes: int = 1 << 26,
        disk: Disk | None = None,
    ) -> None:
        self.folder = folder
        self.places = places_of(folder)
        self.clock_ms = START_MS
        self._now_ns = 0
        self._settings = RecorderSettings(folder, NODE, BOOT, segment_bytes=segment_bytes)
        self._disk = disk
        self._recorder = self._new_recorder()
        self._recordings: list[Recording] = [
            open_recording(
                folder, node=NODE, boot=BOOT, worker=each, incarnation=0, ring_bytes=ring_bytes
            )
            for each in range(workers)
        ]
        self.ids = [ring_id(NODE, BOOT, each, 0) for each in range(workers)]
        self.copy()

    def put(self, worker: int, payload: bytes, kind: int = OUTCOME) -> None:
        assert self._ring(worker).put(frame(kind, payload))

    def written(self, worker: int) -> int:
        """The offset behind the last frame that was put."""
        return self._ring(worker).written

    def copy(self) -> None:
        """One round of the recorder, 50 ms later."""
        self.clock_ms += 50
        self._now_ns += S_NS
        self._recorder.round(self._now_ns)

    def restart(self) -> None:
        """The recorder copies what waits, seals its segment and ends; another takes its place."""
        self.copy()
        self._recorder.close()
        self._recorder = self._new_recorder()
        self.copy()

    def close(self) -> None:
        for each in self._recordings:
            each.close()
        self.copy()
        self._recorder.close()

    def _new_recorder(self) -> Recorder:
        return Recorder(self._settings, disk=self._disk, clock=lambda: self.clock_ms * 1_000_000)

    def _ring(self, worker: int) -> Ring:
        return self._recordings[worker]._ring
