"""What is counted adds up over workers, and survives the death of one."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pilotage.serving.accounts import RETIRED_S, Accounts
from pilotage.serving.exposition import render
from pilotage.serving.metrics import SLOT_BYTES, Series, Slots, merge, pairs_of


def series(requests: int, latency_s: float) -> Series:
    made = Series()
    made.counter("pilotage_requests_total", endpoint="iris", status="ok")[0] += requests
    made.histogram("pilotage_latency_seconds", endpoint="iris").add(latency_s, requests)
    made.gauge("pilotage_connections", 3)
    made.gauge("pilotage_snapshot_revision", requests)
    return made


def samples(text: bytes) -> dict[str, float]:
    return {
        sample.name
        + "".join(f"|{name}={value}" for name, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_text_is_read_by_prometheus() -> None:
    found = samples(render(series(5, 0.0004).publish()))
    assert found["pilotage_requests_total|endpoint=iris|status=ok"] == 5
    assert found["pilotage_latency_seconds_bucket|endpoint=iris|le=0.00025"] == 0
    assert found["pilotage_latency_seconds_bucket|endpoint=iris|le=0.0005"] == 5
    assert found["pilotage_latency_seconds_bucket|endpoint=iris|le=+Inf"] == 5
    assert found["pilotage_latency_seconds_sum|endpoint=iris"] == pytest.approx(0.002)


def test_two_workers_add_up_and_the_oldest_revision_counts() -> None:
    found = samples(render(merge([series(5, 0.1).publish(), series(7, 0.2).publish()])))
    assert found["pilotage_requests_total|endpoint=iris|status=ok"] == 12
    assert found["pilotage_latency_seconds_count|endpoint=iris"] == 12
    assert found["pilotage_connections"] == 6
    assert found["pilotage_snapshot_revision"] == 5


def test_a_label_may_hold_any_character() -> None:
    made = Series()
    made.counter("pilotage_rows_total", endpoint='a "b"\\c\nd')[0] += 1
    assert samples(render(made.publish())) == {'pilotage_rows_total|endpoint=a "b"\\c\nd': 1}


def test_a_worker_that_starts_again_goes_on_from_its_slot() -> None:
    slots = Slots(memoryview(bytearray(Slots.bytes_for(2))), 2)
    assert slots.write(1, series(5, 0.1).publish())
    published = slots.read(1)
    assert published is not None
    again = Series()
    again.take_over(published)
    again.counter("pilotage_requests_total", endpoint="iris", status="ok")[0] += 1
    found = samples(render(again.publish()))
    assert found["pilotage_requests_total|endpoint=iris|status=ok"] == 6
    assert found["pilotage_latency_seconds_count|endpoint=iris"] == 5
    assert "pilotage_connections" not in found


def test_an_empty_slot_and_a_torn_one_tell_nothing() -> None:
    memory = bytearray(Slots.bytes_for(1))
    slots = Slots(memoryview(memory), 1)
    assert slots.read(0) is None
    slots.write(0, series(5, 0.1).publish())
    memory[20] ^= 1
    assert slots.read(0) is None


def test_more_numbers_than_a_slot_holds_leave_the_last_ones() -> None:
    slots = Slots(memoryview(bytearray(Slots.bytes_for(1))), 1)
    slots.write(0, series(5, 0.1).publish())
    large = Series()
    for number in range(SLOT_BYTES // 50):
        large.counter("pilotage_rows_total", endpoint=f"endpoint-{number:05}" * 3)[0] += 1
    assert not slots.write(0, large.publish())
    assert slots.read(0) == series(5, 0.1).publish()


# --- versions that are gone --------------------------------------------------------------------

OLD, NEW = ("iris", "one"), ("iris", "two")


def counting(*pairs: tuple[str, str]) -> tuple[Series, Accounts]:
    made = Series()
    for endpoint, version in pairs:
        labels = {"endpoint": endpoint, "version": version}
        made.counter("pilotage_requests_total", status="ok", **labels)[0] += 1
        made.histogram("pilotage_latency_seconds", **labels).add(0.1)
    return made, Accounts(made)


def told(made: Series) -> set[tuple[str, str]]:
    return pairs_of(made.publish())


@pytest.mark.parametrize(("later_s", "kept"), [(RETIRED_S - 1, True), (RETIRED_S, False)])
def test_a_retired_version_is_told_of_until_everybody_has_scraped_it(
    later_s: float, kept: bool
) -> None:
    made, accounts = counting(OLD, NEW)
    accounts.swapped({OLD}, {NEW}, now_s=100.0)
    accounts.forget_retired(now_s=100.0 + later_s)
    assert told(made) == ({OLD, NEW} if kept else {NEW})
    assert {name for name, cells in made.publish().histograms.items() if cells}


def test_a_version_that_came_back_is_kept() -> None:
    made, accounts = counting(OLD, NEW)
    accounts.swapped({OLD}, {NEW}, now_s=100.0)
    accounts.swapped({NEW}, {OLD}, now_s=200.0)
    accounts.forget_retired(now_s=100.0 + RETIRED_S)
    assert told(made) == {OLD, NEW}
    accounts.forget_retired(now_s=200.0 + RETIRED_S)
    assert told(made) == {OLD}


def test_gauges_tell_of_now_alone() -> None:
    made = Series()
    made.gauge("pilotage_queue_rows", 3, version="one")
    made.begin_gauges()
    made.gauge("pilotage_queue_rows", 4, version="two")
    assert made.publish().gauges == {"pilotage_queue_rows": {(("version", "two"),): 4}}
