"""The short way for usual JSON requests: every input once, in order, flat or as a list of rows.

It answers None for all else, and the general way then decodes or refuses (`v2_decoding`), so that
nothing is decided twice. The msgspec types are made for the signature: names and datatypes are
compared while parsing, and unknown members end the attempt, so that no depth needs a check.

Budget: one row of 30 floats 3 us, 1024 floats 30 us (benchmarks/parts/v2_codec.py).
"""

import struct
from collections.abc import Callable
from itertools import chain
from typing import Any, Final, Literal, cast

import msgspec
import simdjson
from msgspec import Struct

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols.inference import Buffer, Inference
from pilotage.serving.protocols.v2_bounds import BESIDE_BYTES, MEMBERS, has_many_members
from pilotage.serving.protocols.v2_elements import pack
from pilotage.serving.protocols.v2_numbers import (
    LONG_BYTES,
    NumberReader,
    arrays_of,
    has_arrays,
    numbers,
)
from pilotage.serving.protocols.v2_request import OutputChoice, RequestedOutput
from pilotage.serving.protocols.v2_shapes import InputPlan, Plan, elements_of, group_of, rows_of
from pilotage.serving.refusals import Refusal

_Scalars = dict[str, bool | int | float | str]
_VALUES: Final[dict[str, Any]] = {"bool": bool, "int": int, "float": float, "bytes": str}
_MEMBERS: Final = frozenset(
    {"inputs", "outputs", "id", "parameters", "model_name", "model_version"}
)
_INPUT_MEMBERS: Final = frozenset({"name", "shape", "datatype", "data"})


class _Input(Struct, gc=False, forbid_unknown_fields=True):
    """The fields that the input types of every signature have."""

    shape: list[int]
    data: list[Any]
    parameters: _Scalars | None = None


class _Output(RequestedOutput, gc=False, forbid_unknown_fields=True):
    parameters: _Scalars | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class _Request(Struct, gc=False, forbid_unknown_fields=True):
    inputs: tuple[Any, ...]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: _Scalars | None = None
    model_name: str | None = None
    model_version: str | None = None


def _request_type(plan: Plan) -> type[_Request]:
    """The msgspec type of a usual request of this signature."""
    inputs: list[Any] = []
    for number, each in enumerate(plan.inputs):
        value = _VALUES[each.datatype.kind]
        fields: list[Any] = [
            ("name", Literal[each.name]),  # pyright: ignore[reportInvalidTypeArguments]
            ("datatype", Literal[each.datatype.name]),  # pyright: ignore[reportInvalidTypeArguments]
            ("shape", list[int]),
            ("data", list[value | list[value]]),
            ("parameters", _Scalars | None, None),
        ]
        inputs.append(
            msgspec.defstruct(f"Input{number}", fields, gc=False, forbid_unknown_fields=True)
        )
    made = msgspec.defstruct(
        "QuickRequest", [("inputs", tuple[tuple(inputs)])], bases=(_Request,), gc=False
    )
    return cast("type[_Request]", made)


