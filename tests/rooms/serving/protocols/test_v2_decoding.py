"""Every refusal names the field, what was expected and what came, and never a value."""

import json
import struct

import numpy as np
import pytest

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal
from rooms.serving.protocols.requests import body_of, one_input, tensor

SECRET = "hunter2"
TWO = Signature(
    (
        Tensor("a", "FP32", ("rows", "n")),
        Tensor("b", "INT64", ("rows", "n")),
        Tensor("c", "BOOL", ("rows",), optional=True),
    ),
    (Tensor("y", "FP32", ("rows", 2)),),
)
TEXT = Signature((Tensor("s", "BYTES", ("rows",)),), (Tensor("y", "FP32", ("rows", 2)),))


def refusal_of(
    body: bytes, json_bytes: int | None = None, signature: Signature | None = None, **limits: int
) -> Refusal:
    """The refusal of a body; what it says must hold no content of the body."""
    codec = Codec("m", "1", signature or one_input(), Limits(**limits))
    with pytest.raises(Refusal) as refused:
        codec.decode(body, json_bytes)
    refusal = refused.value
    said = f"{refusal.what} {refusal.where} {refusal.expected} {refusal.came} {refusal.fix}"
    assert SECRET not in said
    assert len(said) < 1000
    assert (refusal.status, refusal.reason, refusal.close) == (400, "invalid", False)
    return refusal


def without(member: str) -> dict:
    return {name: value for name, value in tensor().items() if name != member}


JSON_REFUSALS = [
    # body, where, expected, came
    (b"", "body", "", ""),
    (b"[]", "body", "an object", "an array"),
    (b"{}", "inputs", "", ""),
    (b'{"inputs": [', "body", "", ""),
    (b'{"inputs": [}', "body byte 12", "", ""),
    (b'{"inputs": [], "id": "\xff"}', "body byte 22", "", ""),
    (b'{"inputs": []} x', "body byte 15", "", ""),
    (b'{"inputs": 3}', "inputs", "an array", "an integer"),
    (body_of(), "inputs", "x", ""),
    (body_of(3), "inputs[0]", "an object", "an integer"),
    (body_of(without("name")), "inputs[0].name", "", ""),
    (body_of(without("shape")), "inputs[0].shape", "", ""),
    (body_of(without("datatype")), "inputs[0].datatype", "", ""),
    (body_of(without("data")), "inputs[0].data", "an array", ""),
    (body_of(tensor(SECRET)), "inputs[0].name", "one of x", ""),
    (body_of(tensor(), tensor()), "inputs[1].name", "", ""),
    (body_of(tensor(datatype="FP64")), "inputs[0].datatype", "FP32", "FP64"),
    (body_of(tensor(datatype=SECRET)), "inputs[0].datatype", "FP32", "a word that is no datatype"),
    (body_of(tensor(shape=[3])), "inputs[0].shape", "2 axes as in [rows,3]", "1 axes"),
    (body_of(tensor(shape=[1, 4])), "inputs[0].shape[1]", "3", "[1,4]"),
    (
        body_of(tensor(shape=[-1, 3])),
        "inputs[0].shape[0]",
        "the length that the data has",
        "[-1,3]",
    ),
    (body_of(tensor(shape=[1.0, 3])), "inputs[0].shape[0]", "an integer", "a number"),
    (body_of(tensor(shape=[True, 3])), "inputs[0].shape[0]", "an integer", "a boolean"),
    (body_of(tensor(shape=[0, 3], data=[])), "inputs[0].shape[0]", "1 to 8192 rows", "0 rows"),
    (body_of(tensor(shape=[2, 3])), "inputs[0].data", "6 elements for shape [2,3]", "3 elements"),
    (body_of(tensor(data=[1, 2])), "inputs[0].data", "3 elements for shape [1,3]", "2 elements"),
    (body_of(tensor(data=[1, SECRET, 3])), "inputs[0].data[1]", "a number for FP32", "a string"),
    (body_of(tensor(data=[1, True, 3])), "inputs[0].data[1]", "a number for FP32", "a boolean"),
    (body_of(tensor(data=[1, None, 3])), "inputs[0].data[1]", "a number for FP32", "null"),
    (
        body_of(tensor(data=[1, 2, 1e39])),
        "inputs[0].data[2]",
        "a number within the range of FP32",
        "",
    ),
    (body_of(tensor(data=[1, 2, 10**400])), "inputs[0].data[2]", "a number for FP32", ""),
    (
        body_of(tensor(data=[[1, 2]])),
        "inputs[0].data",
        "arrays of 3 on axis 1 of [1,3]",
        "an array of 2",
    ),
    (
        body_of(tensor(data=[[1, 2, [3]]])),
        "inputs[0].data, element 2 in row-major order",
        "a number for FP32",
        "an array",
    ),
    (body_of({**tensor(), "data": 1.5}), "inputs[0].data", "an array", ""),
    (body_of(tensor(), id=3), "id", "a string or null", "an integer"),
    (body_of(tensor(), parameters=3), "parameters", "an object or null", "an integer"),
    (
        body_of(tensor(), parameters={"binary_data_output": 1}),
        "parameters.binary_data_output",
        "true or false",
        "an integer",
    ),
    (body_of(tensor(), outputs=[{"name": SECRET}]), "outputs[0].name", "one of y, label", ""),
    (body_of(tensor(), outputs=[{"name": "y"}, {"name": "y"}]), "outputs[1].name", "", ""),
    (
        body_of(tensor(), outputs=[{"name": "y", "parameters": {"classification": 3}}]),
        "outputs[0].parameters.classification",
        "",
        "",
    ),
    (
        body_of(tensor(parameters={"shared_memory_region": "r"})),
        "inputs[0].parameters.shared_memory_region",
        "",
        "",
    ),
]


