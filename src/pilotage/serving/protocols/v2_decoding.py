"""Any infer request, in whichever form, to an `Inference`, or to the refusal that says why not.

This is the general way. `v2_quick` knows a shorter one for usual requests and must agree with it.
"""

from msgspec import UNSET, UnsetType

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols import v2_elements
from pilotage.serving.protocols.inference import Buffer, Inference
from pilotage.serving.protocols.v2_binary import BinaryTail, check_unicode
from pilotage.serving.protocols.v2_numbers import LONG_BYTES, NumberReader
from pilotage.serving.protocols.v2_raw import raw_inference
from pilotage.serving.protocols.v2_refusals import invalid, names_words
from pilotage.serving.protocols.v2_request import (
    OutputChoice,
    Request,
    RequestInput,
    check_id,
    read,
    refuse_shared_memory,
)
from pilotage.serving.protocols.v2_shapes import InputPlan, Plan, elements_of, group_of, rows_of


class GeneralDecoder:
    """Decodes the requests of one version."""

    def __init__(
        self, signature: Signature, plan: Plan, limits: Limits, *, bytes_are_text: bool
    ) -> None:
        self._plan = plan
        self._limits = limits
        self._choice = OutputChoice(signature.outputs)
        self._bytes_are_text = bytes_are_text
        self._reader = NumberReader()

    def decode(self, body: bytes, json_bytes: int | None) -> Inference:
        """The request in `body`, of which the first `json_bytes` are JSON (None: all; 0: none).

        Raises:
            Refusal: anything that is not as the protocol, the signature or the limits have it.
        """
        if json_bytes == 0:
            return raw_inference(self._plan, body, bytes_are_text=self._bytes_are_text)
        request = read(_json_of(body, json_bytes), self._limits.json_depth)
        check_id(request.id, self._limits.client_id_bytes)
        tail = BinaryTail(body, len(body) if json_bytes is None else json_bytes)
        inference = self._inputs(request, tail, binary=json_bytes is not None)
        tail.finish()
        inference.wanted = self._choice.of(request.outputs, request.parameters)
        inference.client_id = request.id
        inference.json_parameters = request.parameters
        return inference

    def _inputs(self, request: Request, tail: BinaryTail, *, binary: bool) -> Inference:
        plan = self._plan
        buffers: list[Buffer] = [None] * len(plan.inputs)
        shapes: list[tuple[int, ...] | None] = [None] * len(plan.inputs)
        lengths: dict[str, int] = {}
        for position, tensor in enumerate(request.inputs):
            where = f"inputs[{position}]"
            index = self._index_of(tensor, where)
            if shapes[index] is not None:
                raise invalid(f"input {tensor.name} comes twice", f"{where}.name")
            elements = elements_of(plan, index, tensor.shape, lengths, where)
            shapes[index] = tuple(tensor.shape)
            buffers[index] = self._data(plan.inputs[index], tensor, elements, tail, where, binary)
        for needed, shape in zip(plan.inputs, shapes, strict=True):
            if shape is None and not needed.optional:
                raise invalid(f"input {needed.name} is missing", "inputs", expected=_listed(plan))
        return Inference(
            buffers=tuple(buffers),
            shapes=tuple(shape or () for shape in shapes),
            rows=rows_of(plan, lengths),
            group=group_of(plan, shapes),
        )

    def _index_of(self, tensor: RequestInput, where: str) -> int:
        """Which input this is; its datatype must be the signature's."""
        index = self._plan.index.get(tensor.name)
        if index is None:
            raise invalid(
                "the model has no input of this name",
                f"{where}.name",
                expected=f"one of {names_words(self._plan.index)}",
            )
        datatype = self._plan.inputs[index].datatype.name
        if tensor.datatype != datatype:
            known = tensor.datatype in DATATYPES
            raise invalid(
                f"input {tensor.name} has another datatype",
                f"{where}.datatype",
                expected=datatype,
                came=tensor.datatype if known else "a word that is no datatype",
            )
        return index

    def _data(
        self,
        plan: InputPlan,
        tensor: RequestInput,
        elements: int,
        tail: BinaryTail,
        where: str,
        binary: bool,
    ) -> bytes | list[bytes]:
        """The elements of one input, from the JSON or from behind it."""
        parameters = tensor.parameters or {}
        if parameters:
            refuse_shared_memory(parameters, f"{where}.parameters")
        if "binary_data_size" in parameters:
            _check_binary(tensor, where, binary)
            size = parameters["binary_data_size"]
            data = tail.take(size, plan.datatype, tensor.shape, elements, where)
            if self._bytes_are_text and isinstance(data, list):
                check_unicode(data, where)
            return data
        if isinstance(tensor.data, UnsetType):
            raise invalid(f"input {plan.name} has no data", f"{where}.data", expected="an array")
        raw = bytes(tensor.data)
        if len(raw) >= LONG_BYTES and raw[:1] == b"[" and plan.datatype.kind in ("int", "float"):
            nested = v2_elements.starts_nested(raw)
            v2_elements.check_counts(raw, tensor.shape, elements, f"{where}.data", nested=nested)
            numbers = self._reader.read(raw, plan.datatype, tensor.shape)
            if numbers is not None:
                return numbers
        return v2_elements.from_json(plan.datatype, raw, tensor.shape, elements, where)


def _json_of(body: bytes, json_bytes: int | None) -> bytes:
    """The part of the body that is JSON."""
    if json_bytes is None:
        return body
    if not 0 <= json_bytes <= len(body):
        raise invalid(
            "the JSON is said to be longer than the body",
            "header inference-header-content-length",
            expected=f"at most the body's {len(body)} bytes",
            came=f"{json_bytes} bytes",
        )
    return body[:json_bytes]


def _check_binary(tensor: RequestInput, where: str, binary: bool) -> None:
    if tensor.data is not UNSET:
        raise invalid("the input has both data and binary_data_size", where, expected="one of them")
    if not binary:
        raise invalid(
            "binary data without its header",
            f"{where}.parameters.binary_data_size",
            expected="the length of the JSON in header inference-header-content-length",
        )


def _listed(plan: Plan) -> str:
    return names_words([each.name for each in plan.inputs if not each.optional])
