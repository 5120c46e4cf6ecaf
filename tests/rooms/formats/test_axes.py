"""Axis names: which lengths are free, which are the same, and which one is rows."""

from pilotage.contracts.signature import Signature, Tensor
from pilotage.formats import axes


def signature(inputs, outputs):
    return Signature(
        tuple(Tensor(f"i{at}", "FP32", shape) for at, shape in enumerate(inputs)),
        tuple(Tensor(f"o{at}", "FP32", shape) for at, shape in enumerate(outputs)),
    )


def test_axes_without_a_name_get_distinct_ones_and_named_ones_keep_theirs():
    assert axes.named("x", [None, 3, "seq", None, ""]) == (
        "x_axis0",
        3,
        "seq",
        "x_axis3",
        "x_axis4",
    )


def test_rows_take_the_models_own_name_else_batch():
    assert axes.with_rows(signature([("N", 2)], [("out", 3)])).batch_axis == "N"
    assert axes.with_rows(signature([("i0_axis0", 2)], [("o0_axis0", 3)])).batch_axis == "batch"
    assert axes.with_rows(signature([("unk__12", 2)], [("unk__13", 3)])).batch_axis == "batch"


def test_rows_never_take_a_name_that_another_axis_has():
    made = axes.with_rows(signature([("i0_axis0", "batch")], [("o0_axis0", 3)]))
    assert made.batch_axis == "batch_rows"


def test_without_rows_no_row_axis_is_left_and_inputs_keep_their_names():
    made = axes.without_rows(signature([("N", 2), ("N", 1)], [("N", 3)]))
    assert made.batch_axis is None
    assert [tensor.shape[0] for tensor in made.inputs] == ["N", "N"]


def test_a_first_axis_that_is_also_another_axis_carries_no_rows():
    assert not axes.may_have_rows(signature([("N", "N")], []).inputs)
    assert not axes.may_have_rows(signature([(2, "N")], []).inputs)
    assert not axes.may_have_rows(signature([()], []).inputs)
    assert axes.may_have_rows(signature([("N", "M"), ("K",)], []).inputs)


def test_an_output_that_comes_in_another_shape_than_declared_is_free_there():
    made = axes.with_observed(
        signature([("N", 2)], [("N", 5), (), ("N", 2)]), [(2, 4), (2, 3), (2, 2)]
    )
    assert [tensor.shape for tensor in made.outputs] == [
        ("N", "o0_axis1"),
        ("o1_axis0", "o1_axis1"),
        ("N", 2),
    ]