@pytest.mark.parametrize(("body", "where", "expected", "came"), JSON_REFUSALS)
def test_what_is_wrong_in_json_is_named(body: bytes, where: str, expected: str, came: str):
    refusal = refusal_of(body)
    assert (refusal.where, refusal.expected, refusal.came) == (where, expected, came)


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("count", [3, 3000])
def test_numbers_that_json_does_not_have_are_refused_by_name(literal: bytes, count: int):
    body = body_of(tensor(shape=(1, count), data=[0] * count))
    at = body.rindex(b"0")
    refusal = refusal_of(body[:at] + literal + body[at + 1 :], signature=one_input(width=count))
    assert refusal.what == "JSON has no NaN and no infinity"
    assert "binary" in refusal.fix


@pytest.mark.parametrize("datatype", ["INT8", "UINT8", "INT32", "INT64", "UINT64"])
@pytest.mark.parametrize("count", [3, 3000])
@pytest.mark.parametrize("value", [1.5, 2.0, 1e3, True, 2**64, -(2**63) - 1])
def test_an_integer_is_never_truncated_or_wrapped(datatype: str, count: int, value: object):
    body = body_of(tensor("x", datatype, (1, count), [0] * (count - 1) + [value]))
    refusal = refusal_of(body, signature=one_input(datatype, count))
    assert refusal.where == f"inputs[0].data[{count - 1}]"
    assert "integer" in refusal.expected


