"""The verdict of a proof, on answers written by hand."""

import numpy as np
import pytest

from pilotage.isolation.proving import ABSOLUTE, LEAST_ROWS, RELATIVE, prove

ROWS = [np.arange(LEAST_ROWS, dtype=np.float32)]


def verdict(original, converted, rows=None):
    return prove(original, converted, rows or ROWS, sample_rows=0, versions={})


def numbers(value, at=7):
    values = np.full(LEAST_ROWS, 100.0)
    values[at] = value
    return {"value": values}


@pytest.mark.parametrize(("share", "said"), [(0.99, "proven"), (1.01, "refused")])
def test_a_number_may_differ_by_the_tolerance_and_no_more(share, said):
    allowed = ABSOLUTE + RELATIVE * 100.0
    proof = verdict(numbers(100.0), numbers(100.0 + share * allowed))
    assert proof.verdict == said
    assert proof.outputs[0].row == 7
    assert proof.outputs[0].largest_difference == pytest.approx(share * allowed)
    assert proof.worst_row == ("7.0",)


@pytest.mark.parametrize(
    ("original", "converted", "said"),
    [
        (np.nan, np.nan, "proven"),
        (np.nan, 1.0, "refused"),
        (1.0, np.nan, "refused"),
        (np.inf, np.inf, "proven"),
        (np.inf, -np.inf, "refused"),
        (np.inf, 3.0, "refused"),
    ],
)
def test_missing_and_infinite_answers_must_be_the_same(original, converted, said):
    assert verdict(numbers(original), numbers(converted)).verdict == said


def labels(first, second, scores, other_scores):
    one, two = np.array(["a"] * LEAST_ROWS), np.array(["a"] * LEAST_ROWS)
    one[3], two[3] = first, second
    original = np.tile([0.9, 0.1], (LEAST_ROWS, 1))
    converted = original.copy()
    original[3], converted[3] = scores, other_scores
    return verdict(
        {"label": one, "probabilities": original}, {"label": two, "probabilities": converted}
    )


def test_a_label_may_differ_where_the_original_is_tied():
    proof = labels("a", "b", [0.5, 0.5], [0.5, 0.5])
    assert proof.verdict == "proven"
    assert proof.outputs[0].forgiven_rows == 1


def test_a_label_may_differ_where_the_margin_is_within_the_difference():
    assert labels("a", "b", [0.50001, 0.49999], [0.49999, 0.50001]).verdict == "proven"


def test_a_label_may_not_differ_where_the_margin_is_wider_than_the_difference():
    proof = labels("a", "b", [0.51, 0.49], [0.51, 0.49])
    assert proof.verdict == "refused"
    assert (proof.outputs[0].original, proof.outputs[0].converted) == ("a", "b")


def test_another_shape_is_refused():
    wide = {"value": np.zeros((LEAST_ROWS, 2))}
    assert verdict({"value": np.zeros(LEAST_ROWS)}, wide).verdict == "refused"


def test_fewer_rows_than_promised_prove_nothing():
    few = [np.zeros(LEAST_ROWS - 1, np.float32)]
    same = {"value": np.zeros(LEAST_ROWS - 1)}
    assert verdict(same, same, few).verdict == "refused"
    assert verdict(numbers(1.0), numbers(1.0)).verdict == "proven"
