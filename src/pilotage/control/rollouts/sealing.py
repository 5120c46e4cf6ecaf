"""Which sealed segments a verdict stands on, told to the ledger once they are all sealed.

A decision never waits for a disk: its verdict is written at once, and a second entry follows with
the digests of the segments as soon as the recorder has sealed the last of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pilotage.control.ledger.lines import Entry, Line
from pilotage.control.rollouts import entries
from pilotage.errors import PilotageError
from pilotage.records.frames import MS, Found, Segment, frames_of, seal_of, segments_in, waiting_in

ASK_AGAIN_LOOKS: Final = 5
"""Looks between two wishes for a seal: the recorder may be away, or its disk full."""


class Sealing:
    """The verdicts of one rollout whose segments are not all sealed yet.

    Args:
        records: the folder of the records.
        begin, since_ns: from where on the rollout reads them.
    """

    def __init__(self, records: Path, begin: Mapping[int, int], since_ns: int) -> None:
        self._records = records
        self._begin = begin
        self._since_ms = since_ns // MS
        self._waiting: dict[str, Line] = {}
        self._looks = 0

    def remember(self, line: Line) -> None:
        """A line that stands in the ledger: a verdict waits from now on until it is sealed."""
        if line.entry.kind == "verdict":
            self._waiting[line.entry.key] = line
        elif line.entry.kind == "sealed":
            self._waiting.pop(str(line.entry.what["verdict"]), None)

    def asks(self) -> bool:
        """Whether the recorder should be asked now to seal; called once a look."""
        if not self._waiting:
            self._looks = 0
            return False
        self._looks += 1
        return self._looks % ASK_AGAIN_LOOKS == 1

    def due(self, *, now_s: float) -> list[Entry]:
        """Entries for the verdicts whose frames are all in sealed segments by now.

        Each is given again until its line stands in the ledger.
        """
        if not self._waiting:
            return []
        still = _unsealed_from(self._records)
        found: list[Entry] = []
        for line in self._waiting.values():
            ends = entries.ends_of(line.entry)
            if any(ends.get(ring, 0) > at for ring, at in still.items()):
                continue
            rings = {ring for ring, end in ends.items() if end > self._begin.get(ring, 0)}
            found.append(entries.sealed(line, now_s, self._holding(rings)))
        return found

    def _holding(self, rings: set[int]) -> list[tuple[str, bytes]]:
        """The sealed segments that hold frames of these rings: names and digests."""
        held: list[tuple[str, bytes]] = []
        for segment in segments_in(self._records):
            seal = _seal_of(segment) if segment.opened_ms >= self._since_ms else None
            if seal is not None and rings & set(seal[1]):
                held.append((segment.path.name, seal[0]))
        return held


def _unsealed_from(folder: Path) -> dict[int, int]:
    """For each ring with frames that are not sealed yet: the first such offset."""
    first: dict[int, int] = {}

    def note(frames: Iterable[Found]) -> None:
        for found in frames:
            ring, offset = found.address.ring, found.address.offset
            first[ring] = min(offset, first.get(ring, offset))

    note(waiting_in(folder))
    for segment in segments_in(folder):
        if not segment.sealed:
            note(frames_of(segment, []))
    return first


def _seal_of(segment: Segment) -> tuple[bytes, tuple[int, ...]] | None:
    try:
        seal = seal_of(segment)
    except (OSError, PilotageError):
        return None
    return None if seal is None else (seal.digest, seal.rings)