class QuickDecoder:
    """The short way for the requests of one version."""

    def __init__(self, signature: Signature, plan: Plan, limits: Limits) -> None:
        self._plan = plan
        self._client_id_bytes = limits.client_id_bytes
        self._choice = OutputChoice(signature.outputs)
        self._decode = cast(
            "Callable[[bytes], _Request]", msgspec.json.Decoder(_request_type(plan)).decode
        )
        self._reader = NumberReader()
        self._long_bytes = LONG_BYTES * max(1, len(plan.inputs))
        self._only_numbers = all(each.datatype.kind in ("int", "float") for each in plan.inputs)
        shapes = tuple((1, *(each.tail or ())) for each in plan.inputs)
        self._one_row_shapes = shapes
        row_elements = sum(each.tail_elements for each in plan.inputs)
        self._commas = row_elements * limits.request_rows + MEMBERS if plan.uniform else 0
        self._one_row = [(each, [*shape]) for each, shape in zip(plan.inputs, shapes, strict=True)]

    def decode(self, body: bytes) -> Inference | None:
        """The request, or None where the general way must decide.

        Raises:
            Refusal: an output that cannot be given.
        """
        if len(body) >= self._long_bytes:
            return self._long(body) if self._only_numbers else None
        try:
            request = self._decode(body)
            inference = self._short(request)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, _Unusual):
            return None
        if request.parameters is not None or request.outputs is not None:
            parameters = cast("dict[str, object] | None", request.parameters)
            inference.wanted = self._choice.of(request.outputs, parameters)
            inference.json_parameters = parameters
        return inference

    def _short(self, request: _Request) -> Inference:
        """What msgspec has read, its shapes checked and its numbers packed."""
        client_id = request.id
        if client_id is not None and len(client_id) * 4 > self._client_id_bytes:
            raise _Unusual
        if self._plan.uniform:
            row = self._row(cast("tuple[_Input, ...]", request.inputs))
            if row is not None:
                return Inference(row, self._one_row_shapes, 1, None, None, client_id)
        shapes: list[list[int]] = []
        buffers: list[Buffer] = []
        lengths: dict[str, int] = {}
        for index, each in enumerate(self._plan.inputs):
            tensor = cast(_Input, request.inputs[index])
            if tensor.parameters:
                raise _Unusual
            elements = self._elements(index, tensor.shape, lengths)
            buffers.append(_packed(each, tensor.data, tensor.shape, elements))
            shapes.append(tensor.shape)
        return self._inference(buffers, shapes, lengths, client_id)

    def _row(self, tensors: tuple[_Input, ...]) -> tuple[Buffer, ...] | None:
        """The buffers of one row of a uniform signature; None where it is not one row."""
        if len(tensors) == 1:  # without the loop: 2.0 us a request, not 2.5
            plan, shape = self._one_row[0]
            tensor = tensors[0]
            if tensor.shape != shape or tensor.parameters:
                return None
            return (_packed(plan, tensor.data, shape, plan.tail_elements),)
        buffers: list[Buffer] = []
        for (plan, shape), tensor in zip(self._one_row, tensors, strict=True):
            if tensor.shape != shape or tensor.parameters:
                return None
            buffers.append(_packed(plan, tensor.data, shape, plan.tail_elements))
        return tuple(buffers)

    def _elements(self, index: int, shape: list[int], lengths: dict[str, int]) -> int:
        try:
            return elements_of(self._plan, index, shape, lengths, "")
        except Refusal:
            raise _Unusual from None

    def _inference(
        self,
        buffers: list[Buffer],
        shapes: list[list[int]],
        lengths: dict[str, int],
        client_id: str | None,
    ) -> Inference:
        try:
            rows = rows_of(self._plan, lengths)
        except Refusal:
            raise _Unusual from None
        whole = tuple(map(tuple, shapes))
        return Inference(
            tuple(buffers), whole, rows, group_of(self._plan, whole), client_id=client_id
        )

    def _swells(self, body: bytes) -> bool:
        """Whether simdjson would need many times the body's size for what cannot be a request."""
        too_many = self._commas and body.count(b",") > self._commas
        return bool(too_many) or has_many_members(body)

    def _long(self, body: bytes) -> Inference | None:
        """The same through simdjson, for numbers only."""
        if len(body) > BESIDE_BYTES and self._swells(body):
            return None
        document = self._reader.parse(body)
        if not isinstance(document, simdjson.Object):
            return None
        try:
            found = _read(document, body, self._plan)
            del document  # the parser takes no other document while this one is held
            lengths: dict[str, int] = {}
            for index, shape in enumerate(found.shapes):
                self._elements(index, shape, lengths)
            if found.id is not None and len(found.id) * 4 > self._client_id_bytes:
                return None
            inference = self._inference(found.buffers, found.shapes, lengths, found.id)
        except (msgspec.ValidationError, _Unusual):
            return None
        parameters = cast("dict[str, object] | None", found.parameters)
        inference.wanted = self._choice.of(found.outputs, parameters)
        inference.json_parameters = parameters
        return inference


