"""What an unsealed segment holds, so that a recorder can go on where another one was killed."""

from msgspec import Struct

from pilotage.contracts import segments
from pilotage.contracts.segments import Bytes, Frame, Torn


class Survey(Struct, frozen=True):
    """What was found.

    Attributes:
        size: bytes up to the end of the last frame that is worth keeping; the rest is a torn tail.
        blocks, outcomes: whole frames of these kinds.
        ends: for each ring, the offset up to which its frames were copied into this segment.
        sealed: the segment ends with its seal, and lacks only its final name.
        damaged: bytes that are lost in the middle.
    """

    size: int
    blocks: int
    outcomes: int
    ends: dict[int, int]
    sealed: bool
    damaged: int


def survey(data: Bytes) -> Survey:
    """Read a segment whose head is whole.

    A position behind damage is not believed: at worst frames are then copied twice, never lost.
    """
    counts = {segments.BLOCK: 0, segments.OUTCOME: 0, segments.PROBE: 0}
    ends: dict[int, int] = {}
    ring: int | None = None
    size = segments.HEAD_BYTES
    sealed = False
    damaged = 0
    for found in segments.read(data):
        if isinstance(found, Torn):
            break
        if not isinstance(found, Frame):
            if found.end == len(data):
                break
            damaged += found.end - found.offset
            continue
        size = found.end
        sealed = found.kind == segments.SEAL
        if found.kind == segments.POSITION and not damaged:
            position = segments.read_position(found.payload)
            ring = position.ring
            ends[ring] = position.offset
        elif found.kind in counts:
            counts[found.kind] += 1
            if ring is not None and not damaged:
                ends[ring] += found.end - found.offset
    return Survey(size, counts[segments.BLOCK], counts[segments.OUTCOME], ends, sealed, damaged)
