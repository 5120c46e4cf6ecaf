import errno
import mmap
import os
import random

import pytest

from pilotage.contracts.segments import OVERHEAD_BYTES
from pilotage.records import frames
from pilotage.records.frames import Reader, latest_opened_ns, segments_in
from pilotage.serving.recording.segment_file import Disk
from simulators.rings import Rings


@pytest.fixture
def rings(tmp_path):
    rings = Rings(tmp_path / "records")
    yield rings
    rings.close()


def _payloads(reader) -> list[bytes]:
    return [found.payload for found in reader]


def test_what_was_given_already_is_not_given_again(rings):
    rings.put(0, b"one")
    rings.put(1, b"two")
    first = Reader(rings.folder)
    assert sorted(_payloads(first)) == [b"one", b"two"]
    rings.copy()
    rings.put(0, b"three")
    assert _payloads(Reader(rings.folder, given=first.given)) == [b"three"]
    rings.copy()
    assert _payloads(Reader(rings.folder, given=first.given)) == [b"three"]
    rings.restart()
    assert _payloads(Reader(rings.folder, given=first.given)) == [b"three"]


def test_what_was_given_is_how_far_each_ring_was_read(rings):
    reader = Reader(rings.folder)
    assert reader.given == {}
    rings.put(0, b"abc")
    reader.skip()
    assert reader.given == {rings.ids[0]: 3 + OVERHEAD_BYTES}
    rings.copy()
    rings.put(1, b"")
    reader.skip()
    assert reader.given == {
        rings.ids[0]: 3 + OVERHEAD_BYTES,
        rings.ids[1]: OVERHEAD_BYTES,
    }
    reader.given.clear()
    assert len(reader.given) == 2


def test_segments_that_were_followed_by_another_are_passed_over(rings, monkeypatch):
    for number in range(5):
        rings.put(0, b"%d" % number)
        rings.restart()
    rings.put(0, b"last")
    rings.copy()
    opened = []
    real = frames.opened
    monkeypatch.setattr(frames, "opened", lambda path: opened.append(path) or real(path))
    listed = segments_in(rings.folder)
    assert len(listed) == 6
    for index, segment in enumerate(listed):
        opened.clear()
        since = segment.opened_ms * 1_000_000
        assert len(_payloads(Reader(rings.folder, since_ns=since))) == 6 - index
        assert opened == [each.path for each in listed[index:]]
        assert len(_payloads(Reader(rings.folder, since_ns=since - 1))) == min(6, 7 - index)
    assert _payloads(Reader(rings.folder, since_ns=1 << 62)) == [b"last"]


def test_who_begins_now_and_starts_again_later_misses_nothing_though_the_clock_is_set_back(rings):
    rings.put(0, b"before")
    rings.restart()
    rings.put(0, b"copied before")
    rings.copy()
    since = latest_opened_ns(rings.folder)
    reader = Reader(rings.folder, since_ns=since)
    reader.skip()
    begin = reader.given
    rings.clock_ms -= 3_600_000
    given = []
    for turn in range(4):
        rings.put(turn % 2, b"%d" % turn)
        given.append(b"%d" % turn)
        if turn % 2:
            rings.restart()
    rings.copy()
    again = Reader(rings.folder, given=begin, since_ns=since)
    assert sorted(_payloads(again)) == given


def test_the_newest_segment_of_a_folder_without_any_was_opened_never(tmp_path):
    assert latest_opened_ns(tmp_path) == 0
    assert latest_opened_ns(tmp_path / "absent") == 0


def test_a_reader_is_followed_by_another_at_any_moment(rings):
    """Whatever the recorder does in between: nothing is lost, nothing comes twice."""
    chance = random.Random(20_261)
    reader = Reader(rings.folder)
    put, got = [], []
    for number in range(300):
        payload = b"%d" % number * chance.choice((1, 1, 40))
        rings.put(chance.randrange(2), payload)
        put.append(payload)
        chance.choice((rings.copy, rings.copy, rings.restart, lambda: None))()
        if chance.random() < 0.3:
            got += _payloads(reader)
        if chance.random() < 0.2:
            got += _payloads(reader)
            reader = Reader(rings.folder, given=reader.given, since_ns=reader.resumes_ns)
    got += _payloads(reader)
    assert sorted(got) == sorted(put)


class TakesBack(Disk):
    """A disk on which a group is written half, seen, and then taken back."""

    def __init__(self) -> None:
        self.full = False
        self.seen = lambda: None

    def write(self, descriptor, buffers, offset):
        if not self.full:
            return super().write(descriptor, buffers, offset)
        os.pwrite(descriptor, b"".join(buffers)[:-1], offset)
        self.seen()
        raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize("worker", [0, 1])
def test_a_group_that_is_taken_back_for_another_does_not_lead_astray(tmp_path, worker):
    """The recorder copies one of the two rings before the other, hence both cases."""
    disk = TakesBack()
    rings = Rings(tmp_path / "records", disk=disk)
    try:
        rings.put(0, b"first")
        rings.copy()
        put = [b"first", b"a" * 50, b"b" * 50, b"c"]
        rings.put(worker, put[1])
        rings.put(worker, put[2])
        reader = Reader(rings.folder)
        got = []
        disk.full, disk.seen = True, lambda: got.extend(_payloads(reader))
        rings.copy()
        assert put[1] in got
        disk.full = False
        rings.put(1 - worker, put[3])
        rings.copy()
        rings.copy()
        got += _payloads(reader)
        assert sorted(got) == sorted(put)
        assert reader.damage == []
    finally:
        rings.close()


def test_damage_is_told_once_and_costs_only_its_group(rings):
    rings.put(0, b"lost" * 9)
    rings.put(0, b"behind it")
    rings.copy()
    (segment,) = segments_in(rings.folder)
    with segment.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        data[data.find(b"lost")] ^= 1
    reader = Reader(rings.folder)
    assert _payloads(reader) == []
    rings.put(0, b"later")
    rings.copy()
    assert _payloads(reader) == [b"later"]
    rings.restart()
    assert _payloads(reader) == []
    assert len(reader.damage) == 1


def test_a_segment_that_was_removed_is_gone_and_no_error(rings, monkeypatch):
    rings.put(0, b"removed")
    rings.restart()
    rings.put(0, b"kept")
    rings.copy()
    listed = segments_in(rings.folder)
    listed[0].path.unlink()
    monkeypatch.setattr(frames, "segments_in", lambda _: listed)
    assert _payloads(Reader(rings.folder)) == [b"kept"]


def test_a_segment_that_gets_its_name_while_the_folder_is_listed_is_in_the_list(rings, monkeypatch):
    rings.put(0, b"sealed")
    rings.restart()
    rings.put(0, b"open")
    rings.copy()
    whole = segments_in(rings.folder)
    lists = iter([whole[1:], whole, whole])
    monkeypatch.setattr(frames, "_listed", lambda _: next(lists))
    assert segments_in(rings.folder) == whole
