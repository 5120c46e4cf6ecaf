"""What a request asks for, read from its head alone: an operation, on what, and how to answer.

The v2 paths are the Open Inference Protocol's; `generate` is Triton's extension; `/metrics` is
Prometheus's; `/v1/outcomes` is our own. Percent-escapes are decoded once and a name may hold any
character but "/".
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

from pilotage.serving.refusals import Refusal
from pilotage.serving.tracing import trace_of


class Operation(Enum):
    """What can be asked for; the value is the method it is asked with."""

    SERVER = ("GET", "server")
    LIVE = ("GET", "live")
    READY = ("GET", "ready")
    METRICS = ("GET", "metrics")
    MODEL = ("GET", "model")
    MODEL_READY = ("GET", "model_ready")
    CONFIG = ("GET", "config")
    STATS = ("GET", "stats")
    INFER = ("POST", "infer")
    GENERATE = ("POST", "generate")
    GENERATE_STREAM = ("POST", "generate_stream")
    INDEX = ("POST", "index")
    OUTCOMES = ("POST", "outcomes")


_PLAIN: Final[dict[tuple[bytes, ...], Operation]] = {
    (b"v2",): Operation.SERVER,
    (b"v2", b"health", b"live"): Operation.LIVE,
    (b"v2", b"health", b"ready"): Operation.READY,
    (b"metrics",): Operation.METRICS,
    (b"v2", b"models", b"stats"): Operation.STATS,
    (b"v2", b"repository", b"index"): Operation.INDEX,
    (b"v1", b"outcomes"): Operation.OUTCOMES,
}
_OF_MODEL: Final[dict[tuple[bytes, ...], Operation]] = {
    (): Operation.MODEL,
    (b"ready",): Operation.MODEL_READY,
    (b"config",): Operation.CONFIG,
    (b"stats",): Operation.STATS,
    (b"infer",): Operation.INFER,
    (b"generate",): Operation.GENERATE,
    (b"generate_stream",): Operation.GENERATE_STREAM,
}
OPEN_TO_ALL: Final = frozenset({Operation.LIVE, Operation.READY})
"""Asked by load balancers and kubelets, which hold no key; they tell nothing but yes or no."""
TOLD_WHEN_EXPIRED: Final = OPEN_TO_ALL | {Operation.MODEL_READY, Operation.METRICS}
"""Asked to find out what is wrong; answered although the snapshot has expired."""
LONGEST_DEADLINE_MS: Final = 86_400_000.0
"""One day, in milliseconds."""


class HeadLike(Protocol):
    """What this file needs of `http.connection.Head`."""

    method: bytes
    path: bytes
    headers: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a head asks for.

    Attributes:
        model, version: "" where the path names none.
        json_bytes: the length of the JSON part where binary tensors follow it, else None.
        deadline_ms: None where the head brings none.
        trace, trace_flags: the caller's W3C trace, "" where there is none.
        accepts: the Accept-Encoding header.
        timing: the caller wants Server-Timing.
    """

    operation: Operation
    model: str = ""
    version: str = ""
    json_bytes: int | None = None
    deadline_ms: float | None = None
    trace: str = ""
    trace_flags: bytes = b""
    accepts: bytes = b""
    timing: bool = False


def read(head: HeadLike) -> Asked:
    """What the head asks for.

    Raises:
        Refusal: 404 for an unknown path, 405 for a wrong method, 400 for a header that is off.
    """
    operation, model, version = locate(head.path)
    method = operation.value[0]
    allowed = (b"GET", b"HEAD") if method == "GET" else (b"POST",)
    if head.method not in allowed:
        names = ", ".join(name.decode() for name in allowed)
        raise Refusal(
            405,
            "method",
            "this path is not called with this method",
            where="request line",
            expected=names,
            headers=(("Allow", names),),
        )
    headers = head.headers
    trace, flags = trace_of(headers.get(b"traceparent"))
    return Asked(
        operation=operation,
        model=model,
        version=version,
        json_bytes=_json_bytes(headers.get(b"inference-header-content-length")),
        deadline_ms=_deadline_ms(headers.get(b"pilotage-deadline-ms")),
        trace=trace,
        trace_flags=flags,
        accepts=headers.get(b"accept-encoding", b""),
        timing=headers.get(b"pilotage-server-timing", b"").lower() in (b"1", b"true", b"yes"),
    )


def locate(path: bytes) -> tuple[Operation, str, str]:
    """The operation, model and version that a path names.

    Raises:
        Refusal: 404.
    """
    parts = tuple(path.strip(b"/").split(b"/"))
    plain = _PLAIN.get(parts)
    if plain is not None:
        return plain, "", ""
    if parts[:2] == (b"v2", b"models") and len(parts) >= 3:
        name, rest, version = parts[2], parts[3:], b""
        if len(rest) >= 2 and rest[0] == b"versions" and rest[1]:
            version, rest = rest[1], rest[2:]
        operation = _OF_MODEL.get(rest) if name else None
        if operation is not None:
            return operation, _text(name), _text(version)
    raise Refusal(
        404,
        "unknown",
        "there is nothing at this path",
        where="request line",
        expected="a path of the Open Inference Protocol v2, such as /v2/models/NAME/infer, "
        "or /v1/outcomes",
    )


def _text(part: bytes) -> str:
    return unquote_to_bytes(part).decode("utf-8", "replace")


def _json_bytes(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > 19:
        raise Refusal(
            400,
            "invalid",
            "the length of the JSON part is not a whole number",
            where="header inference-header-content-length",
            expected="decimal digits",
        )
    return int(value)


def _deadline_ms(value: bytes | None) -> float | None:
    if value is None:
        return None
    try:
        deadline_ms = float(value)
    except ValueError:
        deadline_ms = -1.0
    if not 0 < deadline_ms <= LONGEST_DEADLINE_MS:
        raise Refusal(
            400,
            "invalid",
            "the deadline cannot be read",
            where="header pilotage-deadline-ms",
            expected=f"a number of milliseconds above 0 and up to {LONGEST_DEADLINE_MS:.0f}",
        )
    return deadline_ms
