import errno
import os
import signal
import struct
import time
from pathlib import Path

import pytest

from pilotage.contracts import segments
from pilotage.contracts.segments import (
    BLOCK,
    HEAD_BYTES,
    OUTCOME,
    POSITION_BYTES,
    PROBE,
    Frame,
    frame,
)
from pilotage.serving.recording.recorder import (
    LOCK,
    SPARE_BYTES,
    Recorder,
    RecorderSettings,
    run_recorder,
)
from pilotage.serving.recording.ring import Ring, make_folder, places_of, ring_id
from simulators.disks import DeadlyDisk, SmallDisk

S = 1_000_000_000
NODE, BOOT = 1, 2


@pytest.fixture
def place(tmp_path):
    """A record folder with its rings beside it: (settings, the places of its rings)."""
    rings = tmp_path / "shared"
    make_folder(rings)
    return RecorderSettings(tmp_path / "records", NODE, BOOT), (rings,)


def _ring(places, worker: int = 0, *, boot: int = BOOT, size: int = 64 * 1024) -> Ring:
    make_folder(places[0])
    number = ring_id(NODE, boot, worker, 0)
    return Ring.create(places[0] / f"{number:016x}.ring", number, size)


def _put(ring: Ring, numbers) -> list[int]:
    """Frames that hold a number each; those that were put."""
    return [n for n in numbers if ring.put(frame(BLOCK, struct.pack("<Q", n) * (1 + n % 9)))]


def _frames(folder: Path, ending: str = "*") -> list[Frame]:
    """All frames in the folder, in order, none of them damaged."""
    found = []
    for path in sorted(folder.glob(ending)):
        if path.suffix in (".open", ".seg"):
            found += segments.read(path.read_bytes())
    assert all(isinstance(each, Frame) for each in found)
    return found


def _numbers(folder: Path, ending: str = "*") -> list[int]:
    return [
        struct.unpack_from("<Q", each.payload)[0]
        for each in _frames(folder, ending)
        if each.kind == BLOCK
    ]


def test_what_a_worker_put_is_in_a_sealed_segment_after_the_end(place):
    settings, places = place
    ring = _ring(places)
    recorder = Recorder(settings, places=places)
    put = _put(ring, range(20))
    assert recorder.round(0) > 0
    put += _put(ring, range(20, 30))
    recorder.round(1)
    assert _numbers(settings.folder, "*.open") == put
    recorder.close()
    (path,) = settings.folder.glob("*.seg")
    seal = segments.read_seal(path.read_bytes())
    assert seal is not None
    assert (seal.blocks, seal.rings) == (30, (ring.id,))
    assert _numbers(settings.folder) == put
    ring.close()


def test_frames_of_several_workers_are_told_apart_by_positions(place):
    settings, places = place
    rings = [_ring(places, worker) for worker in range(3)]
    recorder = Recorder(settings, places=places)
    for turn in range(3):
        for worker, ring in enumerate(rings):
            _put(ring, [10 * turn + worker])
        recorder.round(turn)
    recorder.close()
    workers, at = [], {}
    for each in _frames(settings.folder):
        if each.kind == segments.POSITION:
            position = segments.read_position(each.payload)
            worker = position.ring >> 16 & 0xFF
            assert position.offset == at.get(worker, 0)
        elif each.kind == BLOCK:
            workers.append((worker, struct.unpack_from("<Q", each.payload)[0]))
            at[worker] = at.get(worker, 0) + each.end - each.offset
    expected = [(worker, 10 * turn + worker) for worker in range(3) for turn in range(3)]
    assert sorted(workers) == expected


def test_the_ring_of_a_dead_worker_is_copied_and_removed(place):
    settings, places = place
    put = _put(ring := _ring(places, boot=BOOT - 1), range(5))
    ring.close()
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    assert _numbers(settings.folder) == put
    recorder.round(S)
    assert not list(places[0].iterdir())
    recorder.close()


def test_a_ring_inside_the_record_folder_is_found_too(tmp_path):
    settings = RecorderSettings(tmp_path / "records", NODE, BOOT)
    places = places_of(settings.folder, tmp_path / "absent")
    make_folder(places[0])
    put = _put(ring := _ring(places), range(3))
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    recorder.close()
    assert _numbers(settings.folder) == put
    ring.close()


def _killed_after(settings, places, lives: int) -> bool:
    """A recorder that is killed after `lives` bytes; False when it came to the end before."""
    child = os.fork()
    if child == 0:
        recorder = Recorder(settings, places=places, disk=DeadlyDisk(lives))
        recorder.round(0)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("kind", [OUTCOME, PROBE])
