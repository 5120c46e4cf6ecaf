"""The queue of copies: bounded by requests and by bytes, taken as one call may answer them."""

from typing import Any, cast

import numpy as np
import pytest

from pilotage.serving.protocols.inference import Inference
from pilotage.serving.trials.copies import Copies, Pair, Waiting, joined

TO = cast(Any, object())
ROW_BYTES = 8


def pair(number: int, rows: int = 1) -> Pair:
    inference = Inference((b"",), ((rows, 1),), rows)
    return Pair(bytes([number]), "ok", inference, 0, b"", "", "")


def copied(*rows: int, first: int = 0, width: int = 1, failed: bool = False) -> Copies:
    """One FP32 input and output of `width`; the numbers go up from `first`, over all rows."""
    pairs = [pair(first + index, each) for index, each in enumerate(rows)]
    values = np.arange(sum(rows) * width, dtype=np.float32).reshape(-1, width) + first
    return Copies(TO, pairs, [values], None if failed else [values * 2])


def ids(several: list[Copies]) -> list[int]:
    return [each.id[0] for copies in several for each in copies.pairs]


@pytest.mark.parametrize(
    ("most_requests", "most_bytes", "kept"),
    [(3, 100, 3), (2, 100, 2), (3, 3 * ROW_BYTES, 3), (3, 3 * ROW_BYTES - 1, 2), (3, 7, 0)],
)
def test_as_many_as_fit_are_kept_and_the_others_dropped(
    most_requests: int, most_bytes: int, kept: int
) -> None:
    waiting = Waiting(most_requests, most_bytes)
    assert waiting.add(copied(1, 1, 1)) == kept
    assert (waiting.requests, waiting.total_bytes) == (kept, kept * ROW_BYTES)
    assert ids(waiting.take(32)) == list(range(kept))
    assert (waiting.requests, waiting.total_bytes) == (0, 0)


def test_a_copy_holds_views_of_the_batch_it_was_in() -> None:
    whole = copied(1, 2, 1)
    part = whole.part(1, 3)
    assert part.inputs[0] is not None
    assert np.shares_memory(part.inputs[0], cast(Any, whole.inputs[0]))
    assert part.inputs[0].ravel().tolist() == [1.0, 2.0, 3.0]
    assert part.outputs is not None
    assert part.outputs[0].ravel().tolist() == [2.0, 4.0, 6.0]


def test_what_is_taken_has_no_more_rows_than_a_call_may_have_unless_it_is_one() -> None:
    waiting = Waiting(100, 10_000)
    for number, rows in enumerate((2, 2, 1, 9, 1)):
        waiting.add(copied(rows, first=number))
    assert ids(waiting.take(4)) == [0, 1]
    assert ids(waiting.take(4)) == [2]
    assert ids(waiting.take(4)) == [3]
    assert ids(waiting.take(4)) == [4]
    assert not waiting


@pytest.mark.parametrize(
    "other", [copied(1, first=1, width=2), copied(1, first=1, failed=True), copied(0, first=1)]
)
def test_what_cannot_be_stacked_is_taken_by_itself(other: Copies) -> None:
    waiting = Waiting(100, 10_000)
    waiting.add(copied(1) if other.rows else copied(0))
    waiting.add(other)
    assert ids(waiting.take(32)) == [0]
    assert ids(waiting.take(32)) == [1]


def test_what_is_put_back_comes_first_and_each_by_itself() -> None:
    waiting = Waiting(3, 10_000)
    waiting.add(copied(1, 1))
    several = waiting.take(32)
    waiting.add(copied(1, 1, 1, first=2))
    waiting.put_back(several[0].each_alone())
    assert [ids(waiting.take(32)) for _ in range(3)] == [[0], [1], [2, 3, 4]]


def test_joined_copies_are_one_batch() -> None:
    whole = joined([copied(2), copied(1, first=7)])
    assert (whole.rows, ids([whole])) == (3, [0, 7])
    assert whole.inputs[0] is not None
    assert whole.inputs[0].ravel().tolist() == [0.0, 1.0, 7.0]


def test_bytes_of_texts_are_those_of_their_elements() -> None:
    words = np.array([["four"], ["sixsix"]], object)
    assert Copies(TO, [pair(0, 2)], [words, None], None).size_bytes == 10