@pytest.mark.parametrize("datatype", [name for name in DATATYPES if "INT" in name])
@pytest.mark.parametrize("count", [3, 3000])
def test_the_ends_of_an_integer_range_are_held_and_the_next_numbers_are_refused(
    datatype: str, count: int
):
    low, high = DATATYPES[datatype].low, DATATYPES[datatype].high
    codec = Codec("m", "1", one_input(datatype, count), Limits())
    ends = [low, high] * (count // 2) + [0] * (count % 2)
    codec.decode(body_of(tensor("x", datatype, (1, count), ends)), None)
    for beyond in (low - 1, high + 1):
        data = [0] * (count - 1) + [beyond]
        body = body_of(tensor("x", datatype, (1, count), data))
        refusal = refusal_of(body, signature=one_input(datatype, count))
        assert refusal.where == f"inputs[0].data[{count - 1}]"
        assert refusal.expected == f"an integer from {low} to {high}"


@pytest.mark.parametrize("width", [3, 3000])
def test_rows_of_unequal_length_are_refused_even_where_their_sum_is_right(width: int):
    rows = [[0] * (width - 1), [0] * (width + 1)]
    refusal = refusal_of(
        body_of(tensor(shape=(2, width), data=rows)), signature=one_input(width=width)
    )
    assert (refusal.where, refusal.came) == ("inputs[0].data", f"an array of {width - 1}")


@pytest.mark.parametrize("width", [3, 3000])
def test_of_members_of_the_same_name_the_last_one_counts(width: int):
    first = json.dumps(tensor(shape=(1, width), data=[1] * width))
    codec = Codec("m", "1", one_input(width=width), Limits())
    last = first[:-1] + f', "data": {[2] * width}' + "}"
    for body in (
        f'{{"inputs": [{last}]}}',
        f'{{"inputs": [{first}], "id": "a", "id": "b", "inputs": [{last}]}}',
    ):
        (data,) = codec.decode(body.encode(), None).buffers
        assert data == struct.pack("<f", 2) * width


def test_a_number_is_no_boolean():
    refusal = refusal_of(body_of(tensor(datatype="BOOL")), signature=one_input("BOOL"))
    assert (refusal.expected, refusal.came) == ("true or false for BOOL", "an integer")


@pytest.mark.parametrize(
    ("inputs", "where", "what"),
    [
        (["a"], "inputs", "input b is missing"),
        (["a", ("b", (2, 3))], "inputs[1].shape[0]", "two axes named rows"),
        (["a", ("b", (1, 2))], "inputs[1].shape[1]", "two axes named n"),
        (["a", "b", "b"], "inputs[2].name", "input b comes twice"),
    ],
)
def test_inputs_of_one_request_must_fit_each_other(inputs: list, where: str, what: str):
    items = []
    for each in inputs:
        name, shape = each if isinstance(each, tuple) else (each, (1, 3))
        count = shape[0] * shape[1]
        items.append(tensor(name, "FP32" if name == "a" else "INT64", shape, [1] * count))
    refusal = refusal_of(body_of(*items), signature=TWO)
    assert refusal.where == where
    assert refusal.what.startswith(what)


def test_an_optional_input_may_be_left_out_and_keeps_requests_apart():
    codec = Codec("m", "1", TWO, Limits())
    items = [tensor("b", "INT64"), tensor("a")]
    left_out = codec.decode(body_of(*items), None)
    given = codec.decode(body_of(*items, tensor("c", "BOOL", (1,), [True])), None)
    assert (left_out.buffers[2], left_out.shapes[2]) == (None, ())
    assert (left_out.group, given.group) == (((3,), (3,), None), ((3,), (3,), ()))


def test_a_shape_whose_product_no_body_could_carry_is_refused():
    free = Signature((Tensor("x", "FP32", ("n", "m", "k")),), (Tensor("y", "FP32", (2,)),))
    for shape in ((2**40, 2**40, 0), (2**62, 4, 1), (10**30, 1, 1)):
        refusal = refusal_of(body_of(tensor("x", "FP32", shape, [])), signature=free)
        assert refusal.where in ("inputs[0].shape", "inputs[0].shape[0]")


@pytest.mark.parametrize("data", [[[]] * 5000, [0] * 5000, [[0, 1]] * 5000])
def test_data_far_longer_than_its_shape_is_refused_before_it_is_read(data: list):
    refusal = refusal_of(body_of(tensor(data=data)))
    assert (refusal.what, refusal.where) == ("the data disagrees with the shape", "inputs[0].data")


# --- limits ------------------------------------------------------------------------------------


def test_rows_up_to_request_rows_are_served_and_one_more_is_refused():
    codec = Codec("m", "1", one_input(width=1), Limits(request_rows=4))
    assert codec.decode(body_of(tensor(shape=(4, 1), data=[0] * 4)), None).rows == 4
    body = body_of(tensor(shape=(5, 1), data=[0] * 5))
    refusal = refusal_of(body, signature=one_input(width=1), request_rows=4)
    assert (refusal.expected, refusal.came) == ("1 to 4 rows", "5 rows")


def test_an_id_up_to_client_id_bytes_is_served_and_one_more_byte_is_refused():
    codec = Codec("m", "1", one_input(), Limits(client_id_bytes=6))
    assert codec.decode(body_of(tensor(), id="\u20ac\u20ac"), None).client_id == "\u20ac\u20ac"
    refusal = refusal_of(body_of(tensor(), id="\u20ac\u20acx"), client_id_bytes=6)
    assert (refusal.where, refusal.came) == ("id", "7 bytes")


def nest(levels: int) -> object:
    value: object = 0
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("count", [3, 3000])
def test_json_up_to_json_depth_is_served_and_one_level_more_is_refused(count: int):
    item = tensor(shape=(1, count), data=[0] * count)
    codec = Codec("m", "1", one_input(width=count), Limits(json_depth=8))
    assert codec.decode(body_of(item, surprise=nest(7), s="[{" * 90 + '"'), None).rows == 1
    refusal = refusal_of(
        body_of(item, surprise=nest(8)), signature=one_input(width=count), json_depth=8
    )
    assert (refusal.expected, refusal.came) == (
        "at most 8 levels of arrays and objects",
        "9 levels",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'["]]]]",' * 100_000,
        b"[" * 40 + b'"' + b'\\"' * 1_000_000,
    ],
    ids=["arrays", "objects", "strings with brackets", "a string without an end"],
)
def test_json_of_any_depth_is_refused_without_recursion_and_in_linear_time(body: bytes):
    assert refusal_of(body).what == "the JSON is nested too deeply"


