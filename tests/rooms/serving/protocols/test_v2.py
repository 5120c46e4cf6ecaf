"""The codec agrees with a plain reading of the protocol, and with the clients people use."""

import json

import ml_dtypes
import numpy as np
import pytest
import tritonclient.http as triton
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.utils import triton_to_np_dtype

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.batching import stack
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal
from rooms.serving.protocols import plain
from rooms.serving.protocols.requests import (
    binary_of,
    body_of,
    one_input,
    requests,
    signatures,
    tensor,
)

ID = b"0123456789abcdef" * 2
VALUES = {
    "BOOL": [True, False, True],
    "FP16": [0.5, -65504.0, 0.0999755859375],
    "FP32": [0.5, -3.4028234663852886e38, 0.10000000149011612],
    "FP64": [0.1, -1.7976931348623157e308, 5e-324],
    "BF16": [0.5, -3.3895313892515355e38, 0.10009765625],
    "BYTES": ["", "null", "zwölf €\n"],
    **{
        name: [datatype.low, datatype.high, 1]
        for name, datatype in DATATYPES.items()
        if datatype.kind == "int"
    },
}
IN_NUMPY = {"BF16": ml_dtypes.bfloat16, "BYTES": object}


def array_of(datatype: str, values: list) -> np.ndarray:
    array = np.array(values, IN_NUMPY.get(datatype, DATATYPES[datatype].numpy))
    return array.view(np.uint16) if datatype == "BF16" else array


def echoing(datatype: str) -> Signature:
    """A model whose output is its input."""
    return Signature((Tensor("x", datatype, ("rows", 3)),), (Tensor("y", datatype, ("rows", 3)),))


def codec_of(signature: Signature, **limits: int) -> Codec:
    return Codec("model", "7", signature, Limits(**limits))


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
@pytest.mark.parametrize("rows", [1, 2, 200])
@pytest.mark.parametrize("nested", [False, True])
def test_every_datatype_goes_through_json_and_back(datatype: str, rows: int, nested: bool):
    values = [VALUES[datatype]] * rows
    data = values if nested else [value for row in values for value in row]
    codec = codec_of(echoing(datatype))

    inference = codec.decode(body_of(tensor("x", datatype, (rows, 3), data)), None)
    (array,) = stack([inference], echoing(datatype))

    np.testing.assert_array_equal(array, array_of(datatype, values))
    ((body, json_bytes),) = codec.encode([array], [inference], [ID])
    assert json_bytes is None
    answer = json.loads(body)["outputs"][0]
    assert (answer["shape"], answer["datatype"]) == ([rows, 3], datatype)
    again = np.array(answer["data"], object).reshape(rows, 3)
    np.testing.assert_array_equal(array_of(datatype, again.tolist()), array)


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_goes_through_binary_and_back(datatype: str):
    array = array_of(datatype, [VALUES[datatype]] * 2)
    data = binary_of(VALUES["BYTES"] * 2, "BYTES") if datatype == "BYTES" else array.tobytes()
    codec = codec_of(echoing(datatype))
    given_tensor = tensor("x", datatype, (2, 3), parameters={"binary_data_size": len(data)})
    del given_tensor["data"]
    head = body_of(given_tensor, parameters={"binary_data_output": True})

    inference = codec.decode(head + data, len(head))
    (stacked,) = stack([inference], echoing(datatype))

    np.testing.assert_array_equal(stacked, array)
    ((body, json_bytes),) = codec.encode([stacked], [inference], [ID])
    assert body[json_bytes:] == data
    answer = json.loads(body[:json_bytes])["outputs"][0]
    assert answer["parameters"] == {"binary_data_size": len(data)}


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.data())
def test_the_codec_reads_what_a_plain_reading_reads_and_refuses_the_rest(data: st.DataObject):
    signature = data.draw(signatures())
    body, json_bytes = data.draw(requests(signature))
    codec = codec_of(signature)
    try:
        expected = plain.read(body, json_bytes, signature, Limits())
    except plain.No:
        with pytest.raises(Refusal) as refused:
            codec.decode(body, json_bytes)
        assert (refused.value.status, refused.value.reason) == (400, "invalid")
        return
    inference = codec.decode(body, json_bytes)
    got = (inference.buffers, inference.shapes, inference.rows)
    assert (*got, inference.wanted, inference.client_id) == expected


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.data(), st.sampled_from(["FP32", "FP16", "BF16", "INT8", "UINT64", "INT64", "FP64"]))
def test_a_long_body_is_read_as_a_short_one_is(data: st.DataObject, datatype: str):
    signature = one_input(datatype, 1000)
    seed = data.draw(st.integers(0, 9))
    numbers = np.random.default_rng(seed).normal(0, 40, 1000).clip(0, 127)
    values = numbers.astype(int).tolist() if "INT" in datatype else numbers.tolist()
    odd = st.sampled_from([None, 1.5, True, "1", [1], [], 2**63, -1, 2**70, 1e39, 1e300, "\u20ac["])
    values[data.draw(st.integers(0, 999))] = data.draw(odd | st.just(1))
    shaped = [values] if data.draw(st.booleans()) else values
    body = body_of(tensor("x", datatype, (1, 1000), shaped), id="7")
    codec = codec_of(signature)
    try:
        expected = plain.read(body, None, signature, Limits())
    except plain.No:
        with pytest.raises(Refusal):
            codec.decode(body, None)
    else:
        inference = codec.decode(body, None)
        assert (inference.buffers, inference.client_id) == (expected[0], "7")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_bfloat16_is_rounded_once_from_the_number_as_sent(value: float):
    codec = codec_of(echoing("BF16"))
    body = body_of(tensor("x", "BF16", (1, 3), [value, value, value]))
    try:
        expected = plain.nearest_bfloat16(value) * 3
    except plain.No:
        with pytest.raises(Refusal, match="out of the range of BF16"):
            codec.decode(body, None)
    else:
        assert codec.decode(body, None).buffers == (expected,)


