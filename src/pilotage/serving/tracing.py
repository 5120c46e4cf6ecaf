"""W3C Trace Context: the caller's trace goes on through us.

Source: W3C Recommendation "Trace Context", level 1, section 3.2 (the traceparent header).
"""

import re

_TRACEPARENT = re.compile(
    rb"\A([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z", re.DOTALL
)


def trace_of(traceparent: bytes | None) -> tuple[str, bytes]:
    """The trace id (32 hex digits) and the flags; "" and b"" without a valid header.

    An invalid header is passed over, as the recommendation asks: the request is answered untraced.
    """
    match = _TRACEPARENT.match(traceparent) if traceparent else None
    if match is None:
        return "", b""
    version, trace, parent, flags, rest = match.groups()
    if version == b"ff" or (version == b"00" and rest) or not trace.strip(b"0"):
        return "", b""
    return ("", b"") if not parent.strip(b"0") else (trace.decode(), flags)


def traceparent_of(trace: str, prediction_id: bytes, flags: bytes) -> bytes:
    """The header we return: the caller's trace, with our span in it.

    The span id is the end of the prediction id (32 hex digits), so that a trace leads to a record.
    """
    span = prediction_id[-16:]
    return b"00-%b-%b-%b" % (trace.encode(), span if span.strip(b"0") else b"1".zfill(16), flags)
