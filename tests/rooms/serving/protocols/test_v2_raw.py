"""A body without JSON is the one input of a model."""

import struct

import pytest

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal

Y = (Tensor("y", "FP32", ("rows", 2)),)


def codec_of(*inputs: Tensor) -> Codec:
    return Codec("m", "1", Signature(inputs, Y), Limits())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(("rows", 4), (1, 4)), (("rows", 2, "n"), (1, 2, 2)), (("n",), (4,)), ((2, 2), (2, 2))],
)
def test_the_shape_follows_from_the_size(shape: tuple, expected: tuple):
    body = struct.pack("<4f", 1, 2, 3, 4)
    inference = codec_of(Tensor("x", "FP32", shape)).decode(body, 0)
    assert (inference.buffers, inference.shapes) == ((body,), (expected,))
    assert inference.wanted is None


def test_a_string_comes_without_its_length():
    inference = codec_of(Tensor("s", "BYTES", ("rows", 1))).decode("zwölf".encode(), 0)
    assert (inference.buffers, inference.shapes) == ((["zwölf".encode()],), ((1, 1),))


@pytest.mark.parametrize(
    ("inputs", "body"),
    [
        ([Tensor("x", "FP32", ("rows", 4))], bytes(15)),
        ([Tensor("x", "FP32", ("rows", 4))], bytes(32)),
        ([Tensor("x", "FP32", ("rows", 2, "n"))], bytes(12)),
        ([Tensor("x", "BOOL", ("rows", 2))], b"\0\2"),
        ([Tensor("s", "BYTES", ("rows", 2))], b"ab"),
        ([Tensor("s", "BYTES", ("rows",))], b"\xff"),
        ([Tensor("x", "FP32", ("rows", 4)), Tensor("z", "FP32", ("rows", 4))], bytes(32)),
    ],
)
def test_what_is_not_one_row_of_one_input_is_refused(inputs: list, body: bytes):
    with pytest.raises(Refusal) as refused:
        codec_of(*inputs).decode(body, 0)
    assert refused.value.status == 400
