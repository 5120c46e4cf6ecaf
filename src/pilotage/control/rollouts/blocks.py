"""Where the blocks of a rollout end, so that each can be read again just as it was judged. Pure.

A block holds, of each ring, the frames between the offset where the block before ended and its
own. Within a block frames are observed by (ring, offset): an order that every reader finds again,
in whichever file a frame lies by then.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.records.frames import Found, behind

RING_DIGITS: Final = 16


class Cut(Struct, frozen=True):
    """The end of one block.

    Attributes:
        seconds: that the block lasted, by the rollout's own clock.
        ends: for each ring that moved in the block, the offset behind its last frame.
        frames: how many frames the block holds: a reader who finds fewer knows that some are gone.
    """

    seconds: float
    ends: dict[int, int]
    frames: int


def cut_behind(frames: Iterable[Found], seconds: float) -> Cut:
    """The cut behind a block of these frames."""
    ends: dict[int, int] = {}
    count = 0
    for found in frames:
        count += 1
        ring = found.address.ring
        ends[ring] = max(ends.get(ring, 0), behind(found))
    return Cut(seconds, ends, count)


def in_order(frames: Iterable[Found]) -> list[Found]:
    """The frames of a block in the order in which they are observed."""
    return sorted(frames, key=lambda found: (found.address.ring, found.address.offset))


def reached(begin: Mapping[int, int], cuts: Iterable[Cut]) -> dict[int, int]:
    """How far each ring was read behind the last cut: the `given` of a reader that goes on."""
    offsets = dict(begin)
    for cut in cuts:
        offsets |= cut.ends
    return offsets


class _Encoded(Struct, frozen=True):
    """Cuts as JSON: `ends` holds, per cut, pairs of a ring's index and how far it moved."""

    rings: list[str]
    seconds: list[float]
    frames: list[int]
    ends: list[list[int]]


def encoded(cuts: Sequence[Cut]) -> dict[str, Any]:
    """The cuts as JSON values, about 25 bytes a cut and ring; `decoded` gives them back exactly."""
    rings: dict[int, int] = {}
    reached: dict[int, int] = {}
    ends: list[list[int]] = []
    for cut in cuts:
        moved: list[int] = []
        for ring, end in cut.ends.items():
            moved += (rings.setdefault(ring, len(rings)), end - reached.get(ring, 0))
            reached[ring] = end
        ends.append(moved)
    return {
        "rings": [hex_of(ring) for ring in rings],
        "seconds": [cut.seconds for cut in cuts],
        "frames": [cut.frames for cut in cuts],
        "ends": ends,
    }


def decoded(value: object, *, where: str = "cuts") -> list[Cut]:
    """The cuts that `encoded` made these JSON values of.

    Raises:
        PilotageError: the values are not those of cuts.
    """
    try:
        of = msgspec.convert(value, _Encoded)
        rings = [ring_of(text) for text in of.rings]
        reached = [0] * len(rings)
        cuts: list[Cut] = []
        for seconds, frames, moved in zip(of.seconds, of.frames, of.ends, strict=True):
            ends: dict[int, int] = {}
            for index, distance in zip(moved[::2], moved[1::2], strict=True):
                reached[index] += distance
                ends[rings[index]] = reached[index]
            cuts.append(Cut(seconds, ends, frames))
    except (msgspec.ValidationError, ValueError, IndexError) as error:
        raise PilotageError(
            "not the blocks of a rollout",
            where=where,
            expected="rings, seconds, frames and ends, as a verdict in the ledger has them",
        ) from error
    return cuts


def offsets_encoded(offsets: Mapping[int, int]) -> dict[str, int]:
    """Offsets by ring as JSON values, the rings in hex."""
    return {hex_of(ring): offset for ring, offset in offsets.items()}


def offsets_decoded(value: Mapping[str, int]) -> dict[int, int]:
    """The offsets that `offsets_encoded` made this of.

    Raises:
        ValueError: a ring is no hex number.
    """
    return {ring_of(text): offset for text, offset in value.items()}


def hex_of(ring: int) -> str:
    """A ring as people and JSON have it: JSON numbers of other readers end at 53 bits."""
    return f"{ring:0{RING_DIGITS}x}"


def ring_of(text: str) -> int:
    """The ring that `hex_of` wrote.

    Raises:
        ValueError: no hex number.
    """
    return int(text, 16)
