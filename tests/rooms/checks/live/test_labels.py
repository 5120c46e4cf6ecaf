"""The label that a recorded answer gave, and which outcomes are equal to it."""

import numpy as np
import pytest

from pilotage.checks.live.labels import code_of, codes_of
from pilotage.contracts.records import Block, Column, Entry


def block(*outputs: Column, rows: tuple[int, ...] = (1, 1)) -> Block:
    entries = [Entry(bytes(16), 1, each, 5) for each in rows]
    return Block("e", "v", 1, "baseline", 1, "", "", 1, 1, 1, "whole", (), outputs, entries)


def column(datatype: str, values: object, dtype: str, tail: tuple[int, ...] = ()) -> Column:
    return Column("y", datatype, tail, np.asarray(values, dtype).tobytes())


def texts(*values: str) -> Column:
    raw = [each.encode() for each in values]
    data = b"".join(len(each).to_bytes(4, "little") + each for each in raw)
    return Column("y", "BYTES", (), data)


@pytest.mark.parametrize(
    ("value", "same"),
    [(3, 3.0), (3, "3"), (True, 1), (False, 0), ("cat", "cat"), (1, "1"), (-7, "-7"), (0.5, "0.5")],
)
def test_equal_numbers_and_equal_texts_have_one_code(value: object, same: object) -> None:
    assert code_of(value) == code_of(same)


@pytest.mark.parametrize(
    ("value", "other"),
    [(3, 4), ("3.0", 3), ("cat", "dog"), (0.5, 0.25), ("03", 3), ("³", 3), (2**62, 2**62 + 1)],
)
def test_other_labels_have_another_code(value: object, other: object) -> None:
    assert code_of(value) != code_of(other)


@pytest.mark.parametrize("value", [0, -(2**63), 2**63, "", "x" * 99, float("inf"), float("nan")])
def test_a_code_fits_64_bits_and_is_never_that_of_no_label(value: object) -> None:
    assert 0 < code_of(value) < 2**64


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((column("INT64", [4, 2], "<i8"),), [4, 2]),
        ((column("INT64", [4, 2], "<i8", (1,)),), [4, 2]),
        ((column("BOOL", [True, False], "?"),), [1, 0]),
        ((column("UINT8", [255, 0], "u1"),), [255, 0]),
        ((texts("cat", "dog"),), ["cat", "dog"]),
        ((column("FP32", [0.1, 0.9, 0.7, 0.3], "<f4", (2,)),), [1, 0]),
        ((column("FP64", [0.1, 0.9, 0.7, 0.3], "<f8", (1, 2)),), [1, 0]),
        ((column("FP16", [0.5, 0.49], "<f2"),), [1, 0]),
        ((column("BF16", [0x3F80, 0x0000], "<u2"),), [1, 0]),
    ],
    ids=["int", "int of one", "bool", "uint8", "text", "scores", "deep", "half", "bf16"],
)
def test_the_label_is_read_from_the_output(outputs: tuple[Column, ...], expected: list) -> None:
    assert codes_of(block(*outputs)) == [code_of(each) for each in expected]


def test_a_discrete_output_goes_before_scores_and_scores_before_one_score() -> None:
    score = column("FP32", [0.9, 0.9], "<f4", (1,))
    scores = column("FP32", [0.9, 0.1, 0.9, 0.1], "<f4", (2,))
    label = column("INT32", [7, 8], "<i4")
    assert codes_of(block(score, scores, label)) == [code_of(7), code_of(8)]
    assert codes_of(block(score, scores)) == [code_of(0), code_of(0)]
    assert codes_of(block(score)) == [code_of(1), code_of(1)]


def test_each_row_of_a_prediction_has_its_label() -> None:
    labels = column("INT64", [4, 2, 9], "<i8")
    assert codes_of(block(labels, rows=(2, 1))) == [code_of(each) for each in (4, 2, 9)]


def test_a_model_without_rows_gives_one_label() -> None:
    scores = column("FP32", [0.1, 0.9, 0.3], "<f4", (3,))
    assert codes_of(block(scores, rows=(0,))) == [code_of(1)]


@pytest.mark.parametrize(
    "outputs",
    [
        (),
        (Column("y", "INT64", (), digests=(b"d", b"e")),),
        (Column("y", "INT64", ()),),
        (column("INT64", [1, 2, 3], "<i8"),),
        (Column("y", "INT64", (), b"123"),),
        (column("INT64", [1, 2, 3, 4], "<i8", (2,)),),
        (column("FP32", np.zeros(12), "<f4", (2, 3)),),
        (Column("y", "FP32", (0,), b""),),
    ],
    ids=["none", "digests", "no data", "rows", "torn", "two", "matrix", "empty"],
)
def test_outputs_that_do_not_tell_give_no_label(outputs: tuple[Column, ...]) -> None:
    assert codes_of(block(*outputs)) is None
