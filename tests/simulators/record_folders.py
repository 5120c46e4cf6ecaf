"""A record folder with a worker and a recorder in this process: blocks go in, one by one."""

from pathlib import Path

import numpy as np

from pilotage.contracts.records import Entry
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import RecordPolicy
from pilotage.serving.recording.blocks import Origin, Timing
from pilotage.serving.recording.recorder import Recorder, RecorderSettings
from pilotage.serving.recording.ring import places_of
from pilotage.serving.recording.to_ring import Recording, open_recording

NODE, BOOT = 0xABCDEF, 7
START_MS = 1_790_000_000_000
IRIS = Signature(
    inputs=(Tensor("x", "FP32", ("n", 2)), Tensor("name", "BYTES", ("n",))),
    outputs=(Tensor("label", "INT64", ("n",)),),
)
TIMING = Timing(batch_rows=4, engine_us=30, encode_us=2)


def origin(endpoint: str = "iris", signature: Signature = IRIS, **policy) -> Origin:
    return Origin(
        endpoint, "abc", 1, "baseline", 1_000_000, "", "", RecordPolicy(**policy), signature
    )


class RecordFolder:
    """One server on a folder. `answer` is what a worker does; `copy` what the recorder does."""

    def __init__(self, folder: Path, *, boot: int = BOOT, segment_bytes: int = 1 << 26) -> None:
        self.folder = folder
        self.places = places_of(folder)
        self.now_ms = START_MS
        self._settings = RecorderSettings(folder, NODE, boot, segment_bytes=segment_bytes)
        self.recorder = self._new_recorder()
        self.recording: Recording = open_recording(
            folder, node=NODE, boot=boot, worker=1, incarnation=0, ring_bytes=256 * 1024
        )
        self.recorder.round(0)

    def _new_recorder(self) -> Recorder:
        return Recorder(self._settings, clock=lambda: self.now_ms * 1_000_000)

    def answer(self, rows=(1,), *, endpoint: str = "iris", phase="whole", ids=None) -> list[bytes]:
        """A batch of requests with so many rows each; their ids."""
        self.now_ms += 10
        given = ids or self.recording.ids.take(len(rows), self.now_ms)[1]
        entries = [
            Entry(each, self.now_ms * 1_000_000, count, 5)
            for each, count in zip(given, rows, strict=True)
        ]
        total = sum(rows)
        x = np.arange(2 * total, dtype=np.float32).reshape(total, 2)
        name = np.array([f"row {i}" for i in range(total)], dtype=object)
        label = np.arange(total, dtype=np.int64)
        assert self.recording.put(
            origin(endpoint), [x, name], [label], entries, TIMING, phase=phase
        )
        return given

    def copy(self) -> None:
        """One round of the recorder, some time later."""
        self.now_ms += 50
        self.recorder.round(self.now_ms * 1_000_000)

    def seal(self) -> None:
        """The recorder ends, and another one takes its place."""
        self.recorder.close()
        self.recorder = self._new_recorder()
        self.recorder.round(0)

    def close(self) -> None:
        """Worker and recorder end in order."""
        self.recording.close()
        self.copy()
        self.recorder.close()
