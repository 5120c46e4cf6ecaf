"""The worker's side of recording: frames into its ring, before the answers leave.

Nothing here waits for a disk. What the ring cannot take is counted, and the caller marks the
answer (`Pilotage-Recorded: no`) or refuses, as the endpoint's policy says.

Budget: `put_block` takes 8 µs for a batch of 32 tiny predictions, most of it encoding.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pilotage.contracts import records, segments
from pilotage.contracts.predictions import Ids
from pilotage.contracts.records import Block, Entry, Outcome, Phase, Probe
from pilotage.contracts.snapshot import Endpoint
from pilotage.serving.recording import ring
from pilotage.serving.recording.blocks import Origin, Timing, blocks_of
from pilotage.serving.recording.ring import RING_BYTES, Counts, Ring

TRIES: Final = 3


class Recording:
    """What a worker records through.

    Attributes:
        ids: where its prediction ids come from.
    """

    def __init__(self, to: Ring, ids: Ids) -> None:
        self._ring = to
        self.ids = ids

    def put(
        self,
        origin: Origin,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        entries: list[Entry],
        timing: Timing,
        *,
        phase: Phase = "whole",
        usage: dict[str, int] | None = None,
    ) -> bool:
        """Record a finished batch as the route's policy says; for the arguments see `blocks_of`.

        False when any of it could not be recorded, which is then counted. After True all of it
        outlives the death of every process.
        """
        blocks = blocks_of(origin, inputs, outputs, entries, timing, phase=phase, usage=usage)
        refused = [block for block in blocks if not self.put_block(block)]
        return not refused

    def put_block(self, block: Block) -> bool:
        """Record the predictions of one block."""
        frame = segments.frame(segments.BLOCK, records.encode(block))
        return self._ring.put(frame, len(block.entries))

    def put_outcomes(self, outcomes: Sequence[Outcome]) -> bool:
        """Record all of them, each in a frame of its own; False, and none, when there is no room.

        Together they may take half of the ring.
        """
        frames = [segments.frame(segments.OUTCOME, records.encode(each)) for each in outcomes]
        return self._ring.put(b"".join(frames), 0)

    def put_probe(self, probe: Probe) -> bool:
        """Record one timing probe; False when there is no room."""
        return self._ring.put(segments.frame(segments.PROBE, records.encode(probe)), 0)

    def counts(self) -> Counts:
        """Recorded and not recorded so far, and how the recorder is doing."""
        return self._ring.counts()

    @property
    def full(self) -> bool:
        """Whether the recorder cannot write at present; until the ring is full, nothing is lost."""
        return self._ring.state != ring.RECORDING

    def blocked(self, endpoints: Iterable[Endpoint]) -> str:
        """Why the worker is not ready: a policy refuses what cannot be recorded; "" when it is."""
        if not self.full:
            return ""
        for endpoint in endpoints:
            if endpoint.record is not None and endpoint.record.when_full == "refuse":
                return f"nothing can be recorded: {ring.STATES[self._ring.state]}"
        return ""

    def close(self) -> None:
        """Give the ring to the recorder, which copies what is in it and removes it."""
        self._ring.close()


def open_recording(
    folder: Path,
    *,
    node: int,
    boot: int,
    worker: int,
    incarnation: int,
    ring_bytes: int = RING_BYTES,
) -> Recording:
    """Start recording into a folder; called in the worker itself, since the ring is its own.

    `incarnation` tells a worker that was started again from its predecessor, whose ring may still
    wait to be copied: the supervisor counts it up. When shared memory has no room, the ring lies
    in the record folder.

    Raises:
        OSError: there is no room for the ring in either place.
        PilotageError: the folder for rings belongs to somebody else.
    """
    number = ring.ring_id(node, boot, worker, incarnation)
    ids = Ids(node, boot, worker)
    first, *others = ring.places_of(folder)
    try:
        return Recording(_create(first, number, ring_bytes), ids)
    except OSError:
        if not others:
            raise
        return Recording(_create(others[0], number, ring_bytes), ids)


def _create(place: Path, number: int, ring_bytes: int) -> Ring:
    path = place / f"{number:016x}{ring.SUFFIX}"
    for _ in range(TRIES):
        ring.make_folder(place)
        # A recorder that ends just now may sweep the folder away under our hands.
        with suppress(FileNotFoundError, BlockingIOError):
            return Ring.create(path, number, ring_bytes)
    raise FileNotFoundError(path)
