"""Outcomes as JSON: what a body of `POST /v1/outcomes` says, checked as a whole. Pure.

One outcome or a list of them:

    {"prediction_id": "01a2…" | "key": "order 5",  "endpoint": "iris",  "kind": "label",
     "value": "setosa",  "observed_at": "2026-01-31T12:00:00Z",  "attributes": {"row": "0"}}

`value` and one of `prediction_id` and `key` must be there. All of a body is accepted or none of it,
and a refusal names the index, the member, and what would have been right.

Budget: 1,000 outcomes of 90 bytes hold the loop for 3 ms, 2.5 to read and 0.5 to record them.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

import msgspec

from pilotage.contracts.limits import MIB
from pilotage.contracts.records import Outcome
from pilotage.serving.protocols.v2_refusals import invalid, malformed, names_words, value_words
from pilotage.serving.protocols.v2_request import check_text
from pilotage.serving.refusals import Refusal

OUTCOMES_BYTES: Final = 1 * MIB
"""One body of outcomes, in bytes (413)."""
OUTCOMES_MOST: Final = 1000
"""Outcomes of one body, in outcomes (400)."""
KIND_CHARACTERS: Final = 64
"""A kind, and the name of an attribute, in characters (400)."""
VALUE_BYTES: Final = 256
"""A value that is text, and the text of an attribute, in bytes of UTF-8 (400)."""
ATTRIBUTES_MOST: Final = 16
"""Attributes of one outcome (400)."""
ROW_DIGITS: Final = 9
"""The attribute `row`, in decimal digits (400)."""
KIND: Final = "label"
"""The kind of an outcome that names none."""

MEMBERS: Final = (
    "prediction_id",
    "key",
    "endpoint",
    "kind",
    "value",
    "observed_at",
    "attributes",
)
"""What an outcome may say."""
_KNOWN: Final = frozenset(MEMBERS)
_WORD: Final = re.compile(rf"[A-Za-z0-9_.-]{{1,{KIND_CHARACTERS}}}", re.ASCII)
_WORD_SAID: Final = f"1 to {KIND_CHARACTERS} characters of A-Z a-z 0-9 _ . -"
_ID: Final = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_ROW: Final = re.compile(rf"[0-9]{{1,{ROW_DIGITS}}}", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_TIME_SAID: Final = "a time as in RFC 3339 (2026-01-31T12:00:00Z), or seconds since 1970"
_VALUE_SAID: Final = f"true, false, a finite number, or text of up to {VALUE_BYTES} bytes"
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_NS: Final = 1_000_000_000

_Members = dict[str, object]


def read(
    body: bytes, *, source: str, now_ns: int, json_depth: int, key_bytes: int
) -> list[Outcome]:
    """The outcomes in a body, in its order.

    Args:
        body: JSON.
        source: the principal who reports them.
        now_ns: nanoseconds since the epoch: of what names no other time.
        json_depth: levels of nesting that are read at all.
        key_bytes: the longest id of a caller's own, in bytes of UTF-8.

    Raises:
        Refusal: 413 for a body that is too large, 400 for anything else that is wrong.
    """
    check_size(len(body))
    found = _json_of(body, json_depth)
    alone = not isinstance(found, list)
    every = [found] if alone else cast(list[object], found)
    if not 1 <= len(every) <= OUTCOMES_MOST:
        raise invalid(
            "the wrong number of outcomes",
            "body",
            expected=f"1 to {OUTCOMES_MOST}",
            came=str(len(every)),
        )
    return [
        _outcome_of(each, "" if alone else f"[{index}]", source, now_ns, key_bytes)
        for index, each in enumerate(every)
    ]


def accepted(count: int) -> bytes:
    """The body of the answer."""
    return b'{"accepted":%d}' % count


def check_size(body_bytes: int) -> None:
    """Refuses a body that is too large, before it is received where its length is known."""
    if body_bytes > OUTCOMES_BYTES:
        raise Refusal(
            413,
            "too_large",
            "the body is larger than the limit",
            where="body",
            expected=f"at most {OUTCOMES_BYTES} bytes",
            came=f"{body_bytes} bytes",
            fix="Send the outcomes in several requests.",
        )


def narrowed(
    outcomes: list[Outcome], *, served: Callable[[str], bool], allowed: tuple[str, ...]
) -> list[Outcome]:
    """The outcomes of a caller whose key is limited to some endpoints, each with its endpoint.

    Args:
        outcomes: as `read` gave them.
        served: whether there is an endpoint of this name.
        allowed: what the key is limited to; empty for no limit.

    Raises:
        Refusal: 400 for an endpoint that is not there, 403 for one that the key is not for, or
            where a key for several endpoints leaves open which one is meant.
    """
    alone = len(outcomes) == 1
    kept: list[Outcome] = []
    for index, outcome in enumerate(outcomes):
        where = "endpoint" if alone else f"[{index}].endpoint"
        named = outcome.endpoint
        if allowed and not named and len(allowed) == 1:
            outcome = msgspec.structs.replace(outcome, endpoint=allowed[0])
        elif allowed and named not in allowed:
            raise Refusal(
                403,
                "forbidden",
                "this key may not report on this endpoint"
                if named
                else "this key is for some endpoints only, and none is named",
                where=where,
                expected=f"one of {names_words(allowed)}",
            )
        elif named and not served(named):
            raise invalid("there is no endpoint of this name", where)
        kept.append(outcome)
    return kept


# --- one outcome -------------------------------------------------------------------------------


def _json_of(body: bytes, json_depth: int) -> object:
    check_text(body, json_depth)
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error, body) from None


def _outcome_of(each: object, at: str, source: str, now_ns: int, key_bytes: int) -> Outcome:
    """One outcome; `at` is its index in brackets, "" where it stands alone."""
    if not isinstance(each, dict):
        raise invalid("wrong type", at or "body", expected="an object", came=value_words(each))
    members = cast(_Members, each)
    at = at and at + "."
    if not members.keys() <= _KNOWN:
        unknown = next(name for name in members if name not in _KNOWN)
        raise invalid(
            "an outcome has no such member", at + _short(unknown), expected=names_words(MEMBERS)
        )
    prediction_id, key = _reference(members, at, key_bytes)
    return Outcome(
        kind=_kind(members, at),
        value=_value(members, at),
        observed_ns=_observed_ns(members, at, now_ns),
        source=source,
        prediction_id=prediction_id,
        key=key,
        attributes=_attributes(members, at),
        endpoint=_endpoint(members, at),
    )


def _reference(members: _Members, at: str, key_bytes: int) -> tuple[bytes, str]:
    """The prediction that is meant: its id, or the caller's own."""
    id, key = members.get("prediction_id"), members.get("key")
    if (id is None) == (key is None):
        raise invalid(
            "which prediction is meant is not said once",
            at + "prediction_id",
            expected="either prediction_id or key",
            came="neither" if id is None else "both",
        )
    if id is not None:
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise _off("not a prediction id", at + "prediction_id", "32 hex digits", id)
        return bytes.fromhex(id), ""
    if not isinstance(key, str) or not 1 <= len(key.encode()) <= key_bytes:
        raise _off("not an id of a request", at + "key", f"text of 1 to {key_bytes} bytes", key)
    return b"", key


