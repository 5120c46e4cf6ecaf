"""Whether an answer could be given is told as the encoder itself would find out."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal

BF16 = {1.0: 0x3F80, math.nan: 0x7FC0, math.inf: 0x7F80, -math.inf: 0xFF80}
NUMBERS = [1.0, math.nan, math.inf, -math.inf]
TEXTS = ["a", b"b", b"\xff", "\ud800"]


def values_of(datatype: str, rows: int, chance: np.random.Generator) -> Any:
    kind = DATATYPES[datatype].kind
    if kind == "bytes":
        array = np.empty((rows, 1), object)
        array[:, 0] = [TEXTS[at] for at in chance.choice(4, rows, p=[0.5, 0.3, 0.1, 0.1])]
        return array
    picked = [NUMBERS[at] for at in chance.choice(4, (rows * 2), p=[0.85, 0.05, 0.05, 0.05])]
    if datatype == "BF16":
        picked = [BF16[each] if not math.isnan(each) else 0x7FC0 for each in picked]
    elif kind != "float":
        picked = [1 for _ in picked]
    return np.array(picked, DATATYPES[datatype].numpy).reshape(rows, 2)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    datatypes=st.lists(
        st.sampled_from(["FP32", "FP16", "FP64", "BF16", "INT64", "BOOL", "BYTES"]),
        min_size=1,
        max_size=3,
    ),
    rows=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    wanted=st.sampled_from([None, ((0, True),), ((0, False),)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_told_is_what_the_encoder_does(
    datatypes: list[str], rows: list[int], wanted: Any, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    tensors = tuple(Tensor(f"y{at}", each, ("n", 2)) for at, each in enumerate(datatypes))
    codec = Codec("m", "v", Signature((Tensor("x", "FP32", ("n", 1)),), tensors), Limits())
    outputs = [values_of(each, sum(rows), chance) for each in datatypes]
    if wanted == ((0, True),) and datatypes[0] == "BYTES":
        wanted = None  # bytes as bytes: every element goes
    inferences = [Inference((b"",), ((each, 1),), each, wanted=wanted) for each in rows]
    answers = codec.encode(outputs, inferences, [b"0" * 32] * len(rows))
    could = codec.could_encode(outputs, inferences)
    assert could == [not isinstance(each, Refusal) for each in answers]


@pytest.mark.parametrize(
    ("outputs", "could"),
    [
        ([np.zeros((2,), np.float32)], True),
        ([np.array([math.nan, 0.0], np.float32)], False),
        ([np.zeros((2,), np.float64)], False),
        ([], False),
    ],
)
def test_without_a_row_axis_the_whole_is_one_answer(outputs: list[Any], could: bool) -> None:
    signature = Signature((Tensor("x", "FP32", (1,)),), (Tensor("y", "FP32", (2,)),))
    codec = Codec("m", "v", signature, Limits())
    assert codec.could_encode(outputs, [Inference((b"",), ((1,),), 0)]) == [could]
