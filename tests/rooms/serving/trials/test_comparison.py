"""How far two answers are apart: labels by equality, numbers by the largest difference."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts.signature import Tensor
from pilotage.serving.trials.comparison import UNLIKE, Comparison, compare

NAN, INF = math.nan, math.inf
ONE = (1,)


def floats(*rows: Any) -> np.ndarray:
    return np.array(rows, np.float32)


def scores() -> list[Tensor]:
    return [Tensor("y", "FP32", ("n", 3))]


def single() -> list[Tensor]:
    return [Tensor("y", "FP32", ("n", 1))]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([0.1, 0.2, 0.7], [0.1, 0.2, 0.7], (True, 0.0)),
        ([0.0, 0.25, 0.75], [0.0, 0.5, 0.5], (False, 0.25)),  # the first of equal scores counts
        ([0.0, 0.25, 0.75], [0.25, 0.0, 0.75], (True, 0.25)),
        ([NAN, 0.0, 1.0], [NAN, 0.0, 1.0], (True, 0.0)),
        ([0.0, 0.5, 1.0], [0.0, NAN, 1.0], (False, INF)),
        ([INF, 0.0, 1.0], [INF, 0.0, 1.0], (True, 0.0)),
        ([INF, 0.0, 1.0], [-INF, 0.0, 1.0], (False, INF)),
    ],
)
def test_scores_agree_on_the_place_of_the_largest(
    ours: list[float], theirs: list[float], expected: Comparison
) -> None:
    assert compare([floats(ours)], [floats(theirs)], scores(), ONE) == [expected]


def test_single_numbers_differ_by_their_distance_alone() -> None:
    ours, theirs = floats([1.0], [5.0]), floats([1.5], [2.0])
    assert compare([ours], [theirs], single(), (1, 1)) == [(True, 0.5), (True, 3.0)]


@pytest.mark.parametrize(
    ("datatype", "ours", "theirs", "equal"),
    [
        ("INT64", np.array([[1, 2]]), np.array([[1, 2]]), True),
        ("INT64", np.array([[1, 2]]), np.array([[1, 3]]), False),
        ("INT64", np.array([[1, 2]]), np.array([[1, 2]], np.int32), True),
        ("BOOL", np.array([[True]]), np.array([[False]]), False),
        ("BYTES", np.array([["ja"]], object), np.array([[b"ja"]], object), True),
        ("BYTES", np.array([["ja"]], object), np.array([["nein"]], object), False),
    ],
)
def test_what_is_not_floating_is_a_label(
    datatype: str, ours: np.ndarray, theirs: np.ndarray, equal: bool
) -> None:
    tensors = [Tensor("y", datatype, ("n", 2))]
    assert compare([ours], [theirs], tensors, ONE) == [(equal, 0.0)]


def test_scores_beside_labels_are_numbers() -> None:
    tensors = [Tensor("label", "INT64", ("n",)), Tensor("scores", "FP32", ("n", 2))]
    label = np.array([1])
    ours, theirs = [label, floats([0.4, 0.6])], [label, floats([0.6, 0.4])]
    (found,) = compare(ours, theirs, tensors, ONE)
    assert found == (True, pytest.approx(0.2))


def test_a_vector_of_rows_holds_no_scores() -> None:
    tensors = [Tensor("y", "FP32", ("n",))]
    ours, theirs = floats(1.0, 2.0), floats(2.0, 1.0)
    assert compare([ours], [theirs], tensors, (2,)) == [(True, 1.0)]


def test_without_a_row_axis_the_whole_output_is_one_answer() -> None:
    tensors = [Tensor("y", "FP32", (2,))]
    assert compare([floats(1.0, 2.0)], [floats(2.0, 1.0)], tensors, (0,)) == [(False, 1.0)]


def test_every_row_of_a_request_counts() -> None:
    ours = floats([1, 0, 0], [1, 0, 0], [1, 0, 0])
    theirs = floats([1, 0, 0], [0, 1, 0], [0.5, 0, 0])
    found = compare([ours], [theirs], scores(), (2, 1))
    assert found == [(False, 1.0), (True, 0.5)]


@pytest.mark.parametrize(
    ("datatype", "ours", "theirs"),
    [
        ("FP16", np.float16(1.5), np.float16(1.0)),
        ("FP64", np.float64(1.5), np.float64(1.0)),
        ("BF16", np.uint16(0x3FC0), np.uint16(0x3F80)),
    ],
)
def test_every_floating_datatype_is_a_number(datatype: str, ours: Any, theirs: Any) -> None:
    tensors = [Tensor("y", datatype, ("n", 1))]
    found = compare([np.array([[ours]])], [np.array([[theirs]])], tensors, ONE)
    assert found == [(True, 0.5)]


@pytest.mark.parametrize(
    "theirs",
    [[floats([1, 2])], [floats([1], [2])], [], [floats([1]), floats([1])], [np.float32(1)]],
)
def test_answers_of_another_shape_or_number_are_unlike(theirs: list[Any]) -> None:
    assert compare([floats([1])], theirs, single(), ONE) == [UNLIKE]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    rows=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_batch_is_compared_as_each_of_its_requests_would_be(rows: list[int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    values = [chance.choice([0.0, 1.0, NAN, INF], (2, sum(rows), 3)) for _ in range(2)]
    ours, theirs = ([side.astype(np.float32) for side in each] for each in values)
    tensors = [Tensor("a", "FP32", ("n", 3)), Tensor("b", "FP32", ("n", 3))]
    together = compare(ours, theirs, tensors, rows)
    start = 0
    for index, each in enumerate(rows):
        cut = slice(start, start + each)
        alone = compare([a[cut] for a in ours], [a[cut] for a in theirs], tensors, (each,))
        assert [together[index]] == alone
        start += each
