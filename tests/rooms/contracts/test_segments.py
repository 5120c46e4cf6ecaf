import hashlib
import struct
import timeit
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts import segments
from pilotage.contracts.segments import (
    BLOCK,
    HEAD_BYTES,
    OUTCOME,
    OVERHEAD_BYTES,
    POSITION,
    SEAL,
    Corrupt,
    Frame,
    Head,
    Position,
    Seal,
    Torn,
)
from pilotage.errors import PilotageError

HEAD = Head(
    node=0xABCDEF, boot=7, opened_ns=1_795_508_733_438_292_978, mark=b"\x01MARK\xff\x00\x02"
)
KINDS = (BLOCK, OUTCOME, POSITION)
PARTS = [
    (POSITION, None),
    (BLOCK, b"first" * 9),
    (OUTCOME, b""),
    (POSITION, None),
    (BLOCK, bytes(range(256))),
    (BLOCK, b"last"),
]


def _frame(kind: int, payload: bytes | None, at: int = 0) -> bytes:
    if payload is None:
        return segments.position(Position(ring=9, offset=at), HEAD.mark)
    return segments.frame(kind, payload)


def _segment(parts=PARTS) -> tuple[bytes, list[int]]:
    """A segment, and where each of its frames ends."""
    data = segments.head(HEAD)
    ends = []
    for kind, payload in parts:
        data += _frame(kind, payload, len(data))
        ends.append(len(data))
    return data, ends


def test_a_head_comes_back_whole():
    assert segments.read_head(segments.head(HEAD)) == HEAD
    assert len(segments.head(HEAD)) == HEAD_BYTES


def test_a_newer_format_is_refused_by_its_number():
    data = bytearray(segments.head(HEAD))
    data[8:12] = struct.pack("<I", 2)
    with pytest.raises(PilotageError, match=r"format 2.*expected format 1"):
        segments.read_head(bytes(data), where="a.seg")


def test_a_file_that_is_no_segment_is_refused():
    for data in (b"PAR1" * 20, b"x"):
        with pytest.raises(PilotageError, match="not a segment"):
            segments.read_head(data)


def test_a_head_that_is_cut_or_damaged_is_refused():
    data = segments.head(HEAD)
    for cut in range(HEAD_BYTES):
        with pytest.raises(PilotageError):
            segments.read_head(data[:cut])
    for at in range(len(segments.MAGIC), HEAD_BYTES):
        damaged = bytearray(data)
        damaged[at] ^= 1
        with pytest.raises(PilotageError):
            segments.read_head(bytes(damaged))


def test_a_whole_segment_is_read_in_order():
    data, ends = _segment()
    frames = list(segments.read(data))
    assert [frame.kind for frame in frames] == [kind for kind, _ in PARTS]
    assert [frame.end for frame in frames] == ends
    assert [f.payload for f in frames if f.kind != POSITION] == [
        p for _, p in PARTS if p is not None
    ]
    assert segments.read_position(frames[0].payload) == Position(ring=9, offset=HEAD_BYTES)


def test_a_segment_cut_anywhere_gives_its_whole_frames_and_says_where_it_is_torn():
    data, ends = _segment()
    boundaries = [HEAD_BYTES, *ends]
    for cut in range(HEAD_BYTES, len(data) + 1):
        found = list(segments.read(data[:cut]))
        whole = [end for end in ends if end <= cut]
        assert [frame.end for frame in found if isinstance(frame, Frame)] == whole
        torn = [part for part in found if not isinstance(part, Frame)]
        start = max(boundary for boundary in boundaries if boundary <= cut)
        assert torn == ([] if cut == start else [Torn(start)])


def test_a_segment_that_grows_byte_by_byte_is_read_on_from_where_the_reader_stopped():
    data, ends = _segment()
    at, seen = HEAD_BYTES, []
    for cut in range(HEAD_BYTES, len(data) + 1):
        for found in segments.read(data[:cut], at):
            if isinstance(found, Frame):
                at = found.end
                seen.append(found.end)
    assert seen == ends


