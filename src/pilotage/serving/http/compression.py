"""Compressed bodies: gzip and deflate in with bounded memory, out where the client takes them.

"deflate" is zlib framing, as RFC 9110 (section 8.4.1.2) has it and the v2 clients send it.
"""

import re
import zlib
from typing import Final, Literal

from pilotage.contracts.limits import Limits
from pilotage.serving.http.head import body_too_large
from pilotage.serving.refusals import Refusal

Encoding = Literal["gzip", "deflate"]

COMPRESS_FROM_BYTES: Final = 1024
"""Answers shorter than this are not worth the header."""
COMPRESS_LEVEL: Final = 1

_WINDOW_BITS: Final[dict[Encoding, int]] = {"gzip": 31, "deflate": 15}
_ENCODINGS: Final[dict[bytes, Encoding | None]] = {
    b"": None,
    b"identity": None,
    b"gzip": "gzip",
    b"x-gzip": "gzip",
    b"deflate": "deflate",
}
_QUALITY: Final = re.compile(rb"[Qq]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def request_encoding(content_encoding: bytes) -> Encoding | None:
    """How a request's body is compressed, by its Content-Encoding; None when it is not.

    Raises:
        Refusal: 415 for any other coding, or for several.
    """
    coding = content_encoding.strip(b" \t").lower()
    if coding not in _ENCODINGS:
        raise Refusal(
            415,
            "invalid",
            "this content encoding is not known",
            where="header content-encoding",
            expected="gzip or deflate",
            headers=(("Accept-Encoding", "gzip, deflate"),),
        )
    return _ENCODINGS[coding]


def decompress(body: bytes, encoding: Encoding, limits: Limits) -> bytes:
    """The body as it was before compression, at most `Limits.body_bytes` long.

    Memory is bounded by the limit and not by what the body would unfold to.

    Raises:
        Refusal: 413 past the limit; 400 when it is not this coding, ends early or goes on behind
            its end.
    """
    unpacker = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        plain = unpacker.decompress(body, limits.body_bytes + 1)
    except zlib.error:
        raise _not_compressed(encoding, "cannot be unpacked") from None
    if len(plain) > limits.body_bytes:
        raise body_too_large(limits, "body after decompression", close=False)
    if not unpacker.eof:
        raise _not_compressed(encoding, "ends early")
    if unpacker.unused_data:
        raise _not_compressed(encoding, "goes on behind its end")
    return plain


def _not_compressed(encoding: Encoding, how: str) -> Refusal:
    framing = "one gzip member" if encoding == "gzip" else "one zlib stream (RFC 1950)"
    return Refusal(400, "invalid", f"the compressed body {how}", where="body", expected=framing)


def accepted_encoding(accept_encoding: bytes) -> Encoding | None:
    """The coding for an answer, by the request's Accept-Encoding; None for plain.

    A coding with q=0 is not taken; `*` and codings unknown here are passed over, so that a client
    gets only what it named. Of two with equal quality gzip is taken.
    """
    best: Encoding | None = None
    best_quality = 0.0
    for offer in accept_encoding.split(b","):
        name, _, parameter = offer.partition(b";")
        coding = _ENCODINGS.get(name.strip(b" \t").lower())
        quality = _quality(parameter.strip(b" \t"))
        if coding is None or quality == 0.0:
            continue
        if quality > best_quality or (quality == best_quality and coding == "gzip"):
            best, best_quality = coding, quality
    return best


def _quality(parameter: bytes) -> float:
    if not parameter:
        return 1.0
    match = _QUALITY.fullmatch(parameter)
    return 0.0 if match is None else float(match.group(1))


def compress(body: bytes, encoding: Encoding) -> bytes:
    """An answer's body, compressed at level 1: the fastest."""
    packer = zlib.compressobj(COMPRESS_LEVEL, zlib.DEFLATED, _WINDOW_BITS[encoding])
    return packer.compress(body) + packer.flush()
