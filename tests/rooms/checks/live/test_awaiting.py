"""Predictions that wait for outcomes: found by id and by key, and forgotten in order."""

import pytest

from pilotage.checks.live.awaiting import ROWS, Awaiting, Drawn


def drawn(number: int, *, key: int = 0, caller: int = 0, at_s: float = 0.0, labels=(5,)) -> Drawn:
    return Drawn(number.to_bytes(16), key, caller, 77, at_s, 1, True, list(labels))


def test_a_prediction_is_found_by_its_id_with_what_is_known_of_it() -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1))
    place = awaiting.by_id((1).to_bytes(16))
    assert place is not None
    found = awaiting.at(place)
    assert (found.unit, found.stage, found.candidate, found.rows, found.label) == (
        77,
        1,
        True,
        1,
        5,
    )
    assert awaiting.by_id((2).to_bytes(16)) is None


def test_the_latest_with_a_callers_id_is_found_by_it() -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1, key=9, at_s=0.0))
    awaiting.remember(drawn(2, key=9, at_s=60.1))
    assert awaiting.by_key(9) == awaiting.by_id((2).to_bytes(16)) == 1


def test_a_retry_within_a_minute_is_another_name_of_the_first() -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1, key=9, at_s=0.0))
    awaiting.remember(drawn(2, key=9, at_s=60.0))
    assert awaiting.by_key(9) == awaiting.by_id((2).to_bytes(16)) == 0
    assert len(awaiting) == 1


def test_the_same_id_of_another_caller_is_no_retry() -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1, key=9, caller=1))
    awaiting.remember(drawn(2, key=9, caller=2))
    assert awaiting.by_id((1).to_bytes(16)) != awaiting.by_id((2).to_bytes(16))


@pytest.mark.parametrize(("more", "known"), [(2, True), (3, False)])
def test_the_oldest_is_forgotten_first_and_its_retries_with_it(more: int, known: bool) -> None:
    awaiting = Awaiting(1, most=3)
    awaiting.remember(drawn(1, key=9))
    awaiting.remember(drawn(2, key=9))
    for number in range(more):
        awaiting.remember(drawn(10 + number))
    names = (awaiting.by_id((1).to_bytes(16)), awaiting.by_id((2).to_bytes(16)), awaiting.by_key(9))
    assert all(each is not None for each in names) == known
    assert any(each is not None for each in names) == known
    assert awaiting.forgotten == (0 if known else 1)


def test_a_key_that_was_taken_over_outlives_the_older_prediction() -> None:
    awaiting = Awaiting(1, most=2)
    awaiting.remember(drawn(1, key=9, at_s=0.0))
    awaiting.remember(drawn(2, key=9, at_s=100.0))
    awaiting.remember(drawn(3))
    assert awaiting.by_key(9) == awaiting.by_id((2).to_bytes(16)) == 1


def test_a_new_prediction_in_an_old_place_has_counted_nothing() -> None:
    awaiting = Awaiting(2, most=1)
    awaiting.remember(drawn(1))
    awaiting.count(1, 0, 42)
    assert awaiting.counted(1, 0) == 42
    awaiting.remember(drawn(2))
    assert awaiting.counted(1, 1) == 0


@pytest.mark.parametrize(("rows", "kept"), [(ROWS, ROWS), (ROWS + 1, ROWS)])
def test_so_many_rows_of_a_prediction_are_remembered(rows: int, kept: int) -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1, labels=range(1, rows + 1)))
    assert awaiting.at(0).rows == len(awaiting) == kept
    assert awaiting.at(kept - 1).label == kept


@pytest.mark.parametrize("remembered", [0, 2, 5, 9])
def test_a_saved_state_finds_the_same_and_forgets_the_same(remembered: int) -> None:
    awaiting = Awaiting(2, most=4)
    for number in range(remembered):
        awaiting.remember(drawn(number, key=number // 2 + 1, labels=(5, 6)[: 1 + number % 2]))
    loaded = Awaiting.of_arrays(2, awaiting.arrays(), most=4)
    for each in (awaiting, loaded):
        each.remember(drawn(100, key=1))
    for number in (*range(remembered), 100):
        id_ = number.to_bytes(16)
        assert loaded.by_id(id_) == awaiting.by_id(id_)
        assert loaded.by_key(number) == awaiting.by_key(number)
    before, after = awaiting.arrays(), loaded.arrays()
    assert {name: each.tobytes() for name, each in before.items()} == {
        name: each.tobytes() for name, each in after.items()
    }


def test_a_retry_is_known_though_another_caller_used_the_same_id_meanwhile() -> None:
    awaiting = Awaiting(1)
    for number, caller in enumerate((1, 2, 1)):
        awaiting.remember(drawn(number, key=9, caller=caller, at_s=float(number)))
    assert awaiting.by_id((2).to_bytes(16)) == awaiting.by_id((0).to_bytes(16))
    assert len(awaiting) == 2


def test_a_caller_means_its_own_prediction_by_its_id_and_others_mean_the_latest() -> None:
    awaiting = Awaiting(1)
    awaiting.remember(drawn(1, key=9, caller=1))
    awaiting.remember(drawn(2, key=9, caller=2))
    for each in (awaiting, Awaiting.of_arrays(1, awaiting.arrays())):
        assert [each.by_key(9, caller) for caller in (1, 2, 3, 0)] == [0, 1, 1, 1]


def test_what_a_caller_named_is_forgotten_with_its_prediction() -> None:
    awaiting = Awaiting(1, most=1)
    awaiting.remember(drawn(1, key=9, caller=1))
    awaiting.remember(drawn(2, key=8, caller=1))
    assert awaiting.by_key(9, 1) is None
