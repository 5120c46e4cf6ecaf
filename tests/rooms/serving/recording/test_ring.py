import fcntl
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts.segments import BLOCK, OUTCOME, OVERHEAD_BYTES, frame
from pilotage.errors import PilotageError
from pilotage.serving.recording.ring import (
    DISK_FULL,
    PAGE_BYTES,
    Ring,
    make_folder,
    places_of,
    ring_id,
    sweep,
)


@pytest.fixture
def pair(tmp_path):
    """The two sides of a small ring."""
    producer = Ring.create(tmp_path / "a.ring", 5, 1024)
    consumer = Ring.open(tmp_path / "a.ring")
    yield producer, consumer
    producer.close()
    consumer.close()


def _taken(ring: Ring, most_bytes: int = 10**6) -> bytes:
    """Everything that waits, taken."""
    parts = []
    while (waiting := ring.peek(most_bytes)) is not None:
        data, stretch = waiting
        assert stretch.total_bytes
        parts.append(bytes(data))
        data.release()
        ring.take(stretch.total_bytes)
    return b"".join(parts)


def _of(size: int, fill: int = 0) -> bytes:
    """A frame of exactly `size` bytes."""
    return frame(BLOCK, bytes([fill]) * (size - OVERHEAD_BYTES))


def test_frames_come_out_as_they_went_in(pair):
    producer, consumer = pair
    frames = [frame(BLOCK, b"one"), frame(OUTCOME, b"two"), frame(BLOCK, b"three")]
    assert all(producer.put(each) for each in frames)
    assert _taken(consumer) == b"".join(frames)
    assert consumer.peek() is None
    assert consumer.empty


def test_what_was_not_taken_is_shown_again(pair):
    producer, consumer = pair
    producer.put(_of(100))
    assert consumer.peek()[0] == consumer.peek()[0] == _of(100)
    assert consumer.taken == 0


def test_a_full_ring_refuses_and_counts_and_takes_again_once_there_is_room(pair):
    producer, consumer = pair
    assert [producer.put(_of(256), 32) for _ in range(5)] == [True] * 4 + [False]
    counts = producer.counts()
    assert (counts.predictions, counts.refused, counts.waiting_bytes) == (128, 32, 1024)
    _taken(consumer)
    assert producer.put(_of(256), 32)


def test_a_frame_of_half_the_ring_fits_always_and_a_longer_one_never(pair):
    producer, consumer = pair
    for first in (30, 400, 700):
        assert producer.put(_of(first)) is (first <= 512)
        _taken(consumer)
        assert producer.put(_of(512))
        assert _taken(consumer) == _of(512)
        assert not producer.put(_of(513))


