"""JSON that would become many times its size in Python's objects is refused before one is made.

`[{},{},{}…` and `["","",""…` cost two to four bytes an item on the wire, and less when they come
compressed, but 60 to 110 bytes each as objects: 64 MB of them took 2.2 GB. The data of tensors is
bounded by its shape; what stands beside the data is bounded here.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from pilotage.serving.protocols.v2_refusals import invalid

BESIDE_BYTES: Final = 1024 * 1024
"""JSON of one request beside the data of its tensors, in bytes (400)."""
MEMBERS: Final = 16 * 1024
"""Objects, and members of objects, of one JSON longer than `BESIDE_BYTES` (400)."""

_QUOTE: Final = ord('"')
_AT_ONCE: Final = 1 << 20
"""Bytes that are looked at together: each takes a few more bytes for as long as that lasts."""


def without_strings(text: bytes) -> bytes:
    """The JSON without its strings, so that what is left of brackets and commas is structure.

    A string without an end goes to the end. A byte is outside of strings where the quotes before
    it are even in number; a regular expression took 200 bytes a string for the same.
    """
    text = _unescaped(text)
    outside: list[bytes] = []
    inside = False
    for start in range(0, len(text), _AT_ONCE):
        piece = np.frombuffer(text, np.uint8, min(_AT_ONCE, len(text) - start), start)
        quotes = piece == _QUOTE
        odd = (np.cumsum(quotes, dtype=np.uint8) + np.uint8(inside)) & 1
        outside.append(piece[(odd == 0) & ~quotes].tobytes())
        inside = bool(odd[-1])
    return b"".join(outside)


def strings_in(text: bytes) -> int:
    """How many strings the JSON holds, without reading them."""
    return _unescaped(text).count(b'"') // 2


def _unescaped(text: bytes) -> bytes:
    """The JSON with no quotes but those at the ends of strings."""
    if b"\\" not in text:
        return text
    # First the escaped backslashes, pair by pair, so that what is left escapes a quote.
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def has_many_members(text: bytes) -> bool:
    """Whether long JSON has more objects or members than a request may have."""
    if len(text) <= BESIDE_BYTES or not _many(text):
        return False
    return _many(without_strings(text))


def _many(text: bytes) -> bool:
    return text.count(b"{") > MEMBERS or text.count(b":") > MEMBERS


def check_members(text: bytes) -> None:
    """Refuses long JSON with more objects or members than a request may have."""
    if has_many_members(text):
        raise invalid(
            "the JSON has too many members", "body", expected=f"at most {MEMBERS}", came="more"
        )


def check_beside(text: bytes, data: Iterable[int]) -> None:
    """Refuses JSON with more beside its tensors' data than a request may have.

    Args:
        data: the lengths in bytes of the tensors' data in `text`.
    """
    beside_bytes = len(text) - sum(data)
    if beside_bytes > BESIDE_BYTES:
        raise invalid(
            "the JSON beside the data is too long",
            "body",
            expected=f"at most {BESIDE_BYTES} bytes",
            came=f"{beside_bytes} bytes",
        )
