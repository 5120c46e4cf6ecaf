"""What an ONNX file says of itself, read from its protobuf bytes without the onnx package.

Pure: bytes in. Only the fields asked for are looked at; weights are stepped over. Field numbers
are those of onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from pilotage.errors import PilotageError

FIELD_COUNT: Final = 20_000_000
"""Protobuf fields looked at in one file; a file with more is refused as hostile."""

GRAPH_DEPTH: Final = 32
"""Graphs inside graphs (the branches of If, the body of Loop)."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL: Final = 1  # TensorProto.DataLocation.EXTERNAL

Field = tuple[int, int | memoryview]


class OnnxFile(Struct, frozen=True):
    """The head of an ONNX file.

    Attributes:
        producer: the exporter and its version, "" where it says nothing.
        opsets: domain ("" is ai.onnx) to version.
        external: relative paths of files that hold weights, as written in the file, sorted.
        unranked: names of inputs and outputs whose number of axes is not declared.
    """

    producer: str
    opsets: dict[str, int]
    external: tuple[str, ...]
    unranked: tuple[str, ...]


class NotProtobuf(Exception):
    """The bytes are not the protobuf message they were taken for."""


def looks_like_onnx(data: memoryview) -> bool:
    """Whether the bytes are a whole protobuf message with the fields of an ONNX model."""
    seen: dict[int, int | memoryview] = {}
    try:
        for number, value in _Reader().fields(data):
            if number > 25:
                return False
            seen.setdefault(number, value)
    except NotProtobuf:
        return False
    version = seen.get(1)
    return isinstance(version, int) and 1 <= version <= 255 and isinstance(seen.get(7), memoryview)


def read_onnx(data: memoryview, *, mentions_external: bool = True) -> OnnxFile:
    """The head of the ONNX model in `data`.

    Args:
        mentions_external: False when the text "location" is nowhere in the data, so that no
            tensor needs to be looked at.

    Raises:
        PilotageError: not a whole ONNX file.
    """
    reader = _Reader()
    producer: list[str] = ["", ""]
    opsets: dict[str, int] = {}
    external: set[str] = set()
    unranked: list[str] = []
    try:
        for number, value in reader.fields(data):
            if isinstance(value, int):
                continue
            if number in (2, 3):
                producer[number - 2] = _text(value)
            elif number == 8:
                parts = dict(reader.fields(value))
                opsets[_text(parts.get(1, memoryview(b"")))] = _number(parts.get(2, 0))
            elif number == 7:
                unranked = [
                    name
                    for field, child in reader.fields(value)
                    if field in (11, 12)
                    for name in reader.unranked(child)
                ]
                if mentions_external:
                    external.update(reader.external_of_graph(value))
            elif number == 25 and mentions_external:
                external.update(reader.external_of_nodes(value, field=7, depth=0))
    except NotProtobuf as error:
        raise PilotageError(
            f"the ONNX file is damaged: {error}", fix="Copy or export it again."
        ) from error
    return OnnxFile(
        producer=" ".join(part for part in producer if part),
        opsets=opsets,
        external=tuple(sorted(external)),
        unranked=tuple(unranked),
    )


def _text(value: int | memoryview) -> str:
    return "" if isinstance(value, int) else bytes(value).decode("utf-8", "replace")


def _number(value: int | memoryview) -> int:
    return value if isinstance(value, int) else 0


class _Reader:
    """Walks protobuf messages and counts the fields it has seen over all of them."""

    def __init__(self) -> None:
        self.seen = 0

    def fields(self, data: int | memoryview) -> Iterator[Field]:
        """Field numbers and values: an int for numbers, the bytes for everything else."""
        if isinstance(data, int):
            raise NotProtobuf("a number stands where a message should")
        position, end = 0, len(data)
        while position < end:
            self.seen += 1
            if self.seen > FIELD_COUNT:
                raise NotProtobuf(f"more than {FIELD_COUNT} fields")
            tag, position = _varint(data, position)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise NotProtobuf("a field has number 0")
            if wire == _VARINT:
                value, position = _varint(data, position)
                yield number, value
                continue
            if wire == _BYTES:
                length, position = _varint(data, position)
            elif wire in (_FIXED32, _FIXED64):
                length = 4 if wire == _FIXED32 else 8
            else:
                raise NotProtobuf(f"a field has the unknown wire type {wire}")
            if position + length > end:
                raise NotProtobuf("it ends in the middle of a field")
            yield number, data[position : position + length]
            position += length

    def unranked(self, value_info: int | memoryview) -> Iterator[str]:
        """The name of this input or output, if it is a tensor without a declared shape."""
        parts = dict(self.fields(value_info))
        kinds = dict(self.fields(parts.get(2, memoryview(b""))))
        if 1 in kinds and 2 not in dict(self.fields(kinds[1])):
            yield _text(parts.get(1, memoryview(b"")))

    def external_of_graph(self, graph: int | memoryview, depth: int = 0) -> Iterator[str]:
        """Files that the tensors of a graph, and of the graphs inside it, refer to."""
        if depth > GRAPH_DEPTH:
            raise NotProtobuf(f"graphs nest deeper than {GRAPH_DEPTH}")
        for number, value in self.fields(graph):
            if number == 5:
                yield from self.external_of_tensor(value)
            elif number == 15:
                yield from self.external_of_sparse(value)
        yield from self.external_of_nodes(graph, field=1, depth=depth)

    def external_of_nodes(self, holder: int | memoryview, field: int, depth: int) -> Iterator[str]:
        """The same for the attributes of the nodes in `field` of a graph or function."""
        for number, node in self.fields(holder):
            if number != field:
                continue
            for part, attribute in self.fields(node):
                if part == 5:
                    yield from self.external_of_attribute(attribute, depth)

    def external_of_attribute(self, attribute: int | memoryview, depth: int) -> Iterator[str]:
        for kind, value in self.fields(attribute):
            if isinstance(value, int):
                continue
            if kind in (5, 10):
                yield from self.external_of_tensor(value)
            elif kind in (6, 11):
                yield from self.external_of_graph(value, depth + 1)
            elif kind in (22, 23):
                yield from self.external_of_sparse(value)

    def external_of_sparse(self, sparse: int | memoryview) -> Iterator[str]:
        for number, tensor in self.fields(sparse):
            if number in (1, 2):
                yield from self.external_of_tensor(tensor)

    def external_of_tensor(self, tensor: int | memoryview) -> Iterator[str]:
        entries: list[memoryview] = []
        location = 0
        for number, value in self.fields(tensor):
            if number == 13 and not isinstance(value, int):
                entries.append(value)
            elif number == 14:
                location = _number(value)
        if location != _EXTERNAL:
            return
        for entry in entries:
            pair = dict(self.fields(entry))
            if _text(pair.get(1, memoryview(b""))) == "location":
                yield _text(pair.get(2, memoryview(b"")))


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """The number at `position`, and the position behind it."""
    number = shift = 0
    while True:
        if position >= len(data):
            raise NotProtobuf("it ends in the middle of a number")
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
        if shift > 63:
            raise NotProtobuf("a number has more than 10 bytes")