def test_a_recorder_killed_after_a_frame_of_another_kind_knows_how_far_it_was(place, kind):
    settings, places = place
    ring = _ring(places)
    assert ring.put(frame(kind, bytes(24)))
    put = _put(ring, range(2))
    copied = HEAD_BYTES + POSITION_BYTES + ring.written
    assert _killed_after(settings, places, copied)
    successor = Recorder(settings, places=places)
    put += _put(ring, [2])
    successor.round(0)
    assert _numbers(settings.folder) == put
    assert [each.kind for each in _frames(settings.folder)].count(kind) == 1
    ring.close()
    successor.close()


def test_a_recorder_killed_after_any_byte_neither_loses_nor_doubles_a_frame(place, tmp_path):
    _, places = place
    size = HEAD_BYTES + POSITION_BYTES + len(frame(BLOCK, bytes(8))) + len(frame(BLOCK, bytes(16)))
    for lives in range(1, size + 1):
        each = RecorderSettings(tmp_path / f"records-{lives}", NODE, BOOT)
        ring = _ring(places)
        put = _put(ring, range(2))
        assert _killed_after(each, places, lives)
        successor = Recorder(each, places=places)
        put += _put(ring, [2])
        successor.round(0)
        assert _numbers(each.folder) == put
        ring.close()
        successor.close()
        assert _numbers(each.folder, "*.seg") == put
        assert not list(each.folder.glob("*.open"))


def test_a_recorder_killed_again_and_again_goes_on_where_it_was(place):
    settings, places = place
    ring = _ring(places)
    put = []
    for turn in range(12):
        put += _put(ring, range(10 * turn, 10 * turn + 10))
        _killed_after(settings, places, 100 + 97 * turn)
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    assert _numbers(settings.folder) == put
    recorder.close()
    ring.close()


def test_a_full_disk_keeps_frames_in_the_ring_and_goes_on_when_there_is_room(place):
    settings, places = place
    ring = _ring(places)
    disk = SmallDisk(room=400)
    recorder = Recorder(settings, places=places, disk=disk)
    put = _put(ring, range(4))
    recorder.round(0)
    put += _put(ring, range(4, 60))
    assert recorder.round(1) == 0
    assert ring.counts().state == "disk_full"
    assert _numbers(settings.folder) == put[:4]
    disk.room = 1 << 40
    assert recorder.round(2) == 0, "it waits before it tries again"
    assert recorder.round(S) > 0
    assert ring.counts().state == "recording"
    assert _numbers(settings.folder) == put
    recorder.close()
    ring.close()


def test_any_amount_of_room_leaves_no_half_frame_that_is_followed_by_good_ones(place, tmp_path):
    _, places = place
    for room in range(0, 900, 7):
        settings = RecorderSettings(tmp_path / f"records-{room}", NODE, BOOT)
        disk = SmallDisk(room)
        recorder = Recorder(settings, places=places, disk=disk)
        ring = _ring(places)
        put = []
        for turn in range(6):
            put += _put(ring, range(5 * turn, 5 * turn + 5))
            recorder.round(60 * S * turn)
            assert _numbers(settings.folder) == put[: len(_numbers(settings.folder))]
        disk.room = 1 << 40
        recorder.round(600 * S)
        assert _numbers(settings.folder) == put
        ring.close()
        recorder.close()


def test_a_full_ring_refuses_while_the_disk_is_full(place):
    settings, places = place
    ring = _ring(places, size=4096)
    recorder = Recorder(settings, places=places, disk=SmallDisk(0))
    recorder.round(0)
    put = _put(ring, range(500))
    assert 0 < len(put) < 500
    assert ring.counts().refused == 500 - len(put)
    recorder.close()
    ring.close()
    Recorder(settings, places=places).round(0)
    assert _numbers(settings.folder) == put


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.EIO, "unwritable"),
        (errno.EROFS, "unwritable"),
    ],
)
def test_the_state_says_why_nothing_is_written(place, number, state):
    settings, places = place
    ring = _ring(places)
    disk = SmallDisk(0)
    disk.error = number
    recorder = Recorder(settings, places=places, disk=disk)
    _put(ring, range(3))
    recorder.round(0)
    assert ring.counts().state == state
    recorder.close()
    ring.close()