def test_a_stretch_is_bounded_but_never_cuts_a_frame(pair):
    producer, consumer = pair
    for _ in range(3):
        producer.put(_of(100))
    assert consumer.peek(250)[1].total_bytes == 200
    assert consumer.peek(50)[1].total_bytes == 100


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(OVERHEAD_BYTES, 600), st.sampled_from(["take", "take some", "copy"])),
        max_size=80,
    )
)
def test_any_interleaving_of_put_and_take_gives_back_the_frames_in_order(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("ring")
    producer = Ring.create(folder / "a.ring", 5, 1024)
    consumer = Ring.open(folder / "a.ring")
    put, got = b"", b""
    for number, step in enumerate(steps):
        if isinstance(step, int):
            each = _of(step, number % 251)
            put += each if producer.put(each) else b""
        elif step == "take":
            got += _taken(consumer)
            assert got == put
        elif step == "take some" and (waiting := consumer.peek(300)) is not None:
            got += bytes(waiting[0])
            consumer.take(len(waiting[0]))
        elif step == "copy":
            assert got + b"".join(piece for _, piece in consumer.copy()) == put
    got += _taken(consumer)
    assert got == put
    producer.close()
    consumer.close()


def test_what_was_put_outlives_its_producer(tmp_path):
    child = os.fork()
    if child == 0:
        Ring.create(tmp_path / "a.ring", 5, 1024).put(_of(64))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    ring = Ring.open(tmp_path / "a.ring")
    assert ring.id == 5
    assert _taken(ring) == _of(64)


def test_a_consumer_knows_whether_the_producer_lives(tmp_path):
    producer = Ring.create(tmp_path / "a.ring", 5, 1024)
    consumer = Ring.open(tmp_path / "a.ring")
    assert not consumer.orphaned()
    producer.close()
    assert consumer.orphaned()


def test_a_frame_that_was_not_finished_is_not_seen(pair):
    producer, consumer = pair
    producer._data[:9] = b"\x05\x00\x00\x00 half"
    assert consumer.peek() is None


def test_a_copy_tells_the_offsets_that_the_consumer_will_tell(pair):
    producer, consumer = pair
    for size in (300, 300, 300):
        producer.put(_of(size))
    consumer.take(600)
    producer.put(_of(200))
    assert [(offset, len(piece)) for offset, piece in consumer.copy()] == [(600, 300), (1024, 200)]
    _taken(consumer)
    assert (consumer.taken, consumer.copy()) == (1224, [])


def test_damage_in_a_ring_is_told_and_can_be_dropped(pair):
    producer, consumer = pair
    producer.put(b"not a frame at all, but long enough")
    assert consumer.peek()[1].total_bytes == 0
    assert consumer.drop() == 35
    assert consumer.peek() is None
    assert producer.counts().lost_bytes == 35


def test_what_is_copied_already_is_skipped_and_never_more_than_was_written(pair):
    producer, consumer = pair
    producer.put(_of(100))
    producer.put(_of(60))
    consumer.skip_to(100)
    assert consumer.peek()[0] == _of(60)
    consumer.skip_to(0)
    assert consumer.taken == 100
    consumer.skip_to(10_000)
    assert consumer.taken == 160


def test_the_state_reaches_the_producer(pair):
    producer, consumer = pair
    assert producer.counts().state == "recording"
    consumer.tell(DISK_FULL)
    producer.put(_of(50))
    consumer.take(50)
    consumer.tell_synced(40)
    counts = producer.counts()
    assert (counts.state, counts.waiting_bytes, counts.unsynced_bytes) == ("disk_full", 0, 10)


def test_a_ring_is_made_once(tmp_path):
    Ring.create(tmp_path / "a.ring", 5, 1024).close()
    with pytest.raises(FileExistsError):
        Ring.create(tmp_path / "a.ring", 6, 1024)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ring"]


def test_what_a_producer_left_half_made_is_swept_and_what_is_being_made_is_not(tmp_path):
    (tmp_path / "dead.new").write_bytes(b"half")
    made = (tmp_path / "living.new").open("wb")
    fcntl.flock(made, fcntl.LOCK_EX)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["living.new"]
    made.close()


def test_a_file_that_is_no_ring_is_refused(tmp_path):
    for size in (0, PAGE_BYTES, 3 * PAGE_BYTES):
        path = tmp_path / f"{size}.ring"
        path.write_bytes(bytes(size))
        with pytest.raises(PilotageError, match="not a ring"):
            Ring.open(path)


def test_a_ring_is_for_its_user_alone(tmp_path):
    Ring.create(tmp_path / "a.ring", 5, 1024).close()
    make_folder(tmp_path / "rings")
    assert (tmp_path / "a.ring").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "rings").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_rings_that_is_a_link_is_not_used(tmp_path):
    (tmp_path / "rings").symlink_to(tmp_path)
    with pytest.raises(PilotageError, match="somebody else"):
        make_folder(tmp_path / "rings")


def test_rings_lie_in_shared_memory_where_there_is_some_and_are_found_again(tmp_path):
    first, second = places_of(tmp_path / "records", tmp_path)
    assert first.parent == tmp_path
    assert places_of(tmp_path / "x" / ".." / "records", tmp_path)[0] == first
    assert places_of(tmp_path / "other", tmp_path)[0] != first
    assert second == tmp_path / "records" / "rings"
    assert places_of(tmp_path / "records", tmp_path / "absent") == (second,)


def test_the_number_of_a_ring_starts_with_the_place_in_its_prediction_ids():
    assert ring_id(0xABCDEF, 0x1234, 0x56, 0x789A) == 0xABCDEF123456789A
