import mmap
import os

import pytest

from pilotage.contracts.predictions import pack, unpack
from pilotage.errors import PilotageError
from pilotage.records import store as stores
from pilotage.records.store import Query, Store, decoded, read_id
from simulators.record_folders import RecordFolder


@pytest.fixture
def server(tmp_path):
    server = RecordFolder(tmp_path / "records", segment_bytes=4096)
    yield server
    server.close()


def _ids(records) -> list[bytes]:
    return [record.id for record in records]


def test_a_record_is_found_the_moment_its_answer_left(server):
    (prediction,) = server.answer()
    finding = Store(server.folder).find(prediction)
    assert finding is not None
    (record,) = finding.records
    assert (record.id, record.endpoint, record.rows) == (prediction, "iris", 1)
    assert finding.source.endswith(".ring")


def test_a_record_is_found_in_open_and_in_sealed_segments(server):
    given = server.answer((1, 2, 3))
    server.copy()
    assert Store(server.folder).find(given[1]).source.endswith(".open")
    server.seal()
    finding = Store(server.folder).find(given[1])
    assert finding.source.endswith(".seg")
    (record,) = finding.records
    assert record.inputs[0].shape == (2, 2)
    assert record.outputs[0].data == b"\x01" + bytes(7) + b"\x02" + bytes(7)


def test_each_of_many_records_is_found_though_segments_change_all_the_time(server):
    given = []
    for _ in range(150):
        given += server.answer((1, 1))
        server.copy()
    store = Store(server.folder)
    assert len(list(server.folder.glob("*.seg"))) > 5
    assert all(store.find(each).records[0].id == each for each in given)


def test_a_record_that_was_written_late_is_found(server):
    (early,) = server.answer()
    server.now_ms += 3_600_000
    server.copy()
    for _ in range(100):
        server.answer((1, 1, 1))
        server.copy()
    assert Store(server.folder).find(early).records[0].id == early


def test_an_id_that_was_never_given_is_not_found(server):
    given = server.answer()[0]
    server.copy()
    parts = unpack(given)
    other = pack(type(parts)(parts.time_ms, parts.node, parts.boot, parts.worker, 999))
    assert Store(server.folder).find(other) is None
    assert Store(server.folder).find(bytes(16)) is None


def test_segments_that_cannot_hold_an_id_are_not_searched(server, monkeypatch):
    for _ in range(150):
        given = server.answer((1, 1))
        server.copy()
    server.answer()
    searched = []
    real = stores.opened
    monkeypatch.setattr(stores, "opened", lambda path: searched.append(path) or real(path))
    assert Store(server.folder).find(given[0])
    assert len(searched) <= 2
    parts = unpack(given[0])
    elsewhere = pack(type(parts)(parts.time_ms, 1, parts.boot, parts.worker, 1))
    searched.clear()
    assert Store(server.folder).find(elsewhere) is None
    assert [path.suffix for path in searched] in ([".open"], [])


def test_an_id_that_stands_in_content_is_no_record(server):
    given = server.answer()[0]
    server.copy()
    finding = Store(server.folder).find(given)
    inside = finding.records[0].inputs[1].data[:16].ljust(16, b"\0")
    assert Store(server.folder).find(inside) is None


def test_a_stream_has_two_records_that_may_lie_in_two_segments(server):
    given = server.answer(phase="opened")
    server.copy()
    server.seal()
    assert [each.phase for each in Store(server.folder).find(given[0]).records] == ["opened"]
    server.answer(phase="closed", ids=given)
    assert [each.phase for each in Store(server.folder).find(given[0]).records] == [
        "opened",
        "closed",
    ]
    server.copy()
    assert [each.phase for each in Store(server.folder).find(given[0]).records] == [
        "opened",
        "closed",
    ]


def test_the_last_records_come_in_order_from_rings_and_segments(server):
    given = []
    for turn in range(60):
        given += server.answer((1, 1, 1))
        if turn % 3:
            server.copy()
    store = Store(server.folder)
    for count in (0, 1, 2, 50, 180, 500):
        assert _ids(store.last(count)) == given[len(given) - count if count < 180 else 0 :]


def test_everything_is_read_once_wherever_it_lies(server):
    given = []
    for turn in range(60):
        given += server.answer((1, 1))
        if turn % 3:
            server.copy()
    assert _ids(Store(server.folder).records(Query())) == given


def test_a_reader_goes_on_where_it_was(server):
    store = Store(server.folder)
    reader = store.reader()
    reader.skip()
    for turn in range(90):
        fresh = server.answer((1, 1))
        if turn % 4 == 1:
            server.copy()
        assert [record.id for found in reader for record in decoded(found)] == fresh
        if turn % 4 == 3:
            server.copy()
        assert list(reader) == []


def test_records_are_chosen_by_time_and_endpoint(server):
    first = server.answer(endpoint="one")
    middle = server.now_ms * 1_000_000
    second = server.answer(endpoint="two")
    store = Store(server.folder)
    assert _ids(store.records(Query(endpoint="two"))) == second
    assert _ids(store.records(Query(since_ns=middle + 1))) == second
    assert _ids(store.records(Query(since_ns=middle))) == first + second
    assert _ids(store.records(Query(until_ns=middle))) == []
    assert _ids(store.records(Query(until_ns=middle + 1))) == first


def test_damage_is_told_and_what_lies_behind_it_is_read_and_found(server):
    first = server.answer()
    server.copy()
    second = server.answer()
    server.copy()
    server.seal()
    (path,) = server.folder.glob("*.seg")
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        at = data.find(first[0])
        data[at - 40] ^= 1
    damage = []
    store = Store(server.folder)
    assert _ids(store.records(Query(), damage)) == second
    assert [each.path for each in damage] == [path]
    assert store.find(second[0]).records[0].id == second[0]
    assert store.find(first[0]) is None


def test_records_of_a_server_that_was_killed_are_found_in_its_ring(tmp_path):
    folder = tmp_path / "records"
    child = os.fork()
    if child == 0:
        server = RecordFolder(folder)
        (folder / "id").write_bytes(server.answer()[0])
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    prediction = (folder / "id").read_bytes()
    assert Store(folder).find(prediction).source.endswith(".ring")
    successor = RecordFolder(folder, boot=8)
    successor.close()
    assert Store(folder).find(prediction).source.endswith(".seg")


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(PilotageError, match="no folder of records"):
        Store(tmp_path / "absent")


def test_an_id_is_read_as_people_write_it():
    text = "01a20cabf17300abcd00010000000005"
    assert read_id(f" {text.upper()}\n") == bytes.fromhex(text)
    for wrong in ("", text[:-1], text + "0", "g" * 32):
        with pytest.raises(PilotageError, match="32 hex digits"):
            read_id(wrong)