def test_a_folder_that_cannot_be_made_is_told_to_the_workers(place, tmp_path):
    _, places = place
    (tmp_path / "file").write_text("no folder")
    settings = RecorderSettings(tmp_path / "file" / "records", NODE, BOOT)
    ring = _ring(places)
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    assert ring.counts().state == "unwritable"
    recorder.close()
    ring.close()


def test_the_budget_is_kept_and_a_larger_one_lets_it_go_on(place, tmp_path):
    _, places = place
    budget = 6000
    small = RecorderSettings(tmp_path / "records", NODE, BOOT, record_budget_bytes=budget)
    ring = _ring(places)
    recorder = Recorder(small, places=places)
    put = []
    for turn in range(40):
        put += _put(ring, range(5 * turn, 5 * turn + 5))
        recorder.round(60 * S * turn)
    used = sum(path.stat().st_size for path in small.folder.glob("*-*"))
    assert budget - SPARE_BYTES - 500 < used <= budget
    assert ring.counts().state == "over_budget"
    recorder.close()
    recorder = Recorder(RecorderSettings(small.folder, NODE, BOOT), places=places)
    recorder.round(0)
    assert _numbers(small.folder) == put
    recorder.close()
    ring.close()


def test_syncs_come_at_the_stated_interval_and_only_when_something_was_written(place):
    settings, places = place
    ring = _ring(places)
    disk = SmallDisk()
    recorder = Recorder(settings, places=places, disk=disk)
    _put(ring, [1])
    recorder.round(10 * S)
    assert disk.syncs == 1
    assert ring.counts().unsynced_bytes == 0
    _put(ring, [2])
    recorder.round(10 * S + S // 2)
    assert (disk.syncs, ring.counts().unsynced_bytes > 0) == (1, True)
    recorder.round(11 * S - 1)
    assert disk.syncs == 1
    recorder.round(11 * S)
    assert (disk.syncs, ring.counts().unsynced_bytes) == (2, 0)
    recorder.round(100 * S)
    assert disk.syncs == 2
    recorder.close()
    ring.close()


def test_a_segment_is_sealed_when_it_is_large_enough(place, tmp_path):
    _, places = place
    settings = RecorderSettings(tmp_path / "records", NODE, BOOT, segment_bytes=600)
    ring = _ring(places)
    recorder = Recorder(settings, places=places)
    put = []
    for turn in range(30):
        put += _put(ring, range(3 * turn, 3 * turn + 3))
        recorder.round(turn)
    sealed = sorted(settings.folder.glob("*.seg"))
    assert len(sealed) > 3
    assert all(600 <= segments.read_seal(p.read_bytes()).total_bytes < 1200 for p in sealed)
    recorder.close()
    assert _numbers(settings.folder) == put
    ring.close()


def test_a_segment_is_sealed_when_it_is_old_enough(place):
    settings, places = place
    ring = _ring(places)
    recorder = Recorder(settings, places=places)
    _put(ring, [1])
    recorder.round(0)
    recorder.round(600 * S - 1)
    assert not list(settings.folder.glob("*.seg"))
    recorder.round(600 * S)
    assert len(list(settings.folder.glob("*.seg"))) == 1
    recorder.round(700 * S)
    assert not list(settings.folder.glob("*.open")), "an empty segment is not opened"
    recorder.close()
    ring.close()


def test_names_of_segments_sort_in_order_though_the_clock_stands_still(place, tmp_path):
    _, places = place
    settings = RecorderSettings(tmp_path / "records", NODE, BOOT, segment_bytes=1)
    ring = _ring(places)
    recorder = Recorder(settings, places=places, clock=lambda: 1_700_000_000 * S)
    for turn in range(20):
        _put(ring, [turn])
        recorder.round(turn)
    assert _numbers(settings.folder) == list(range(20))
    recorder.close()
    ring.close()


def test_a_second_recorder_stands_by_and_takes_over(place):
    settings, places = place
    other = RecorderSettings(settings.folder, NODE, BOOT + 1)
    first, second = Recorder(settings, places=places), Recorder(other, places=places)
    ring, its = _ring(places), _ring(places, boot=BOOT + 1)
    first.round(0)
    put = _put(ring, range(3)) + _put(its, range(10, 13))
    assert second.round(0) == 0
    assert (first.active, second.active) == (True, False)
    first.round(S)
    assert sorted(_numbers(settings.folder)) == put
    ring.close()
    first.close()
    put += _put(its, range(20, 23))
    assert second.round(S) > 0
    assert second.active
    assert sorted(_numbers(settings.folder)) == put
    assert second.owes()
    its.close()
    second.round(2 * S)
    assert not second.owes()
    second.close()


def test_a_record_folder_that_is_removed_is_made_again(place):
    settings, places = place
    ring = _ring(places)
    recorder = Recorder(settings, places=places)
    _put(ring, [1])
    recorder.round(0)
    for path in settings.folder.iterdir():
        path.unlink()
    settings.folder.rmdir()
    _put(ring, [2])
    recorder.round(S)
    recorder.round(20 * S)
    assert _numbers(settings.folder) == [2]
    recorder.close()
    ring.close()


def test_an_open_segment_of_another_format_is_put_aside_unchanged(place):
    settings, places = place
    settings.folder.mkdir()
    data = bytearray(segments.head(segments.Head(1, 1, 1, bytes(8))))
    data[8] = 9
    (settings.folder / "0001-000001-0001.open").write_bytes(data)
    recorder = Recorder(settings, places=places)
    put = _put(ring := _ring(places), [1])
    recorder.round(0)
    assert (settings.folder / "0001-000001-0001.unreadable").read_bytes() == data
    assert _numbers(settings.folder) == put
    recorder.close()
    ring.close()


def test_damage_in_the_middle_of_an_open_segment_keeps_what_lies_behind_it(place):
    settings, places = place
    ring = _ring(places)
    for turn in range(3):
        _put(ring, [turn])
        child = os.fork()
        if child == 0:
            recorder = Recorder(settings, places=places)
            recorder.round(turn)
            os._exit(0)
        os.waitpid(child, 0)
        if turn == 0:
            (path,) = settings.folder.glob("*.open")
            damaged = bytearray(path.read_bytes())
            damaged[-3] ^= 1
            path.write_bytes(damaged)
    recorder = Recorder(settings, places=places)
    recorder.round(9)
    assert sorted(set(_numbers(settings.folder))) == [1, 2]
    recorder.close()
    ring.close()


def test_the_process_ends_with_its_supervisor_once_the_workers_are_gone(tmp_path):
    settings = RecorderSettings(tmp_path / "records", NODE, BOOT)
    places = places_of(settings.folder)
    make_folder(places[0])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        run_recorder(settings, reading)
        os._exit(0)
    os.close(reading)
    ring = _ring(places)
    put = _put(ring, range(50))
    while not ring.empty:
        time.sleep(0.001)
    os.kill(child, signal.SIGTERM)
    os.kill(child, signal.SIGINT)
    os.close(writing)
    put += _put(ring, range(50, 60))
    ring.close()
    os.waitpid(child, 0)
    assert _numbers(settings.folder, "*.seg") == put
    assert not places[0].exists()
    assert sorted(path.suffix for path in settings.folder.iterdir()) == [".lock", ".seg"]
    assert (settings.folder / LOCK).stat().st_size == 0


def test_a_seal_that_is_wanted_takes_all_that_waits_and_is_made_once(place):
    settings, places = place
    ring = _ring(places, size=4 * 1024 * 1024)
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    put = _put(ring, range(1000))
    recorder.seal_wanted = True
    recorder.round(1)
    assert _numbers(settings.folder, "*.seg") == put
    put += _put(ring, range(1000, 1010))
    recorder.round(2)
    assert (len(list(settings.folder.glob("*.seg"))), _numbers(settings.folder)) == (1, put)
    recorder.close()
    ring.close()


def test_a_seal_finds_a_ring_that_was_made_just_now(place):
    settings, places = place
    recorder = Recorder(settings, places=places)
    recorder.round(0)
    put = _put(ring := _ring(places), range(3))
    recorder.seal_wanted = True
    recorder.round(1)
    assert _numbers(settings.folder, "*.seg") == put
    recorder.close()
    ring.close()


def test_a_seal_with_nothing_to_seal_makes_no_file(place):
    settings, places = place
    recorder = Recorder(settings, places=places)
    recorder.seal_wanted = True
    recorder.round(0)
    assert list(settings.folder.glob("*-*")) == []
    assert not recorder.seal_wanted
    recorder.close()


def test_a_seal_waits_for_room_on_the_disk(place):
    settings, places = place
    disk = SmallDisk(HEAD_BYTES + POSITION_BYTES + 2)
    put = _put(ring := _ring(places), range(2))
    recorder = Recorder(settings, places=places, disk=disk)
    recorder.seal_wanted = True
    recorder.round(0)
    assert list(settings.folder.glob("*.seg")) == []
    disk.room = 1 << 20
    recorder.round(60 * S)
    assert _numbers(settings.folder, "*.seg") == put
    recorder.close()
    ring.close()
