import pytest
from msgspec import structs

from pilotage.contracts.records import Entry
from pilotage.contracts.signature import Signature
from pilotage.errors import PilotageError
from pilotage.records.traffic import FEWEST, measured
from simulators.record_folders import TIMING, RecordFolder, origin


@pytest.fixture
def server(tmp_path):
    server = RecordFolder(tmp_path / "records")
    yield server
    server.close()


def answer(server, count, *, after_ms=10, endpoint="iris", **fields):
    """So many requests of no tensors, one after the other."""
    for _ in range(count):
        server.now_ms += after_ms
        (given,) = server.recording.ids.take(1, server.now_ms)[1]
        entry = Entry(given, server.now_ms * 1_000_000, 1, 5)
        server.recording.put(
            origin(endpoint, Signature((), ()), inputs="none", outputs="none"),
            [],
            [],
            [structs.replace(entry, **fields)],
            TIMING,
        )


def test_requests_a_second_and_failures_are_counted(server):
    answer(server, 95)
    answer(server, 3, status="engine_error")
    answer(server, 2, status="invalid_output")
    answer(server, 1, status="expired")
    found = measured(server.folder, "iris")
    assert (found.requests, found.failed, found.units) == (101, 5, 0)
    assert found.per_s == pytest.approx(101 / 1.0)
    assert found.error_rate == 5 / 101


def test_other_endpoints_and_copies_are_not_counted(server):
    answer(server, FEWEST)
    answer(server, 5, endpoint="wine")
    answer(server, 5, pair_id=b"p" * 16)
    assert measured(server.folder, "iris").requests == FEWEST


def test_different_values_of_the_sticky_key_are_counted(server):
    answer(server, FEWEST, unit=b"a" * 16)
    answer(server, 3, unit=b"b" * 16)
    assert measured(server.folder, "iris").units == 2


def test_what_waits_in_a_ring_and_what_is_copied_count_once(server):
    answer(server, 60)
    server.copy()
    answer(server, 60)
    assert measured(server.folder, "iris").requests == 120
    server.seal()
    assert measured(server.folder, "iris").requests == 120


def test_the_last_day_counts_and_is_a_day_where_there_was_more(server):
    answer(server, 10)
    server.now_ms += 86_400_000
    answer(server, 144, after_ms=100)
    found = measured(server.folder, "iris")
    assert found.requests == 144
    assert found.per_s == pytest.approx(144 / 86_400)


def test_of_a_busy_service_older_segments_are_not_opened(server):
    for _ in range(3):
        answer(server, FEWEST)
        server.copy()
        server.seal()
    assert measured(server.folder, "iris", counted=FEWEST + 1).requests == 2 * FEWEST
    assert measured(server.folder, "iris", counted=FEWEST).requests == FEWEST


@pytest.mark.parametrize(("count", "enough"), [(FEWEST - 1, False), (FEWEST, True)])
def test_too_few_records_tell_no_rate(server, count, enough):
    answer(server, count)
    if enough:
        assert measured(server.folder, "iris").requests == count
    else:
        with pytest.raises(PilotageError, match="too few"):
            measured(server.folder, "iris")


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(PilotageError, match="no records here") as told:
        measured(tmp_path / "nothing", "iris")
    assert "--rate" in told.value.fix
