import pytest

from pilotage.contracts import records, segments
from pilotage.contracts.predictions import unpack
from pilotage.contracts.records import Block, Entry, Outcome
from pilotage.contracts.segments import BLOCK, OUTCOME
from pilotage.contracts.snapshot import Endpoint, RecordPolicy, Route
from pilotage.serving.recording.ring import DISK_FULL, OVER_BUDGET, Ring, places_of
from pilotage.serving.recording.to_ring import open_recording


def _block(count: int) -> Block:
    entries = [Entry(bytes([n]) * 16, 1, 1, 1) for n in range(count)]
    return Block("e", "v", 1, "baseline", 10**6, "", "", count, 1, 1, "whole", (), (), entries)


@pytest.fixture
def recording(tmp_path):
    recording = open_recording(
        tmp_path / "records", node=1, boot=2, worker=3, incarnation=0, ring_bytes=4096
    )
    yield recording
    recording.close()
    for place in places_of(tmp_path / "records"):
        for path in place.glob("*"):
            path.unlink()
        if place.exists():
            place.rmdir()


def _ring(tmp_path) -> Ring:
    (path,) = places_of(tmp_path / "records")[0].glob("*.ring")
    return Ring.open(path)


def test_blocks_and_outcomes_are_frames_in_the_ring(recording, tmp_path):
    outcome = Outcome("label", 1, 5, "test", prediction_id=bytes(16))
    assert recording.put_block(_block(3))
    assert recording.put_outcomes([outcome])
    ring = _ring(tmp_path)
    data = bytes(segments.HEAD_BYTES) + bytes(ring.peek()[0])
    first, second = segments.read(data)
    assert (first.kind, records.decode_block(first.payload)) == (BLOCK, _block(3))
    assert (second.kind, records.decode_outcome(second.payload)) == (OUTCOME, outcome)
    ring.close()


def test_what_is_recorded_and_what_is_not_is_counted_in_predictions(recording):
    put = [recording.put_block(_block(20)) for _ in range(20)]
    counts = recording.counts()
    assert 0 < sum(put) < 20
    assert (counts.predictions, counts.refused) == (20 * sum(put), 20 * (20 - sum(put)))


def test_ids_say_which_worker_made_them(recording):
    _, (prediction,) = recording.ids.take(1, 77)
    parts = unpack(prediction)
    assert (parts.time_ms, parts.node, parts.boot, parts.worker) == (77, 1, 2, 3)


def test_a_worker_that_was_started_again_has_a_ring_of_its_own(recording, tmp_path):
    assert recording.put_block(_block(1))
    again = open_recording(
        tmp_path / "records", node=1, boot=2, worker=3, incarnation=1, ring_bytes=4096
    )
    assert len(list(places_of(tmp_path / "records")[0].glob("*.ring"))) == 2
    again.close()


def test_a_full_disk_blocks_only_where_the_policy_refuses(recording, tmp_path):
    def endpoint(record):
        return Endpoint("e", (Route("v"),), record=record)

    serves, refuses = endpoint(RecordPolicy()), endpoint(RecordPolicy(when_full="refuse"))
    assert not recording.full
    assert recording.blocked([refuses]) == ""
    ring = _ring(tmp_path)
    for state, word in ((DISK_FULL, "disk_full"), (OVER_BUDGET, "over_budget")):
        ring.tell(state)
        assert recording.full
        assert recording.blocked([serves, endpoint(None)]) == ""
        assert word in recording.blocked([serves, refuses])
    ring.close()


def test_without_room_in_shared_memory_the_ring_lies_in_the_record_folder(tmp_path, monkeypatch):
    folder = tmp_path / "records"
    full, inside = tmp_path / "file", folder / "rings"
    full.write_text("no folder")
    monkeypatch.setattr(
        "pilotage.serving.recording.ring.places_of", lambda _: (full / "rings", inside)
    )
    recording = open_recording(folder, node=1, boot=2, worker=3, incarnation=0, ring_bytes=4096)
    assert len(list(inside.glob("*.ring"))) == 1
    recording.close()


def test_of_several_outcomes_all_are_recorded_or_none(recording, tmp_path):
    every = [Outcome("label", n, 5, "test", key=f"order {n}") for n in range(10)]
    assert recording.put_outcomes(every)
    assert not recording.put_outcomes(every * 10)
    ring = _ring(tmp_path)
    data = bytes(segments.HEAD_BYTES) + bytes(ring.peek()[0])
    assert [records.decode_outcome(each.payload) for each in segments.read(data)] == every
    ring.close()
