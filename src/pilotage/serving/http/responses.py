"""Replies as bytes: what to say goes in, a whole HTTP/1.1 response comes out.

Refusals come in two styles: on the v2 routes exactly `application/json` with `error` (what its
clients read), everywhere else problem+json (RFC 9457). Neither echoes what the caller sent.
The headers that belong to the connection (Connection, Transfer-Encoding) are added by it.
"""

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from pilotage.serving.refusals import REASON_PHRASES, Refusal

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
TEXT_CHARACTERS: Final = 4096
"""Characters of one field of an error; longer ones are cut."""
RETRY_AFTER_MOST_S: Final = 86_400

Headers = Iterable[tuple[str, str]]


def answer_head(body_bytes: int, *, content_type: bytes = JSON, headers: bytes = b"") -> bytes:
    """The head of a 200 whose body follows.

    Args:
        body_bytes: length of the body.
        content_type: media type.
        headers: further header lines, each with its CR LF, made by us and so not checked.
    """
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (
        content_type,
        body_bytes,
        headers,
    )


def stream_head(*, content_type: bytes, headers: bytes = b"") -> bytes:
    """The head of a 200 whose body is a stream; the connection adds how its end is found."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nCache-Control: no-store\r\n%b\r\n" % (
        content_type,
        headers,
    )


def json_response(status: int, body: bytes, headers: Headers = ()) -> bytes:
    """A whole response with a JSON body."""
    return response(status, JSON, body, headers)


def response(status: int, content_type: bytes, body: bytes, headers: Headers = ()) -> bytes:
    """A whole response. Header values are cut down to one line of Latin-1."""
    phrase = "OK" if status == 200 else REASON_PHRASES.get(status, "")
    lines = b"".join(_header_line(name, value) for name, value in headers)
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        phrase.encode(),
        content_type,
        len(body),
        lines,
        body,
    )


def refusal_response(refusal: Refusal, *, v2: bool, error_bytes: int) -> bytes:
    """A refusal as a whole response.

    Args:
        refusal: what the caller is told.
        v2: in the style of the v2 routes; else problem+json.
        error_bytes: the body's longest length; texts are cut until it fits.
    """
    characters = TEXT_CHARACTERS
    body = _error_body(refusal, v2=v2, characters=characters)
    while len(body) > error_bytes and characters:
        characters //= 2
        body = _error_body(refusal, v2=v2, characters=characters)
    content_type = JSON if v2 else PROBLEM_JSON
    return response(refusal.status, content_type, body, _refusal_headers(refusal))


def with_line(data: bytes, line: bytes) -> bytes:
    """The response with one more header line, set behind its status line."""
    status_end = data.index(b"\r\n") + 2
    return b"".join((data[:status_end], line, data[status_end:]))


def sentence(refusal: Refusal) -> str:
    """A refusal in one line, for clients that show no other field."""
    place = f"{refusal.where}: " if refusal.where else ""
    wanted = f"; expected {refusal.expected}" if refusal.expected else ""
    got = f", came {refusal.came}" if refusal.came else ""
    advice = f". {refusal.fix}" if refusal.fix else ""
    return f"{place}{refusal.what}{wanted}{got}{advice}"


def _error_body(refusal: Refusal, *, v2: bool, characters: int) -> bytes:
    fields: dict[str, str | int] = {}
    if v2:
        fields["error"] = _text(sentence(refusal), characters)
    else:
        fields["type"] = "about:blank"
        fields["title"] = REASON_PHRASES.get(refusal.status, "")
        fields["status"] = refusal.status
        fields["detail"] = _text(sentence(refusal), characters)
    fields["reason"] = refusal.reason
    for name in ("where", "expected", "came", "fix"):
        text: str = getattr(refusal, name)
        if text:
            fields[name] = _text(text, characters)
    return msgspec.json.encode(fields)


def _text(text: str, characters: int) -> str:
    """At most so many characters, all of them encodable (a lone surrogate becomes "?")."""
    return text[:characters].encode("utf-8", "replace").decode()


def _refusal_headers(refusal: Refusal) -> list[tuple[str, str]]:
    headers = list(refusal.headers)
    named = {name.lower() for name, _ in headers}
    if refusal.retry_after_s is not None and "retry-after" not in named:
        headers.append(("Retry-After", str(_whole_seconds(refusal.retry_after_s))))
    if refusal.status == 401 and "www-authenticate" not in named:
        headers.append(("WWW-Authenticate", 'Bearer realm="pilotage"'))
    return headers


def _whole_seconds(seconds: float) -> int:
    if not 0.0 < seconds < RETRY_AFTER_MOST_S:  # NaN and infinity among them
        return RETRY_AFTER_MOST_S if seconds >= RETRY_AFTER_MOST_S else 0
    return math.ceil(seconds)


def _header_line(name: str, value: str) -> bytes:
    line = f"{name}: {value}".encode("latin-1", "replace")
    return bytes(byte if byte >= 0x20 and byte != 0x7F else 0x20 for byte in line) + b"\r\n"
