"""The head of one request: its bytes go in, a checked `Head` comes out, or a refusal.

llhttp (by httptools) reads the grammar; what it lets pass is refused here: no Host or two, versions
other than 1.0 and 1.1, transfer codings beside chunked, control characters, counts. Every refusal
of a head closes the connection, since where the next request would start is then not known.

Source: RFC 9112 (sections 2.2, 3, 5, 6.1, 6.3) and RFC 9110 (sections 5.5, 7.2, 10.1.1).
"""

import re
from typing import Final

import httptools

from pilotage.contracts.limits import Limits
from pilotage.serving.refusals import Reason, Refusal

HEAD_END: Final = b"\r\n\r\n"
LENGTH_DIGITS: Final = 18
"""Digits of a content length that are read as a number; a longer one is past every limit."""

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REQUEST_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])"
)
_BEGIN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+( |\Z)")
_LINE_END: Final = "lines that end in CR LF"
_AUTHORITY: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")
_ABSOLUTE: Final = re.compile(rb"https?://([^/?]+)(.*)", re.IGNORECASE)
_SINGLE: Final = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"expect",
        b"inference-header-content-length",
    )
)
"""Headers that mean nothing when they come twice, and so are refused."""


class Head:
    """A parsed head.

    Attributes:
        method, path, query: as sent; the path without its query, not percent-decoded.
        headers: by lower-cased name; values of one name that came several times are joined by
            a comma and a space. `host` is the target's authority where the target has one.
        content_length: bytes of the body as declared; None where nothing was declared.
        chunked: the body comes in chunks.
        keep_alive: the client wants to go on after the reply.
        expect_continue: the client waits for `100 Continue` before it sends the body.
        http_1_0: the client speaks HTTP/1.0.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "expect_continue",
        "headers",
        "http_1_0",
        "keep_alive",
        "method",
        "path",
        "query",
    )

    def __init__(self, method: bytes, path: bytes, query: bytes, *, http_1_0: bool) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.http_1_0 = http_1_0
        self.headers: dict[bytes, bytes] = {}
        self.content_length: int | None = None
        self.chunked = False
        self.keep_alive = not http_1_0
        self.expect_continue = False


class _Fields:
    """What llhttp calls back: header names and values, in order."""

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name.lower(), value))


def read_head(raw: bytes, limits: Limits) -> Head:
    """Read one head, from its first byte to the blank line's last.

    Raises:
        Refusal: the head is malformed (400), has too many headers (431), a body length past the
            limit (413), an unknown expectation (417), method or transfer coding (501) or version
            (505). `close` is always set.
    """
    check_beginning(raw, 0)
    lines = raw[:-4].split(b"\r\n")
    if len(lines) - 1 > limits.header_count:
        raise Refusal(
            431,
            "too_large",
            "the request has too many headers",
            where="headers",
            expected=f"at most {limits.header_count}",
            came=str(len(lines) - 1),
            close=True,
        )
    head, authority = _read_request_line(lines[0])
    _check_lines(lines)
    pairs, complaint = _parse(raw)
    if complaint is not None:  # our own reading finds the sentence that names the field
        pairs = [_naive(line) for line in lines[1:]]
    _read_fields(head, authority, pairs)
    _read_framing(head, pairs, limits)
    if complaint is not None:
        raise complaint
    return head


def check_beginning(raw: bytes | bytearray, start: int) -> None:
    """Refuse what cannot become a head, though its end is not here yet.

    Args:
        raw: the head as far as it came.
        start: bytes that were checked before.
    """
    if start and raw.endswith(b"\r", 0, start):
        start -= 1  # its line feed may have come now
    line_ends = raw.count(b"\r\n", start)
    if raw.count(b"\n", start) != line_ends:
        raise malformed("a line feed stands alone", "head", expected=_LINE_END)
    if raw.count(b"\r", start) - raw.endswith(b"\r") > line_ends:
        raise malformed("a carriage return stands alone", "head", expected=_LINE_END)
    if _CONTROL.search(raw, start) is not None:
        raise malformed("a control character is in the head", "head")
    if raw and _BEGIN.match(raw) is None:
        raise malformed("this is not the beginning of an HTTP request", "request line")


def malformed(what: str, where: str, *, expected: str = "", came: str = "") -> Refusal:
    """A refusal of bytes after which the next request cannot be found."""
    return Refusal(400, "malformed", what, where=where, expected=expected, came=came, close=True)


def _read_request_line(line: bytes) -> tuple[Head, bytes | None]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise malformed(
            "the request line cannot be read",
            "request line",
            expected="method, target and HTTP version, parted by single spaces",
        )
    method, target, version = match.groups()
    if version not in (b"1.1", b"1.0"):
        raise _refused(505, "malformed", "this HTTP version is not spoken here", "1.1 or 1.0")
    authority = None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        authority, target = absolute.groups()
        if not target.startswith(b"/"):
            target = b"/" + target
    elif not target.startswith(b"/") and not (target == b"*" and method == b"OPTIONS"):
        raise malformed(
            "the target is no path", "request line", expected="a path that starts with /"
        )
    if b"#" in target:
        raise malformed("the target holds a fragment", "request line")
    path, _, query = target.partition(b"?")
    return Head(method, path, query, http_1_0=version == b"1.0"), authority


def _refused(status: int, reason: Reason, what: str, expected: str) -> Refusal:
    return Refusal(status, reason, what, where="request line", expected=expected, close=True)


def _check_lines(lines: list[bytes]) -> None:
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t"):
            raise malformed(
                "a header is folded over two lines", "headers", expected="one line each"
            )
        name, colon, _ = line.partition(b":")
        if not colon:
            raise malformed("a header has no colon", "headers")
        if not name or name[-1:] in (b" ", b"\t"):
            raise malformed("a header's name is empty or followed by space", "headers")


def _parse(raw: bytes) -> tuple[list[tuple[bytes, bytes]], Refusal | None]:
    fields = _Fields()
    try:
        httptools.HttpRequestParser(fields).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # an offer that we pass over: the request itself is answered in HTTP/1.1
    except httptools.HttpParserInvalidMethodError:
        return [], _refused(501, "method", "this method is not known", "a method of HTTP")
    except httptools.HttpParserError:
        return [], malformed("the head is not HTTP/1.1", "headers", expected="RFC 9112")
    return fields.pairs, None


def _naive(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip(b" \t")


def _read_fields(head: Head, authority: bytes | None, pairs: list[tuple[bytes, bytes]]) -> None:
    headers = head.headers
    for name, sent in pairs:
        value = sent.rstrip(b" \t")
        earlier = headers.get(name)
        if earlier is None:
            headers[name] = value
        elif name == b"host":
            raise malformed("two Host headers came", "header host", expected="one")
        elif name in _SINGLE:
            raise malformed("a header came twice", f"header {name.decode()}", expected="one")
        else:
            headers[name] = earlier + b", " + value
    host = headers.get(b"host")
    if host is None and not head.http_1_0:
        raise malformed("the Host header is missing", "header host", expected="one")
    for named in (host, authority):
        if named is not None and _AUTHORITY.fullmatch(named) is None:
            raise malformed("the host is no host name", "header host")
    if authority is not None:
        headers[b"host"] = authority
    tokens = headers.get(b"connection", b"").lower()
    if tokens:
        wishes = [token.strip() for token in tokens.split(b",")]
        head.keep_alive = b"close" not in wishes and (not head.http_1_0 or b"keep-alive" in wishes)


def _read_framing(head: Head, pairs: list[tuple[bytes, bytes]], limits: Limits) -> None:
    lengths = [value for name, value in pairs if name == b"content-length"]
    codings = [value for name, value in pairs if name == b"transfer-encoding"]
    if codings:
        if lengths:
            raise malformed(
                "both a content length and a transfer encoding came", "header content-length"
            )
        _check_codings(head, b",".join(codings))
        head.chunked = True
    elif lengths:
        head.content_length = _read_length(lengths, limits)
    expectation = head.headers.get(b"expect")
    if expectation is not None and not head.http_1_0:
        if expectation.lower() != b"100-continue":
            raise Refusal(
                417,
                "malformed",
                "the expectation is not known",
                where="header expect",
                expected="100-continue",
                close=True,
            )
        head.expect_continue = head.chunked or bool(head.content_length)


def _check_codings(head: Head, value: bytes) -> None:
    where = "header transfer-encoding"
    codings = [coding.strip(b" \t").lower() for coding in value.split(b",")]
    if head.http_1_0:
        raise malformed("HTTP/1.0 has no transfer encoding", where)
    if codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise malformed(
            "the transfer encoding leaves the body's end open", where, expected="chunked"
        )
    if len(codings) > 1:
        raise Refusal(
            501,
            "malformed",
            "this transfer encoding is not spoken here",
            where=where,
            expected="chunked",
            fix="Compress the body under Content-Encoding instead.",
            close=True,
        )


def _read_length(lengths: list[bytes], limits: Limits) -> int:
    where = "header content-length"
    if len(lengths) > 1:
        raise malformed("the content length came more than once", where, expected="one")
    digits = lengths[0].strip(b" \t")
    if not digits.isdigit():
        raise malformed("the content length is no number", where, expected="digits")
    digits = digits.lstrip(b"0") or b"0"
    if len(digits) > LENGTH_DIGITS or int(digits) > limits.body_bytes:
        came = f"{int(digits)} bytes" if len(digits) <= LENGTH_DIGITS else f"{len(digits)} digits"
        raise body_too_large(limits, where, came=came)
    return int(digits)


def body_too_large(
    limits: Limits, where: str, *, came: str = "more", close: bool = True
) -> Refusal:
    """A body past `Limits.body_bytes`; `close` when it was not read."""
    return Refusal(
        413,
        "too_large",
        "the body is larger than the limit",
        where=where,
        expected=f"at most {limits.body_bytes} bytes",
        came=came,
        close=close,
    )
