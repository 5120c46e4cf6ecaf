"""Values that go missing and noise on numbers, by datatype."""

import numpy as np
import pytest

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor
from pilotage.evaluation.data.casting import from_bf16
from pilotage.evaluation.perturbation.perturbed_inputs import Target, perturb

ROWS = 20_000


def _perturbed(array, datatype: str, *, first_row=0, seed=(1, 0), **target):
    signature = Signature((Tensor("x", datatype, ("n", 2)),), ())
    (made,) = perturb([array], signature, [Target(0, **target)], first_row=first_row, seed=seed)
    return made


def test_the_stated_share_of_floats_becomes_nan():
    made = _perturbed(np.ones((ROWS, 2), np.float32), "FP32", missing=0.05)
    assert made.dtype == np.float32
    assert abs(np.isnan(made).mean() - 0.05) < 0.005
    assert (made[~np.isnan(made)] == 1).all()


def test_texts_become_empty():
    made = _perturbed(np.full((ROWS, 2), "a", object), "BYTES", missing=0.5)
    assert set(made.ravel().tolist()) == {"a", ""}


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16"])
def test_noise_has_the_stated_deviation(datatype):
    array = np.zeros((ROWS, 2), DATATYPES[datatype].numpy)
    made = _perturbed(array, datatype, noise=np.array([0.5, 2.0]))
    np.testing.assert_allclose(made.astype(float).std(axis=0), [0.5, 2.0], rtol=0.03)
    assert np.abs(made.astype(float).mean(axis=0)).max() < 0.05


def test_bf16_is_changed_as_the_number_that_its_bits_are():
    one = np.full((ROWS, 2), 0x3F80, np.uint16)
    made = from_bf16(_perturbed(one, "BF16", noise=np.array([0.5]), missing=0.1))
    assert abs(np.isnan(made).mean() - 0.1) < 0.01
    assert abs(np.nanmean(made) - 1) < 0.02
    assert abs(np.nanstd(made) - 0.5) < 0.02


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", [n for n, d in DATATYPES.items() if d.kind == "int"])
def test_noise_keeps_whole_numbers_inside_their_type(name, end):
    datatype = DATATYPES[name]
    edge = getattr(datatype, end)
    made = _perturbed(np.full((2000, 2), edge, datatype.numpy), name, noise=np.array([3.0]))
    moved = {int(value) - edge for value in made.ravel()}
    assert 0 in moved
    assert moved - {0}
    assert all(0 <= step <= 20 if end == "low" else -20 <= step <= 0 for step in moved)


def test_noise_on_whole_numbers_is_rounded_and_centred():
    made = _perturbed(np.full((ROWS, 2), -50, np.int16), "INT16", noise=np.array([4.0]))
    assert made.dtype == np.int16
    assert abs(made.mean() + 50) < 0.15
    assert abs(made.std() - 4) < 0.1


def test_noise_does_not_make_a_float_infinite():
    largest = np.full((100, 2), np.finfo(np.float16).max, np.float16)
    assert np.isfinite(_perturbed(largest, "FP16", noise=np.array([9000.0]))).all()


def test_only_the_positions_that_are_meant_change():
    array = np.zeros((500, 3), np.float32)
    made = _perturbed(array, "FP32", positions=(1,), missing=0.5, noise=np.ones(3))
    assert not made[:, [0, 2]].any()
    assert np.isnan(made[:, 1]).any()
    assert not array.any()


def test_a_row_is_changed_the_same_whatever_batch_it_is_in():
    array = np.zeros((300, 2), np.float32)
    whole = _perturbed(array, "FP32", missing=0.2, noise=np.ones(1))
    parts = [
        _perturbed(array[start:stop], "FP32", first_row=start, missing=0.2, noise=np.ones(1))
        for start, stop in ((0, 7), (7, 8), (8, 300))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    again = _perturbed(array, "FP32", seed=(1, 1), missing=0.2, noise=np.ones(1))
    assert not np.array_equal(again, whole, equal_nan=True)


def test_an_input_that_is_left_out_stays_so():
    signature = Signature((Tensor("x", "FP32", ("n",), optional=True),), ())
    assert perturb([None], signature, [Target(0, missing=0.5)], first_row=0, seed=(1,)) == [None]
