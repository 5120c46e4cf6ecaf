"""Rows of several requests in one array, and out again."""

import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.batching import rows_of_each, stack
from pilotage.serving.protocols.inference import Inference

SIGNATURE = Signature(
    (
        Tensor("x", "FP32", ("rows", 2)),
        Tensor("s", "BYTES", ("rows",)),
        Tensor("z", "BF16", ("rows", "n"), optional=True),
    ),
    (Tensor("y", "FP32", ("rows", 2)),),
)


def inference_of(*rows: tuple[float, float], z: bool = True) -> Inference:
    count = len(rows)
    texts = [str(row[0]).encode() + "€".encode() for row in rows]
    return Inference(
        (np.array(rows, "<f4").tobytes(), texts, bytes(6 * count) if z else None),
        ((count, 2), (count,), (count, 3) if z else ()),
        count,
    )


def test_rows_of_several_requests_are_stacked_in_order():
    x, s, z = stack([inference_of((1, 2)), inference_of((3, 4), (5, 6))], SIGNATURE)
    assert x.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert (x.dtype, z.dtype, z.shape) == (np.float32, np.uint16, (3, 3))
    assert s.tolist() == ["1€", "3€", "5€"]
    assert all(type(text) is str for text in s)


def test_strings_stay_bytes_for_an_engine_that_takes_bytes():
    _, s, _ = stack([inference_of((1, 2))], SIGNATURE, bytes_are_text=False)
    assert s.tolist() == ["1€".encode()]


def test_an_input_that_was_left_out_is_none():
    assert stack([inference_of((1, 2), z=False)], SIGNATURE)[2] is None


def test_a_model_without_a_row_axis_gets_the_shapes_of_its_one_request():
    signature = Signature((Tensor("x", "INT16", ("n", 2)),), (Tensor("y", "FP32", ()),))
    (x,) = stack([Inference((bytes(8),), ((2, 2),), 0)], signature)
    assert (x.shape, x.dtype) == ((2, 2), np.int16)


def test_each_request_gets_its_own_rows_back():
    inferences = [inference_of((1, 2)), inference_of((3, 4), (5, 6)), inference_of((7, 8))]
    outputs = [np.arange(8).reshape(4, 2), np.arange(4)]
    cuts = rows_of_each(outputs, inferences)
    assert [cut[1].tolist() for cut in cuts] == [[0], [1, 2], [3]]
    assert cuts[1][0].tolist() == [[2, 3], [4, 5]]


def test_one_request_gets_the_outputs_whole():
    outputs = [np.float32(3).reshape(())]
    assert rows_of_each(outputs, [Inference((b"",), ((),), 0)]) == [(outputs[0],)]