def test_damage_anywhere_never_gives_a_frame_that_was_not_written():
    data, ends = _segment()
    starts = [HEAD_BYTES, *ends[:-1]]
    written = set(zip(starts, ends, strict=True))
    for at in range(HEAD_BYTES, len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x40
        found = list(segments.read(bytes(damaged)))
        frames = {(frame.offset, frame.end) for frame in found if isinstance(frame, Frame)}
        hit = max(start for start in starts if start <= at)
        assert frames <= written - {(hit, dict(written)[hit])}
        assert [part.offset for part in found if not isinstance(part, Frame)] == [hit]


def test_behind_damage_reading_goes_on_at_the_next_position():
    data, ends = _segment()
    damaged = bytearray(data)
    damaged[ends[0] + OVERHEAD_BYTES] ^= 1
    found = list(segments.read(bytes(damaged)))
    assert found[1] == Corrupt(ends[0], ends[2])
    assert [part.end for part in found[2:]] == ends[3:]


def test_a_damaged_length_that_points_past_the_end_is_not_taken_for_a_torn_tail():
    data, ends = _segment()
    damaged = bytearray(data)
    damaged[ends[0] : ends[0] + 4] = struct.pack("<I", 60_000)
    assert list(segments.read(bytes(damaged)))[1] == Corrupt(ends[0], ends[2])


def test_a_position_that_a_caller_put_into_its_content_is_not_believed():
    forged = segments.position(Position(ring=1, offset=2), b"guessed!")
    data, ends = _segment([(POSITION, None), (BLOCK, b"x" + forged + b"y")])
    assert list(segments.read(data[:-1]))[1:] == [Torn(ends[0])]


def test_the_longest_frame_is_read_and_a_longer_length_is_damage(monkeypatch):
    monkeypatch.setattr(segments, "FRAME_BYTES", 256)
    data, ends = _segment([(BLOCK, bytes(256)), (BLOCK, bytes(257))])
    assert list(segments.read(data))[1] == Corrupt(ends[0], len(data))


def test_a_kind_that_is_not_known_is_passed_on():
    data = segments.head(HEAD) + segments.frame(77, b"from a later release")
    assert [frame.kind for frame in segments.read(data)] == [77]


SEALED = Seal(
    sealed_ns=5, blocks=3, outcomes=1, total_bytes=99, digest=hashlib.sha256().digest(), rings=(9,)
)


def test_a_seal_is_found_from_the_end():
    data, _ = _segment()
    sealed = data + segments.seal(SEALED)
    for most in (200, len(sealed)):
        assert segments.read_seal(sealed[-most:]) == SEALED
    assert [frame.kind for frame in segments.read(sealed)][-1] == SEAL


def test_what_does_not_end_with_a_whole_seal_has_none():
    data, _ = _segment()
    sealed = data + segments.seal(SEALED)
    for tail in (b"", b"abc", data, sealed[:-1], sealed + b"x", bytes(64), b"\xff" * 64):
        assert segments.read_seal(tail) is None
    damaged = bytearray(sealed)
    damaged[-20] ^= 1
    assert segments.read_seal(bytes(damaged)) is None


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=200)), max_size=12))
def test_any_frames_come_back_as_they_were(parts):
    data, _ = _segment(parts)
    assert [(frame.kind, frame.payload) for frame in segments.read(data)] == parts


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_behind_a_head_are_read_to_the_end_without_an_error(junk):
    data = segments.head(HEAD) + junk
    at = HEAD_BYTES
    for found in segments.read(data):
        assert found.offset == at
        at = len(data) if isinstance(found, Torn) else found.end
    assert at == len(data)


def test_a_stretch_is_measured_by_headers_up_to_a_bound_and_up_to_what_is_no_record():
    frames = [segments.frame(BLOCK, b"a" * 50), segments.frame(OUTCOME, b"b" * 50)]
    data = b"".join(frames)
    size = len(frames[0])
    assert segments.measure(memoryview(data), 10**6) == segments.Stretch(2 * size, 1, 1)
    assert segments.measure(memoryview(data), 2 * size) == segments.Stretch(2 * size, 1, 1)
    assert segments.measure(memoryview(data), 2 * size - 1) == segments.Stretch(size, 1, 0)
    assert segments.measure(memoryview(data), 1) == segments.Stretch(size, 1, 0)
    assert segments.measure(memoryview(data[:-1]), 10**6) == segments.Stretch(size, 1, 0)
    assert segments.measure(memoryview(b""), 10**6).total_bytes == 0
    assert segments.measure(memoryview(b"\xff" * 40), 10**6).total_bytes == 0
    assert segments.measure(memoryview(data + bytes(40)), 10**6).total_bytes == 2 * size


@pytest.mark.serial
def test_making_a_frame_costs_little_more_than_its_checksum():
    payload = bytes(6400)
    crc = min(timeit.repeat(lambda: zlib.crc32(payload), number=2000, repeat=5))
    whole = min(timeit.repeat(lambda: segments.frame(BLOCK, payload), number=2000, repeat=5))
    assert whole < 4 * crc
