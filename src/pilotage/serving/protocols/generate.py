"""Triton's generate extension: inputs are plain members of an object, answers whole or events.

Source: Triton's "generate extension". `{"text_input": "…", "parameters": {"max_tokens": 8}}` fills
the inputs of those names, wherever they stand; what is no input is a parameter of the request.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy.typing as npt
import orjson
from msgspec import Raw

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols.inference import Buffer, Inference
from pilotage.serving.protocols.v2_bounds import check_beside
from pilotage.serving.protocols.v2_elements import (
    COUNTED_BYTES,
    check_strings,
    flat_values,
    pack_checked,
)
from pilotage.serving.protocols.v2_encoding import Column, not_json
from pilotage.serving.protocols.v2_refusals import invalid, malformed
from pilotage.serving.protocols.v2_request import check_id, check_text
from pilotage.serving.protocols.v2_shapes import (
    InputPlan,
    elements_of,
    group_of,
    one_row_shape,
    plan_of,
    rows_of,
)
from pilotage.serving.refusals import Refusal

_objects = msgspec.json.Decoder(dict[str, Raw])
_ids = msgspec.json.Decoder(str | None)
_anything = msgspec.json.Decoder()


class GenerateCodec:
    """Decodes and encodes for one version. A request has one row."""

    def __init__(self, model: str, version: str, signature: Signature, limits: Limits) -> None:
        self._plan = plan_of(signature, limits)
        self._limits = limits
        self._outputs = [(tensor.name, DATATYPES[tensor.datatype]) for tensor in signature.outputs]
        self._names = [orjson.dumps(tensor.name) for tensor in signature.outputs]
        self._head = orjson.dumps({"model_name": model, "model_version": version})[:-1]

    def decode(self, body: bytes) -> Inference:
        """The request in `body`, for `/generate` and `/generate_stream`.

        A value is one element or a flat array of them; its shape follows from the signature: one
        row, the fixed lengths, and the first axis of free length takes what is left.

        Raises:
            Refusal: 400 "invalid", naming the member.
        """
        check_text(body, self._limits.json_depth)
        members = _members(body, "body")
        client_id = _id_of(members.pop("id", None), self._limits)
        parameters = _members(bytes(members.pop("parameters", b"{}")), "parameters")
        values = {**parameters, **members}
        plan = self._plan
        names = [each.name for each in plan.inputs if each.name in values]
        check_beside(body, [len(bytes(values[name])) for name in names])
        buffers: list[Buffer] = []
        shapes: list[tuple[int, ...] | None] = []
        lengths: dict[str, int] = {}
        for index, each in enumerate(plan.inputs):
            raw = values.pop(each.name, None)
            if raw is None:
                if not each.optional:
                    raise invalid(f"input {each.name} is missing", each.name)
                buffers.append(None)
                shapes.append(None)
                continue
            elements = _elements(each, bytes(raw))
            shape = one_row_shape(plan, index, len(elements))
            needed = elements_of(plan, index, shape, lengths, each.name)
            if needed != len(elements):
                raise _wrong_count(each, needed, len(elements))
            buffers.append(pack_checked(each.datatype, elements, each.name))
            shapes.append(tuple(shape))
        return Inference(
            buffers=tuple(buffers),
            shapes=tuple(shape or () for shape in shapes),
            rows=rows_of(plan, lengths),
            group=group_of(plan, shapes),
            client_id=client_id,
            json_parameters={name: _anything.decode(raw) for name, raw in values.items()} or None,
        )

    def encode(
        self, outputs: Sequence[npt.NDArray[Any]], inference: Inference, prediction_id: bytes
    ) -> bytes:
        """The body of a whole answer; an output of one element is no array.

        Raises:
            Refusal: 500 "output", an output that JSON cannot carry.
        """
        parameters = b'"parameters":{"pilotage_prediction_id":"%b"}' % prediction_id
        return self._object(outputs, inference, [parameters])

    def event(self, outputs: Sequence[npt.NDArray[Any]], inference: Inference) -> bytes:
        """One chunk of a streamed answer, as a server-sent event.

        Raises:
            Refusal: 500 "output", an output that JSON cannot carry.
        """
        return b"data: %b\n\n" % self._object(outputs, inference, [])

    def _object(
        self, outputs: Sequence[npt.NDArray[Any]], inference: Inference, members: list[bytes]
    ) -> bytes:
        if inference.client_id is not None:
            members.insert(0, b'"id":' + orjson.dumps(inference.client_id))
        for (name, datatype), label, values in zip(
            self._outputs, self._names, outputs, strict=True
        ):
            column = Column(values.reshape(1, values.size), datatype, batched=True)
            if not column.holds(0, 1):
                raise not_json(name, datatype)
            data = column.data(0, 1)
            members.append(b"%b:%b" % (label, data if values.size == 1 else b"[%b]" % data))
        return b"%b,%b}" % (self._head, b",".join(members))


def error_event(refusal: Refusal) -> bytes:
    """What a client of a stream is told when it breaks off, as a server-sent event."""
    return b"data: %b\n\n" % orjson.dumps({"error": refusal.what})


def _members(text: bytes, where: str) -> dict[str, Raw]:
    """The members of a JSON object, their values not read yet."""
    try:
        return _objects.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        refusal = malformed(error, text)
        refusal.where = where if isinstance(error, msgspec.ValidationError) else refusal.where
        raise refusal from None


def _id_of(raw: Raw | None, limits: Limits) -> str | None:
    """The caller's id."""
    if raw is None:
        return None
    try:
        client_id = _ids.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise invalid("wrong type", "id", expected="a string") from None
    check_id(client_id, limits.client_id_bytes)
    return client_id


def _elements(plan: InputPlan, raw: bytes) -> list[object]:
    """The elements of one member: an array's, or the one value."""
    if len(raw) >= COUNTED_BYTES and plan.tail is not None:
        if plan.datatype.kind == "bytes":
            check_strings(raw, plan.tail_elements, plan.name)
        elif raw.count(b",") >= max(plan.tail_elements, 1):
            raise _wrong_count(plan, plan.tail_elements, raw.count(b",") + 1)
    return flat_values(plan.datatype, raw if raw[:1] == b"[" else b"[%b]" % raw, plan.name)


def _wrong_count(plan: InputPlan, needed: int, came: int) -> Refusal:
    return invalid(
        "the data disagrees with the shape",
        plan.name,
        expected=f"{needed} elements",
        came=f"{came} elements",
    )
