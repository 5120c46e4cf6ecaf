"""The tensor datatypes of the Open Inference Protocol v2, one row each.

Source: the protocol's "Tensor Data Types" table; BF16 comes from its Triton extension.
"""

from typing import Final

from msgspec import Struct


class Datatype(Struct, frozen=True):
    """One tensor datatype.

    Attributes:
        name: the protocol's word ("FP32").
        bytes_each: bytes of one element; 0 for BYTES, whose elements bring their own length.
        numpy: the NumPy dtype that holds it; BF16 is held as its raw 16 bits in "uint16".
        code: the `struct` format character; empty where `struct` has none.
        kind: "bool", "int", "float" or "bytes": what a JSON value must look like.
        low, high: the smallest and largest value of an integer type; 0 for the others.
    """

    name: str
    bytes_each: int
    numpy: str
    code: str
    kind: str
    low: int = 0
    high: int = 0


def _integer(name: str, bytes_each: int, numpy: str, code: str, *, signed: bool) -> Datatype:
    bits = 8 * bytes_each
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return Datatype(name, bytes_each, numpy, code, "int", low, high)


DATATYPES: Final[dict[str, Datatype]] = {
    datatype.name: datatype
    for datatype in (
        Datatype("BOOL", 1, "bool", "?", "bool"),
        _integer("UINT8", 1, "uint8", "B", signed=False),
        _integer("UINT16", 2, "uint16", "H", signed=False),
        _integer("UINT32", 4, "uint32", "I", signed=False),
        _integer("UINT64", 8, "uint64", "Q", signed=False),
        _integer("INT8", 1, "int8", "b", signed=True),
        _integer("INT16", 2, "int16", "h", signed=True),
        _integer("INT32", 4, "int32", "i", signed=True),
        _integer("INT64", 8, "int64", "q", signed=True),
        Datatype("FP16", 2, "float16", "e", "float"),
        Datatype("FP32", 4, "float32", "f", "float"),
        Datatype("FP64", 8, "float64", "d", "float"),
        Datatype("BF16", 2, "uint16", "", "float"),
        Datatype("BYTES", 0, "object", "", "bytes"),
    )
}
