"""JSON that would become many times its size is refused before it does."""

import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols import v2_bounds
from pilotage.serving.protocols.generate import GenerateCodec
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal
from rooms.serving.protocols.requests import body_of, one_input, tensor

BODY_BYTES = 4 * 1024 * 1024
TIMES = 4
"""How many times its own size a body may take beside itself, before it is refused."""

HEAD = '{"inputs":[{"name":"x","shape":[1,3],"datatype":"%s","data":['
TAIL = "]}]}"


def repeated(before: str, item: str, after: str) -> bytes:
    count = (BODY_BYTES - len(before) - len(after)) // (len(item) + 1)
    return (before + ",".join([item] * count) + after).encode()


def numbered(before: str, item: str, after: str) -> bytes:
    count = BODY_BYTES // (len(item) + 5)
    return (before + ",".join(item % number for number in range(count)) + after).encode()


SWELLING = [
    ("BYTES", repeated(HEAD % "BYTES", '"a"', TAIL)),
    ("BYTES", repeated(HEAD % "BYTES", '"\\""', TAIL)),
    ("BYTES", repeated(HEAD % "BYTES", "[]", TAIL)),
    ("BYTES", repeated(HEAD % "BYTES" + '["a","b","c"],', "[]", TAIL)),
    ("FP32", repeated(HEAD % "FP32", "1", TAIL)),
    ("FP32", repeated('{"parameters":{"a":[', "{}", ']},"inputs":[]}')),
    ("FP32", repeated('{"parameters":{"a":[', "[]", ']},"inputs":[]}')),
    ("FP32", numbered('{"parameters":{', '"%d":1', '},"inputs":[]}')),
    ("FP32", repeated('{"outputs":[', '{"name":""}', '],"inputs":[]}')),
    ("FP32", repeated('{"inputs":[', '{"name":"","shape":[],"datatype":""}', "]}")),
    (
        "FP32",
        repeated('{"inputs":[{"name":"x","datatype":"FP32","shape":[', "999", '],"data":[]}]}'),
    ),
    ("FP32", repeated('{"other":[', "[]", "]}")),
]


@pytest.mark.parametrize(("datatype", "body"), SWELLING)
def test_a_body_that_would_swell_is_refused_in_bounded_memory(datatype: str, body: bytes):
    codec = Codec("m", "1", one_input(datatype), Limits())
    assert peak_bytes(lambda: codec.decode(body, None)) < TIMES * len(body)


@pytest.mark.parametrize(
    ("datatype", "body"),
    [
        ("BYTES", repeated('{"x":[', '"a"', "]}")),
        ("FP32", repeated('{"x":[', "1", "]}")),
        ("FP32", repeated('{"x":[1,2,3],"more":[', "[]", "]}")),
        ("FP32", numbered('{"x":[1,2,3],', '"%d":1', "}")),
    ],
)
def test_a_prompt_that_would_swell_is_refused_in_bounded_memory(datatype: str, body: bytes):
    codec = GenerateCodec("m", "1", one_input(datatype), Limits())
    assert peak_bytes(lambda: codec.decode(body)) < TIMES * len(body)


def peak_bytes(decode: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refused:
            decode()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert refused.value.status == 400


@pytest.mark.timeout(10)
def test_a_shape_of_a_million_lengths_is_refused_without_their_product():
    codec = Codec("m", "1", one_input(), Limits())
    body = body_of(tensor(shape=[999] * 1_000_000, data=[1.0] * 3))
    with pytest.raises(Refusal):
        codec.decode(body, None)


def test_json_beside_the_data_up_to_its_limit_is_served_and_one_byte_more_is_refused():
    codec = Codec("m", "1", one_input("BYTES"), Limits())
    data = ["a", "b", "c" * v2_bounds.BESIDE_BYTES]
    bare = len(body_of(tensor(datatype="BYTES", data=data), other="")) - len(data[2]) - 14
    room = v2_bounds.BESIDE_BYTES - bare
    codec.decode(body_of(tensor(datatype="BYTES", data=data), other="o" * room), None)
    with pytest.raises(Refusal, match="beside the data"):
        codec.decode(body_of(tensor(datatype="BYTES", data=data), other="o" * (room + 1)), None)


def test_members_up_to_their_limit_are_passed_and_one_more_is_refused():
    long = '"%s":1' % ("m" * v2_bounds.BESIDE_BYTES)
    members = [f'"{number}":"{{:,"' for number in range(v2_bounds.MEMBERS - 1)]
    v2_bounds.check_members(("{" + ",".join([long, *members]) + "}").encode())
    with pytest.raises(Refusal, match="too many members"):
        v2_bounds.check_members(("{" + ",".join([long, *members, '"x":1']) + "}").encode())


def test_elements_of_bytes_up_to_their_limit_are_served_and_one_more_is_refused():
    free = Signature(
        (Tensor("x", "BYTES", ("rows", "length")),), (Tensor("y", "FP32", ("rows", 2)),)
    )
    codec = Codec("m", "1", free, Limits(bytes_elements=5))
    codec.decode(body_of(tensor(datatype="BYTES", shape=[1, 5], data=["a"] * 5)), None)
    with pytest.raises(Refusal, match="BYTES may have"):
        codec.decode(body_of(tensor(datatype="BYTES", shape=[1, 6], data=["a"] * 6)), None)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.recursive(st.text('"\\[]{}:,ab') | st.integers(), st.lists, max_leaves=20))
def test_strings_are_counted_and_left_out_as_json_reads_them(value: object):
    text = json.dumps(value).encode()
    assert v2_bounds.strings_in(text) == strings(value)
    assert b'"' not in v2_bounds.without_strings(text)
    assert v2_bounds.without_strings(text).count(b"[") == lists(value)


def strings(value: object) -> int:
    if isinstance(value, list):
        return sum(map(strings, value))
    return isinstance(value, str)


def lists(value: object) -> int:
    return 1 + sum(map(lists, value)) if isinstance(value, list) else 0


def test_a_string_over_the_seam_of_two_pieces_is_left_out():
    text = b"[" * ((1 << 20) - 2) + b'"[[[","]",' + b"1]"
    assert v2_bounds.without_strings(text) == b"[" * ((1 << 20) - 2) + b",,1]"
