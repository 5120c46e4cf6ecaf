"""The binary tensor extension: tensors as raw bytes behind the JSON, in both directions.

Source: "Binary Tensor Data Extension" of the Open Inference Protocol's Triton documents.
"""

import struct
from typing import Any, Final, cast

import numpy.typing as npt

from pilotage.contracts.datatypes import Datatype
from pilotage.serving.protocols.v2_refusals import invalid, shape_words
from pilotage.serving.refusals import Refusal

_LENGTH: Final = struct.Struct("<I")
_BOOLEANS: Final = b"\x00\x01"


class BinaryTail:
    """The bytes behind the JSON, handed out tensor by tensor, in the order of the JSON."""

    def __init__(self, body: bytes, start: int) -> None:
        self._body = body
        self._at = start

    def take(
        self, size: object, datatype: Datatype, shape: list[int], elements: int, where: str
    ) -> bytes | list[bytes]:
        """The next tensor, of which the request says that it has `size` bytes.

        Raises:
            Refusal: the size is no size, more than is left, or not what the shape takes.
        """
        where = f"{where}.parameters.binary_data_size"
        if type(size) is not int or size < 0:
            raise invalid("not a size", where, expected="an integer from 0 up")
        left = len(self._body) - self._at
        if size > left:
            raise invalid(
                "the binary data is longer than the body",
                where,
                expected=f"at most the {left} bytes that are left of the body",
                came=_bytes(size),
            )
        if datatype.bytes_each and size != elements * datatype.bytes_each:
            raise invalid(
                "the binary size disagrees with the shape",
                where,
                expected=f"{elements * datatype.bytes_each} bytes for {datatype.name} of shape "
                f"{shape_words(shape)}",
                came=_bytes(size),
            )
        data = self._body[self._at : self._at + size]
        self._at += size
        if datatype.kind == "bytes":
            return elements_of_bytes(data, elements, where)
        check_booleans(datatype, data, where)
        return data

    def finish(self) -> None:
        """Refuses bytes that no tensor claims."""
        left = len(self._body) - self._at
        if left:
            raise invalid(
                "the body goes on behind its last tensor",
                "body",
                expected=f"{self._at} bytes by inference-header-content-length and "
                "binary_data_size",
                came=_bytes(len(self._body)),
            )


def _bytes(size: int) -> str:
    return f"{size} bytes" if size < 2**63 else "more than 64 bits count"


def check_booleans(datatype: Datatype, data: bytes, where: str) -> None:
    """Refuses a BOOL tensor with other bytes than 0 and 1."""
    if datatype.kind == "bool" and data.translate(None, _BOOLEANS):
        raise invalid("a byte of BOOL is neither 0 nor 1", where)


def check_unicode(values: list[bytes], where: str) -> None:
    """Refuses elements that are no text, for a model whose strings are text."""
    for index, value in enumerate(values):
        try:
            value.decode()
        except UnicodeDecodeError as error:
            raise invalid(
                f"element {index} of BYTES is not UTF-8, and the model takes text",
                f"{where}, byte {error.start} of the element",
            ) from None


def elements_of_bytes(data: bytes, elements: int, where: str) -> list[bytes]:
    """The elements of a BYTES tensor, each behind its length (4 bytes, little-endian).

    Raises:
        Refusal: the lengths do not divide the data into exactly that many elements.
    """
    values: list[bytes] = []
    at = 0
    end = len(data)
    while at < end:
        start = at + 4
        at = start + _LENGTH.unpack_from(data, at)[0] if start <= end else end + 1
        if len(values) == elements:
            raise _wrong_count(elements, "more", where)
        if at > end:
            raise invalid(
                f"the length of element {len(values)} of BYTES goes beyond its tensor", where
            )
        values.append(data[start:at])
    if len(values) != elements:
        raise _wrong_count(elements, str(len(values)), where)
    return values


def _wrong_count(elements: int, came: str, where: str) -> Refusal:
    return invalid(
        "the number of elements of BYTES disagrees with the shape",
        where,
        expected=f"{elements} elements",
        came=f"{came} elements",
    )


def to_binary(values: npt.NDArray[Any]) -> bytes:
    """The raw bytes of an output, rows in order; object arrays of `str` or `bytes` as BYTES."""
    if values.dtype != object:
        return values.tobytes()
    parts: list[bytes] = []
    for value in cast(list[str | bytes], values.ravel().tolist()):
        text = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        parts += (_LENGTH.pack(len(text)), text)
    return b"".join(parts)