def test_a_body_of_more_than_a_mebibyte_is_read_as_any_other():
    codec = codec_of(one_input(width=200_000))
    body = body_of(tensor(shape=(1, 200_000), data=[0.125] * 200_000))
    assert len(body) > 2**20
    for _ in range(2):
        (data,) = codec.decode(body, None).buffers
        assert data == np.full(200_000, 0.125, "<f4").tobytes()


def test_a_double_just_above_a_tie_of_bfloat16_is_not_rounded_twice():
    codec = codec_of(echoing("BF16"))
    body = body_of(tensor("x", "BF16", (1, 3), [1 + 2**-8 + 2**-40, 1 + 2**-8, 1 + 3 * 2**-8]))
    (data,) = codec.decode(body, None).buffers
    assert np.frombuffer(data, ml_dtypes.bfloat16).tolist() == [1.0078125, 1.0, 1.015625]


# --- tritonclient ------------------------------------------------------------------------------


def triton_input(datatype: str, values: list, *, binary: bool) -> triton.InferInput:
    if datatype == "BYTES":
        array = np.array([[value.encode() for value in values]], object)
    else:
        array = np.array([values], triton_to_np_dtype(datatype))
    given_input = triton.InferInput("x", [1, 3], datatype)
    given_input.set_data_from_numpy(array, binary_data=binary)
    return given_input


@pytest.mark.parametrize("datatype", sorted(set(DATATYPES) - {"BF16", "FP16"}))
@pytest.mark.parametrize("binary", [False, True])
def test_bodies_of_tritonclient_are_read_and_it_reads_ours(datatype: str, binary: bool):
    sent = triton_input(datatype, VALUES[datatype], binary=binary)
    wanted = [triton.InferRequestedOutput("y", binary_data=binary)]
    body, json_bytes = triton.InferenceServerClient.generate_request_body(
        [sent], outputs=wanted, request_id="mine"
    )
    codec = codec_of(echoing(datatype))

    inference = codec.decode(body, json_bytes)
    (array,) = stack([inference], echoing(datatype))
    ((answer, answer_json_bytes),) = codec.encode([array], [inference], [ID])

    assert (answer_json_bytes is not None) == binary
    result = triton.InferenceServerClient.parse_response_body(
        answer, header_length=answer_json_bytes
    )
    response = result.get_response()
    assert (response["id"], response["parameters"]["pilotage_prediction_id"]) == (
        "mine",
        ID.decode(),
    )
    got = result.as_numpy("y")
    if datatype == "BYTES":
        got = np.array([[v.decode() if isinstance(v, bytes) else v for v in got[0]]], object)
    np.testing.assert_array_equal(got, array_of(datatype, [VALUES[datatype]]))


@pytest.mark.parametrize("datatype", ["BF16", "FP16"])
def test_short_floats_of_tritonclient_are_read_as_binary(datatype: str):
    sent = triton_input(datatype, [0.5, 1.0, 2.0], binary=True)
    body, json_bytes = triton.InferenceServerClient.generate_request_body([sent])
    codec = codec_of(echoing(datatype))
    inference = codec.decode(body, json_bytes)
    assert inference.wanted == ((0, True),)
    ((answer, header_length),) = codec.encode(
        stack([inference], echoing(datatype)), [inference], [ID]
    )
    result = triton.InferenceServerClient.parse_response_body(answer, header_length=header_length)
    assert result.as_numpy("y").astype(float).tolist() == [[0.5, 1.0, 2.0]]


def test_members_that_kserve_sends_are_passed_over():
    codec = codec_of(one_input())
    body = body_of(tensor(), id="a", model_name="m", model_version="1", surprise={"a": [1]})
    assert codec.decode(body, None).client_id == "a"