# --- binary ------------------------------------------------------------------------------------


def binary(*items: dict, tail: bytes = b"", **members: object) -> tuple[bytes, int]:
    head = body_of(*items, **members)
    return head + tail, len(head)


def sized(size: object, **members: object) -> dict:
    item = tensor(**members, parameters={"binary_data_size": size})
    del item["data"]
    return item


@pytest.mark.parametrize(
    ("size", "tail", "where", "expected", "came"),
    [
        (8, 12, "size", "12 bytes for FP32 of shape [1,3]", "8 bytes"),
        (16, 16, "size", "12 bytes for FP32 of shape [1,3]", "16 bytes"),
        (12, 11, "size", "at most the 11 bytes that are left of the body", "12 bytes"),
        (2**70, 12, "size", "at most the 12 bytes that are left of the body", "more than 64"),
        (-1, 12, "size", "an integer from 0 up", ""),
        (12.0, 12, "size", "an integer from 0 up", ""),
        (True, 1, "size", "an integer from 0 up", ""),
        (12, 13, "body", "bytes by inference-header-content-length", ""),
    ],
)
def test_a_lying_binary_size_is_refused(size, tail: int, where: str, expected: str, came: str):
    body, json_bytes = binary(sized(size), tail=bytes(tail))
    refusal = refusal_of(body, json_bytes)
    assert refusal.where == {"size": "inputs[0].parameters.binary_data_size"}.get(where, where)
    assert expected in refusal.expected
    assert came in refusal.came


def test_json_longer_than_the_body_is_refused():
    refusal = refusal_of(body_of(tensor()), 10_000)
    assert refusal.where == "header inference-header-content-length"


def test_binary_data_without_its_header_is_refused():
    refusal = refusal_of(body_of(sized(12)))
    assert "inference-header-content-length" in refusal.expected


