"""The words of a refused v2 body: what JSON held, by type and place, never by value."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotage.serving.refusals import Refusal

_SHOWN_AXES: Final = 16
"""Axes of a shape that an error shows; a longer shape is cut."""

_SHOWN_NAMES: Final = 16
"""Names that an error lists."""

_WORDS: Final = {
    "bool": "a boolean",
    "int": "an integer",
    "float": "a number with a fraction or an exponent",
    "str": "a string",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_KINDS: Final = {
    "bool": "true or false",
    "int": "an integer without fraction or exponent",
    "float": "a number",
    "bytes": "a string",
}
_TYPE_MISMATCH: Final = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
_FIELD: Final = re.compile(r"missing required field `(\w+)`")
_POSITION: Final = re.compile(r"\(byte (\d+)\)")
_LITERALS: Final = (b"NaN", b"Infinity", b"-Infinity")


def invalid(
    what: str, where: str = "", *, expected: str = "", came: str = "", fix: str = ""
) -> Refusal:
    """A request that is wrong in itself: 400."""
    return Refusal(400, "invalid", what, where=where, expected=expected, came=came, fix=fix)


def shape_words(shape: Sequence[int | str]) -> str:
    """A shape for an error: "[1,30]", cut after 16 axes."""
    shown = [str(axis) if isinstance(axis, str) else _length(axis) for axis in shape[:_SHOWN_AXES]]
    return f"[{','.join(shown)}{',…' if len(shape) > _SHOWN_AXES else ''}]"


def _length(axis: int) -> str:
    """An axis' length; what no tensor can have is not spelled out."""
    return str(axis) if -(2**63) <= axis < 2**63 else "a length beyond 64 bits"


def names_words(names: Iterable[str]) -> str:
    """Names of a signature for an error: "a, b", cut after 16."""
    shown = list(names)
    return ", ".join(shown[:_SHOWN_NAMES]) + (", …" if len(shown) > _SHOWN_NAMES else "")


def kind_words(kind: str) -> str:
    """What a JSON value must be for a datatype of this kind."""
    return _KINDS[kind]


def value_words(value: object) -> str:
    """What a decoded JSON value is, without its content."""
    names: dict[type, str] = {
        bool: "bool",
        int: "int",
        float: "float",
        str: "str",
        list: "array",
        dict: "object",
    }
    return _WORDS[names.get(type(value), "null")]


def malformed(error: Exception, body: bytes) -> Refusal:
    """The refusal for a body that msgspec did not take, or not as the protocol has it."""
    if isinstance(error, RecursionError):
        return invalid("the JSON is nested too deeply", "body")
    if isinstance(error, UnicodeDecodeError):
        return not_utf8(body)
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return _not_json(text, body)
    place = _PLACE.search(text)
    where = place.group(1).lstrip(".") if place else "body"
    if field := _FIELD.search(text):
        member = f"{where}.{field.group(1)}" if place else field.group(1)
        return invalid("a required member is missing", member)
    if mismatch := _TYPE_MISMATCH.search(text):
        expected = " or ".join(_one_of(name) for name in mismatch.group(1).split(" | "))
        return invalid("wrong type", where, expected=expected, came=_one_of(mismatch.group(2)))
    return invalid("a number that no datatype can hold", where)


def _one_of(name: str) -> str:
    """A JSON type as msgspec calls it, in words ("number" for any float)."""
    return "a number" if name == "float" else _WORDS.get(name, "a value")


def not_utf8(body: bytes) -> Refusal:
    """Says where the UTF-8 of a body breaks."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return invalid("the JSON is not UTF-8", f"body byte {error.start}")
    return invalid("a string of the JSON is not Unicode text", "body")


def _not_json(text: str, body: bytes) -> Refusal:
    """Says where JSON ends to be JSON, and whether it was one of JavaScript's numbers."""
    position = _POSITION.search(text)
    if position is None:
        return invalid("the JSON is cut off or a string in it is broken", "body")
    at = int(position.group(1)) - ("trailing" in text)  # which is told by the byte behind it
    near = body[max(0, at - 1) : at + 9]
    if near[1:].startswith(_LITERALS) or near.startswith(_LITERALS):
        return invalid(
            "JSON has no NaN and no infinity",
            f"body byte {at}",
            expected="a finite number",
            fix="Send the tensor as binary data.",
        )
    return invalid("not JSON", f"body byte {at}")
