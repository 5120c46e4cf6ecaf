import math
import struct

import pytest

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.records import Payload
from pilotage.records.values import moment, text_of, values_of


@pytest.mark.parametrize("name", [name for name, each in DATATYPES.items() if each.code])
def test_elements_of_every_datatype_come_back(name):
    datatype = DATATYPES[name]
    kinds = {"bool": [True, False], "int": [datatype.low, datatype.high], "float": [0.5, -2.0]}
    values = kinds[datatype.kind]
    data = struct.pack(f"<2{datatype.code}", *values)
    assert values_of(Payload("x", name, (2,), data)) == values


def test_bf16_comes_as_the_float_it_stands_for():
    data = struct.pack("<3H", 0x3F80, 0xC000, 0x7F80)
    assert values_of(Payload("x", "BF16", (3,), data)) == [1.0, -2.0, math.inf]


def test_bytes_come_element_by_element():
    data = b"\x02\x00\x00\x00ab\x00\x00\x00\x00\x01\x00\x00\x00\xff"
    assert values_of(Payload("x", "BYTES", (3,), data)) == [b"ab", b"", b"\xff"]
    assert text_of(b"\xff") == "\\xff"


def test_what_is_not_kept_has_no_values():
    assert values_of(Payload("x", "FP32", (3,), digest=bytes(32))) is None
    assert values_of(Payload("x", "FP32", (3,))) is None


def test_a_moment_is_read_to_the_microsecond():
    assert moment(1_790_000_000_123_456_789) == "2026-09-21T14:13:20.123456Z"
