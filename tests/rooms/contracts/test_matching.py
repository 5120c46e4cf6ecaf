"""A candidate takes and gives what its baseline does, or is told what differs."""

import pytest

from pilotage.contracts.matching import SHOWN, differences, remarks
from pilotage.contracts.signature import Signature, Tensor


def signature(*inputs: Tensor, outputs: tuple[Tensor, ...] = ()) -> Signature:
    return Signature(inputs, outputs or (Tensor("y", "FP32", ("n",)),))


AGE = Tensor("age", "FP32", ("rows", 1))
SEX = Tensor("sex", "BYTES", ("rows", 1))


@pytest.mark.parametrize(
    ("baseline", "candidate", "told"),
    [
        (
            signature(AGE),
            signature(Tensor("age", "INT64", ("rows", 1))),
            "input `age`: FP32 [rows, 1] in the baseline, INT64 [rows, 1] in the candidate",
        ),
        (
            signature(AGE),
            signature(Tensor("age", "FP32", ("rows",))),
            "input `age`: FP32 [rows, 1] in the baseline, FP32 [rows] in the candidate",
        ),
        (
            signature(AGE),
            signature(Tensor("age", "FP32", (4, 1))),
            "input `age`: FP32 [rows, 1] in the baseline, FP32 [4, 1] in the candidate",
        ),
        (signature(AGE, SEX), signature(AGE), "input `sex` is in the baseline alone"),
        (signature(AGE), signature(AGE, SEX), "input `sex` is in the candidate alone"),
        (
            signature(AGE, SEX),
            signature(SEX, AGE),
            "inputs in the order `age`, `sex` in the baseline, `sex`, `age` in the candidate",
        ),
        (
            signature(Tensor("age", "FP32", ("rows", 1), optional=True)),
            signature(AGE),
            "input `age`: optional in the baseline, required in the candidate",
        ),
        (
            signature(AGE),
            signature(AGE, outputs=(Tensor("y", "FP32", ("n", 2)),)),
            "output `y`: FP32 [n] in the baseline, FP32 [n, 2] in the candidate",
        ),
    ],
)
def test_what_differs_is_told_by_tensor(baseline, candidate, told):
    assert differences(baseline, candidate) == (told,)


def test_axes_may_have_other_names_where_they_pair_off_one_to_one():
    both = (Tensor("a", "FP32", ("n", "k")), Tensor("b", "FP32", ("n", "k")))
    renamed = (Tensor("a", "FP32", ("rows", "n")), Tensor("b", "FP32", ("rows", "n")))
    apart = (Tensor("a", "FP32", ("rows", "n")), Tensor("b", "FP32", ("rows", "m")))
    outputs = (Tensor("y", "FP32", (1,)),)
    assert differences(Signature(both, outputs), Signature(renamed, outputs)) == ()
    assert len(differences(Signature(both, outputs), Signature(apart, outputs))) == 1
    assert len(differences(Signature(apart, outputs), Signature(both, outputs))) == 1


def test_a_candidate_that_can_do_without_an_input_is_as_good():
    optional = signature(Tensor("age", "FP32", ("rows", 1), optional=True))
    assert differences(signature(AGE), optional) == ()


def test_other_ranges_and_categories_are_remarked_and_differ_in_nothing():
    low = signature(Tensor("age", "FP32", ("rows", 1), low=18, high=90))
    named = signature(Tensor("age", "FP32", ("rows", 1), categories=("a", "b")))
    assert differences(low, named) == ()
    assert remarks(low, named) == (
        "input `age`: 18 to 90 in the baseline, 2 categories in the candidate",
    )
    assert remarks(low, low) == ()


@pytest.mark.parametrize("many", [SHOWN, SHOWN + 2])
def test_many_differences_are_told_up_to_a_number_and_then_counted(many):
    baseline = signature(*(Tensor(f"x{index}", "FP32", ("n",)) for index in range(many)))
    candidate = signature(*(Tensor(f"x{index}", "INT64", ("n",)) for index in range(many)))
    told = differences(baseline, candidate)
    assert len(told) == SHOWN + (many > SHOWN)
    assert (told[-1] == "and 2 more") == (many > SHOWN)