def test_an_input_with_both_kinds_of_data_is_refused():
    body, json_bytes = binary(tensor(parameters={"binary_data_size": 12}), tail=bytes(12))
    assert refusal_of(body, json_bytes).expected == "one of them"


def test_json_and_binary_inputs_are_mixed_in_one_request():
    codec = Codec("m", "1", TWO, Limits())
    numbers = np.array([4, 5, 6], "<i8").tobytes()
    body, json_bytes = binary(
        sized(24, name="b", datatype="INT64"),
        tensor("a", data=[7, 8, 9]),
        sized(1, name="c", datatype="BOOL", shape=(1,)),
        tail=numbers + b"\1",
    )
    inference = codec.decode(body, json_bytes)
    assert inference.buffers == (struct.pack("<3f", 7, 8, 9), numbers, b"\1")


def test_a_byte_of_bool_is_zero_or_one():
    body, json_bytes = binary(sized(3, datatype="BOOL"), tail=b"\0\1\2")
    refusal = refusal_of(body, json_bytes, one_input("BOOL"))
    assert refusal.what == "a byte of BOOL is neither 0 nor 1"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\1\0\0\0a\1\0\0", "the length of element 1 of BYTES goes beyond"),
        (b"\1\0\0\0a\2\0\0\0b", "the length of element 1 of BYTES goes beyond"),
        (b"\xff\xff\xff\xffa", "the length of element 0 of BYTES goes beyond"),
        (b"\1\0\0\0a", "the number of elements of BYTES disagrees"),
        (b"\0\0\0\0" * 3, "the number of elements of BYTES disagrees"),
        (b"\1\0\0\0a\1\0\0\0\xff", "element 1 of BYTES is not UTF-8"),
    ],
)
def test_elements_of_bytes_fill_their_tensor_and_are_text(data: bytes, what: str):
    item = sized(len(data), name="s", datatype="BYTES", shape=(2,))
    body, json_bytes = binary(item, tail=data)
    assert refusal_of(body, json_bytes, TEXT).what.startswith(what)


def test_a_model_that_takes_bytes_gets_bytes_that_are_no_text():
    codec = Codec("m", "1", TEXT, Limits(), bytes_are_text=False)
    item = sized(5, name="s", datatype="BYTES", shape=(1,))
    body, json_bytes = binary(item, tail=b"\1\0\0\0\xff")
    assert codec.decode(body, json_bytes).buffers == ([b"\xff"],)


def test_a_lone_surrogate_is_no_text():
    body = json.dumps({"inputs": [tensor("s", "BYTES", (1,), ["\ud800"])]}).encode()
    assert refusal_of(body, signature=TEXT).status == 400


# --- outputs asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({}, None),
        ({"outputs": []}, None),
        ({"outputs": None, "parameters": None, "id": None}, None),
        ({"outputs": [{"name": "y"}, {"name": "label"}]}, None),
        ({"outputs": [{"name": "label"}, {"name": "y"}]}, ((1, False), (0, False))),
        ({"parameters": {"binary_data_output": True}}, ((0, True), (1, True))),
        (
            {
                "outputs": [
                    {"name": "label", "parameters": {"binary_data": False}},
                    {"name": "y"},
                ],
                "parameters": {"binary_data_output": True},
            },
            ((1, False), (0, True)),
        ),
        ({"outputs": [{"name": "y", "parameters": {"binary_data": True}}]}, ((0, True),)),
    ],
)
@pytest.mark.parametrize("width", [3, 3000])
def test_outputs_are_given_in_the_order_and_the_form_asked_for(members: dict, wanted, width: int):
    codec = Codec("m", "1", one_input(width=width), Limits())
    inference = codec.decode(body_of(tensor(shape=(1, width), data=[0] * width), **members), None)
    assert inference.wanted == wanted
    assert inference.json_parameters == members.get("parameters")
