"""The worker's side of recording: frames into its ring, before the answers leave.

Nothing here waits for a disk. What the ring cannot take is counted, and the caller marks the
answer (`Pilotage-Recorded: no`) or refuses, as the endpoint's policy says.

Budget: `put_block` takes 8 µs for a batch of 32 tiny predictions, most of it encoding.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from pilotage.contracts import records, segments
from pilotage.contracts.records import Block, Outcome
from pilotage.serving import ring
from pilotage.serving.ring import RING_BYTES, Counts, Ring

TRIES: Final = 3


class Recording:
    """What a worker records through."""

    def __init__(self, to: Ring) -> None:
        self._ring = to

    def put_block(self, block: Block) -> bool:
        """Record the predictions of a block; False, and counted, when there is no room.

        After True they outlive the death of every process.
        """
        return self._ring.put(
            segments.frame(segments.BLOCK, records.encode(block)), len(block.entries)
        )

    def put_outcome(self, outcome: Outcome) -> bool:
        """Record one outcome; False when there is no room."""
        return self._ring.put(segments.frame(segments.OUTCOME, records.encode(outcome)), 0)

    def counts(self) -> Counts:
        """Recorded and not recorded so far, and how the recorder is doing."""
        return self._ring.counts()

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
    first, *others = ring.places_of(folder)
    try:
        return Recording(_create(first, number, ring_bytes))
    except OSError:
        if not others:
            raise
        return Recording(_create(others[0], number, ring_bytes))


def _create(place: Path, number: int, ring_bytes: int) -> Ring:
    path = place / f"{number:016x}{ring.SUFFIX}"
    for _ in range(TRIES):
        ring.make_folder(place)
        with suppress(FileNotFoundError):  # a recorder that ended has removed the empty folder
            return Ring.create(path, number, ring_bytes)
    raise FileNotFoundError(path)