def _kind(members: _Members, at: str) -> str:
    kind = members.get("kind", KIND)
    if not isinstance(kind, str) or not _WORD.fullmatch(kind):
        raise _off("not a kind", at + "kind", _WORD_SAID, kind)
    return kind


def _value(members: _Members, at: str) -> bool | int | float | str:
    if "value" not in members:
        raise invalid("a required member is missing", at + "value", expected=_VALUE_SAID)
    value = members["value"]
    if isinstance(value, str):
        if len(value.encode()) <= VALUE_BYTES:
            return value
    elif isinstance(value, int):  # a boolean is one
        if _LOWEST <= value <= _HIGHEST:
            return value
    elif isinstance(value, float) and math.isfinite(value):
        return value
    raise _off("a value that cannot be kept", at + "value", _VALUE_SAID, value)


def _observed_ns(members: _Members, at: str, now_ns: int) -> int:
    """Nanoseconds since the epoch."""
    said = members.get("observed_at")
    if said is None:
        return now_ns
    observed_ns = -1
    if isinstance(said, str):
        observed_ns = _time_ns(said)
    elif isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said):
        observed_ns = round(said * _NS)
    if not 0 <= observed_ns <= _HIGHEST:
        raise _off("not a time", at + "observed_at", _TIME_SAID, said)
    return observed_ns


def _time_ns(text: str) -> int:
    """A time of RFC 3339; -1 where it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return -1
    day, time, fraction, zone = found.groups()
    try:
        seconds = datetime.fromisoformat(f"{day}T{time}{zone.upper()}").timestamp()
    except (ValueError, OverflowError):
        return -1
    return int(seconds) * _NS + int((fraction or "").ljust(9, "0"))


def _endpoint(members: _Members, at: str) -> str:
    endpoint = members.get("endpoint", "")
    if not isinstance(endpoint, str):
        raise _off("wrong type", at + "endpoint", "the name of an endpoint", endpoint)
    return endpoint


def _attributes(members: _Members, at: str) -> dict[str, str]:
    if "attributes" not in members:
        return {}
    attributes = members["attributes"]
    at += "attributes"
    if not isinstance(attributes, dict):
        raise _off("wrong type", at, "an object", attributes)
    named = cast(_Members, attributes)
    if len(named) > ATTRIBUTES_MOST:
        raise invalid(
            "too many attributes", at, expected=f"at most {ATTRIBUTES_MOST}", came=str(len(named))
        )
    kept: dict[str, str] = {}
    for name, text in named.items():
        if not _WORD.fullmatch(name):
            raise invalid("not a name of an attribute", at, expected=_WORD_SAID)
        if not isinstance(text, str) or len(text.encode()) > VALUE_BYTES:
            wanted = f"text of up to {VALUE_BYTES} bytes"
            raise _off("an attribute that cannot be kept", f"{at}.{name}", wanted, text)
        kept[name] = text
    row = kept.get("row")
    if row is not None and not _ROW.fullmatch(row):
        wanted = f'a row as text of 1 to {ROW_DIGITS} digits, such as "0"'
        raise _off("not a row", f"{at}.row", wanted, row)
    return kept


def _off(what: str, where: str, expected: str, value: object) -> Refusal:
    """A member that is not what it should be; text is told by its length alone."""
    came = value_words(value)
    if isinstance(value, str):
        came = f"a string of {len(value.encode())} bytes"
    return invalid(what, where, expected=expected, came=came)


def _short(name: str) -> str:
    """A member's name for an error, cut."""
    return name if len(name) <= KIND_CHARACTERS else name[:KIND_CHARACTERS] + "…"
