"""The JSON of an infer request as msgspec reads it, and what its members ask for."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType

from pilotage.contracts.signature import Tensor
from pilotage.serving.protocols.inference import Wanted
from pilotage.serving.protocols.v2_bounds import (
    BESIDE_BYTES,
    check_beside,
    check_members,
    without_strings,
)
from pilotage.serving.protocols.v2_refusals import (
    invalid,
    malformed,
    names_words,
    not_utf8,
    value_words,
)

Parameters = dict[str, object]


class RequestedOutput(Struct, gc=False):
    """One member of `outputs`."""

    name: str
    parameters: Parameters | None = None


class RequestInput(Struct, gc=False):
    """One member of `inputs`, its data not read yet."""

    name: str
    shape: list[int]
    datatype: str
    data: Raw | UnsetType = UNSET
    parameters: Parameters | None = None


class Request(Struct, gc=False):
    """The whole JSON; other members are passed over."""

    inputs: list[RequestInput]
    outputs: list[RequestedOutput] | None = None
    id: str | None = None
    parameters: Parameters | None = None


class _DataOf(Struct, gc=False):
    """One member of `inputs`, of which only the data is looked at."""

    data: Raw | UnsetType = UNSET


class _Data(Struct, gc=False):
    """The JSON, of which only the data is looked at: all else is passed over and not kept."""

    inputs: list[_DataOf]


_requests = msgspec.json.Decoder(Request)
_data = msgspec.json.Decoder(_Data)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_STEPS_AT_ONCE: Final = 1 << 16
"""Brackets summed at once: eight bytes each for as long as that takes."""


def read(text: bytes, json_depth: int) -> Request:
    """The request in `text`, the JSON alone.

    Raises:
        Refusal: not UTF-8, not JSON, nested too deeply, more beside its data than a request may
            have, or not as the protocol has it.
    """
    check_text(text, json_depth)
    try:
        if len(text) > BESIDE_BYTES:
            data = [each.data for each in _data.decode(text).inputs]
            check_beside(text, [len(bytes(raw)) for raw in data if not isinstance(raw, UnsetType)])
        return _requests.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error, text) from None


def check_text(text: bytes, json_depth: int) -> None:
    """Refuses what is no UTF-8, and JSON too deep or with too much in it for a decoder.

    Few bodies have as many brackets as the limit; only those are looked at closely.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise not_utf8(text) from None
    check_members(text)
    if text.count(b"[") + text.count(b"{") <= json_depth:
        return
    depth = _depth_of(without_strings(text).translate(_STEPS, _NOT_BRACKETS))
    if depth > json_depth:
        raise invalid(
            "the JSON is nested too deeply",
            "body",
            expected=f"at most {json_depth} levels of arrays and objects",
            came="more" if depth > 4 * json_depth else f"{depth} levels",
        )


def _depth_of(steps: bytes) -> int:
    """The highest sum of the first steps, each 1 or -1."""
    highest = level = 0
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        some = np.frombuffer(steps, np.int8, min(_STEPS_AT_ONCE, len(steps) - start), start)
        levels = some.cumsum(dtype=np.int64)
        highest = max(highest, level + int(levels.max()))
        level += int(levels[-1])
    return highest


def check_id(client_id: str | None, client_id_bytes: int) -> None:
    """Refuses an id that is too long to be kept beside its prediction."""
    if client_id is not None and len(client_id.encode()) > client_id_bytes:
        raise invalid(
            "the id is too long",
            "id",
            expected=f"at most {client_id_bytes} bytes",
            came=f"{len(client_id.encode())} bytes",
        )


class OutputChoice:
    """Reads which outputs a request wants, and in which form."""

    def __init__(self, outputs: tuple[Tensor, ...]) -> None:
        self._index = {tensor.name: index for index, tensor in enumerate(outputs)}
        self._all_json = tuple((index, False) for index in range(len(outputs)))
        self._all_binary = tuple((index, True) for index in range(len(outputs)))

    def of(
        self, requested: Sequence[RequestedOutput] | None, parameters: Parameters | None
    ) -> Wanted:
        """The outputs in the order asked for.

        `binary_data` of an output wins over the request's `binary_data_output`.

        Raises:
            Refusal: an unknown output, one asked for twice, a parameter of the wrong type, or a
                feature that is not offered (classification, shared memory).
        """
        binary = False
        if parameters:
            binary = _flag(parameters, "binary_data_output", "parameters", default=False)
        if not requested:
            return self._all_binary if binary else None
        wanted: dict[int, bool] = {}
        for position, output in enumerate(requested):
            where = f"outputs[{position}]"
            index = self._index.get(output.name)
            if index is None:
                raise invalid(
                    "the model has no output of this name",
                    f"{where}.name",
                    expected=f"one of {names_words(self._index)}",
                )
            if index in wanted:
                raise invalid(f"output {output.name} is asked for twice", f"{where}.name")
            wanted[index] = _binary(output.parameters, where, binary)
        asked = tuple(wanted.items())
        return None if asked == self._all_json else asked


def _binary(parameters: Parameters | None, where: str, default: bool) -> bool:
    """Whether one output is wanted as binary data."""
    if not parameters:
        return default
    where = f"{where}.parameters"
    if parameters.get("classification"):
        raise invalid(
            "classification is not offered",
            f"{where}.classification",
            fix="Ask for the output itself and rank its values.",
        )
    refuse_shared_memory(parameters, where)
    return _flag(parameters, "binary_data", where, default=default)


def refuse_shared_memory(parameters: Parameters, where: str) -> None:
    """Refuses tensors that would lie in a region shared with the caller."""
    if "shared_memory_region" in parameters:
        raise invalid(
            "shared memory is not offered",
            f"{where}.shared_memory_region",
            fix="Send and take the tensor in the body.",
        )


def _flag(parameters: Parameters, name: str, where: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if isinstance(value, bool):
        return value
    raise invalid(
        "wrong type", f"{where}.{name}", expected="true or false", came=value_words(value)
    )