class _Found(Struct, gc=False):
    """What was read of a long body."""

    shapes: list[list[int]]
    buffers: list[Buffer]
    id: str | None = None
    outputs: list[_Output] | None = None
    parameters: _Scalars | None = None


def _read(document: Any, body: bytes, plan: Plan) -> _Found:
    """The inputs and members of a long body, none of them a proxy of simdjson's any more."""
    members = _plain_members(document, _MEMBERS)
    tensors = document["inputs"] if "inputs" in members else None
    if not isinstance(tensors, simdjson.Array) or len(tensors) != len(plan.inputs):
        raise _Unusual
    found = _Found([], [])
    arrays = 1
    for index, each in enumerate(plan.inputs):
        tensor: Any = tensors[index]
        shape = _shape_of(tensor, each)
        data = tensor["data"]
        below = arrays_of(data, shape) if isinstance(data, simdjson.Array) else 0
        buffer = numbers(each.datatype, data) if below else None
        if buffer is None:
            raise _Unusual
        arrays += 1 + below
        found.shapes.append(shape)
        found.buffers.append(buffer)
    requested = document["outputs"] if "outputs" in members else None
    if isinstance(requested, simdjson.Array):
        if len(requested) > MEMBERS:
            raise _Unusual
        arrays += 1
    if not has_arrays(body, arrays):  # so that what is left to read holds no array
        raise _Unusual
    if len(members) > 1:
        _read_members(document, members, found)
    return found


def _read_members(document: Any, members: list[str], found: _Found) -> None:
    """Reads the members beside the inputs."""
    rest = {name: _plain(document[name]) for name in members if name != "inputs"}
    request = msgspec.convert({"inputs": (), **rest}, _Request)
    found.id = request.id
    found.outputs = request.outputs
    found.parameters = request.parameters


def _plain(value: Any) -> Any:
    """A value of simdjson's as Python's own."""
    if isinstance(value, simdjson.Object):
        return value.as_dict()
    if isinstance(value, simdjson.Array):
        return cast(Any, value).as_list()
    return value


def _plain_members(thing: Any, known: frozenset[str]) -> list[str]:
    """The names of an object's members, when all are known and none comes twice."""
    members = list(thing) if isinstance(thing, simdjson.Object) else []
    if not members or not known.issuperset(members) or len(set(members)) != len(members):
        raise _Unusual
    return members


def _shape_of(tensor: Any, plan: InputPlan) -> list[int]:
    """The shape of one input, once its name and datatype are seen to be the signature's."""
    if len(_plain_members(tensor, _INPUT_MEMBERS)) != len(_INPUT_MEMBERS):
        raise _Unusual
    if tensor["name"] != plan.name or tensor["datatype"] != plan.datatype.name:
        raise _Unusual
    shape = tensor["shape"]
    if not isinstance(shape, simdjson.Array) or len(shape) != len(plan.axes):
        raise _Unusual  # before the product of millions of lengths is worked out
    return msgspec.convert(_plain(shape), list[int])


class _Unusual(Exception):
    """The general way must look at this request."""


def _packed(plan: InputPlan, data: list[Any], shape: list[int], elements: int) -> Buffer:
    """The elements of one input; rows given as lists are joined first."""
    if data and type(data[0]) is list:
        data = _joined(cast("list[list[Any]]", data), shape)
    if len(data) != elements:
        raise _Unusual
    try:
        if plan.datatype.kind == "bytes":
            return [value.encode() for value in data]
        return pack(plan.datatype, data)
    except (OverflowError, struct.error, TypeError, AttributeError, ValueError):
        raise _Unusual from None


def _joined(rows: list[list[Any]], shape: list[int]) -> list[Any]:
    """The values of a list of rows; a value among the rows has no length, so it is found."""
    if len(shape) != 2 or len(rows) != shape[0]:
        raise _Unusual
    for row in rows:
        if type(row) is not list or len(row) != shape[1]:
            raise _Unusual
    return rows[0] if len(rows) == 1 else list(chain.from_iterable(rows))
