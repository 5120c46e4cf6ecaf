"""Questions to a record folder: which record has this id, what came last, what came between.

A prediction id says which worker made it and when, and a seal says whose frames a segment holds.
So `find` searches one or two segments by their bytes, without decoding what is not asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from pilotage.contracts import records, segments
from pilotage.contracts.predictions import TEXT_LENGTH, unpack
from pilotage.contracts.records import Record, records_of
from pilotage.contracts.segments import BLOCK, Frame
from pilotage.errors import PilotageError
from pilotage.records.frames import (
    Address,
    Damage,
    Found,
    Reader,
    Segment,
    frames_of,
    head_of,
    opened,
    seal_of,
    segments_in,
    waiting_in,
)

NOWHERE: Final = Address(0, 0)
"""The address of a frame that is looked at alone."""


class Finding(Struct, frozen=True):
    """What is recorded of one prediction.

    Attributes:
        records: one, or two for a stream that was closed.
        source: the file that the first of them was read from.
    """

    records: list[Record]
    source: str


class Query(Struct, frozen=True):
    """Which records are asked for; the bounds are nanoseconds since the epoch.

    `since_ns` is the first moment that counts, `until_ns` the first that does not.
    """

    since_ns: int = 0
    until_ns: int = 1 << 63
    endpoint: str = ""

    def wants(self, record: Record) -> bool:
        return self.since_ns <= record.received_ns < self.until_ns and (
            not self.endpoint or record.endpoint == self.endpoint
        )


def read_id(text: str) -> bytes:
    """The 16 bytes of a prediction id as people write it.

    Raises:
        PilotageError: not 32 hex digits.
    """
    plain = text.strip().replace("-", "")
    try:
        if len(plain) == TEXT_LENGTH:
            return bytes.fromhex(plain)
    except ValueError:
        pass
    raise PilotageError(
        "not a prediction id",
        where="ID",
        expected=f"{TEXT_LENGTH} hex digits",
        fix="Copy it from the header Pilotage-Prediction-Id of the answer.",
    )


class Store:
    """A record folder, for reading.

    Raises:
        PilotageError: there is no such folder.
    """

    def __init__(self, folder: Path, places: tuple[Path, ...] | None = None) -> None:
        if not folder.is_dir():
            raise PilotageError(
                "there is no folder of records here",
                where=str(folder),
                fix="Serve a model first, or name the folder with --record.",
            )
        self.folder = folder
        self._places = places

    def reader(self) -> Reader:
        """Reads everything from the start, and what comes later when it is asked again."""
        return Reader(self.folder, self._places)

    def find(self, prediction_id: bytes) -> Finding | None:
        """The record of the prediction with this id of 16 bytes; None where there is none."""
        waiting = waiting_in(self.folder, self._places)
        found = [each for each in waiting if prediction_id in each.payload]
        kept = _named(found, prediction_id)
        for segment in _likely(segments_in(self.folder), prediction_id):
            if _complete(kept):
                break
            more = _with_id(segment, prediction_id)
            kept += _named(more, prediction_id)
        if not kept:
            return None
        by_phase = {record.phase: record for record, _ in reversed(kept)}
        order = sorted(by_phase.values(), key=lambda record: record.phase == "closed")
        return Finding(order, kept[0][1])

    def last(self, count: int) -> list[Record]:
        """The records that came last, at most `count`, in the order they came in."""
        waiting = waiting_in(self.folder, self._places)
        given = {found.address for found in waiting}
        kept = [record for found in waiting for record in decoded(found)]
        for segment in reversed(segments_in(self.folder)):
            frames = list(frames_of(segment, []))
            while frames and len(kept) < count:
                found = frames.pop()
                if found.address not in given:
                    given.add(found.address)
                    kept += decoded(found)
            if len(kept) >= count:
                break
        kept.sort(key=lambda record: record.received_ns)
        return kept[max(0, len(kept) - count) :]

    def records(self, query: Query, damage: list[Damage] | None = None) -> Iterator[Record]:
        """The records that are asked for, in the order they were written.

        What could not be read is added to `damage`.
        """
        reader = self.reader()
        for found in reader:
            yield from filter(query.wants, decoded(found))
        if damage is not None:
            damage += reader.damage


def decoded(found: Found) -> list[Record]:
    """The records in a frame; none where it is no block."""
    return list(records_of(records.decode_block(found.payload))) if found.kind == BLOCK else []


def _likely(all_segments: list[Segment], prediction_id: bytes) -> Iterator[Segment]:
    """The segments that may hold the id, the likeliest first.

    A record is written after its id was made: so the first segment that was still open then, or a
    later one where the disk was full for a while; the earlier ones last, since clocks are set.
    """
    place = int.from_bytes(prediction_id[6:12], "big")
    time_ms = unpack(prediction_id).time_ms
    ends = [segment.opened_ms for segment in all_segments[1:]]
    later = [
        index for index in range(len(all_segments)) if index == len(ends) or ends[index] >= time_ms
    ]
    earlier = [index for index in reversed(range(len(all_segments))) if index not in set(later)]
    for index in later + earlier:
        seal = seal_of(all_segments[index])
        if seal is None or any(ring >> 16 == place for ring in seal.rings):
            yield all_segments[index]


def _with_id(segment: Segment, prediction_id: bytes) -> list[Found]:
    """The frames of a segment that hold these 16 bytes."""
    kept: list[Found] = []
    with opened(segment.path) as data:
        if head_of(data, segment.path) is None:
            return []
        at = data.find(prediction_id, segments.HEAD_BYTES)
        while at >= 0:
            frame = segments.frame_around(data, at)
            if frame is None:
                return _with_id_slowly(segment, prediction_id)
            kept.append(_unplaced(frame, segment))
            at = data.find(prediction_id, frame.end)
    return kept


def _with_id_slowly(segment: Segment, prediction_id: bytes) -> list[Found]:
    """The same in a segment that is damaged: every frame is looked into."""
    with opened(segment.path) as data:
        return [
            _unplaced(frame, segment)
            for frame in segments.read(data)
            if isinstance(frame, Frame) and prediction_id in frame.payload
        ]


def _unplaced(frame: Frame, segment: Segment) -> Found:
    return Found(frame.kind, frame.payload, NOWHERE, segment.path.name)


def _named(frames: list[Found], prediction_id: bytes) -> list[tuple[Record, str]]:
    """The records with this id, each with the file it is in; an id in content is none."""
    return [
        (record, found.source)
        for found in frames
        for record in decoded(found)
        if record.id == prediction_id
    ]


def _complete(kept: list[tuple[Record, str]]) -> bool:
    """Whether no other record can belong to it: a stream that was opened is closed later."""
    phases = {record.phase for record, _ in kept}
    return "whole" in phases or {"opened", "closed"} <= phases
