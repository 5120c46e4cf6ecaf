"""How a request and its answer look on the wire, for each way the contenders speak.

`v2` is the Open Inference Protocol, with JSON data or binary tensors; `plain` is the natural body
of a server written by hand: `{"data": [...]}` in and out, or bare little-endian float32; `rows`
is `{"data": [[...]]}` in and `[[...]]` out. Every request carries the
same key header.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from benchmarks.models import Model
from benchmarks.places import HOST, SECRET

Style = Literal["v2", "plain", "rows"]
Encoding = Literal["json", "binary"]

BODIES = 64
"""Different bodies that a load rotates through, so that no answer can come from a cache."""


@dataclass(frozen=True)
class Wire:
    """One way to ask: the path (with `{model}` in it), the body's style and encoding."""

    style: Style
    encoding: Encoding
    path: str


def rows_of(model: Model, count: int = BODIES) -> np.ndarray:
    """Seeded rows for a model: float32 [count, ...], rounded to the model's decimals."""
    values = np.random.default_rng(20261124).standard_normal((count, *model.tail))
    if model.decimals is not None:
        values = values.round(model.decimals)
    return values.astype(np.float32)


def requests_of(
    wire: Wire, model: Model, port: int, *, count: int = BODIES, deadline: bool = False
) -> list[bytes]:
    """Whole HTTP requests, one row each. With `deadline`, a header `Pilotage-Deadline-Ms: 0000`
    stands in each head for the open-loop generator to fill in."""
    return [
        _request(wire, model, port, _body(wire, model, row), deadline=deadline)
        for row in rows_of(model, count)
    ]


def read_answer(wire: Wire, head: bytes, body: bytes) -> np.ndarray:
    """The numbers of one answer, flat float32."""
    if wire.encoding == "json":
        decoded: Any = msgspec.json.decode(body)
        if wire.style == "v2":
            data = decoded["outputs"][0]["data"]
        else:
            data = decoded if wire.style == "rows" else decoded["data"]
        return np.asarray(data, np.float32).reshape(-1)
    if wire.style == "v2":
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"inference-header-content-length:"):
                return np.frombuffer(body[int(line.split(b":")[1]) :], "<f4")
        raise ValueError("the answer has no Inference-Header-Content-Length")
    return np.frombuffer(body, "<f4")


def write_rotation(requests: list[bytes], path: Path) -> Path:
    """A file of requests, each behind its length and a line feed, as the loads read them.

    They read lengths, not markers: a Lua string in [[...]] would end at nested JSON's first ]].
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return path


def _body(wire: Wire, model: Model, row: np.ndarray) -> tuple[bytes, int | None]:
    if wire.encoding == "binary":
        raw = row.astype("<f4").tobytes()
        if wire.style == "plain":
            return raw, None
        tensor = _tensor(model) | {"parameters": {"binary_data_size": len(raw)}}
        asked = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
        json = msgspec.json.encode(asked)
        return json + raw, len(json)
    data = row.reshape(-1).astype(np.float64)
    data = (data if model.decimals is None else data.round(model.decimals)).tolist()
    if wire.style == "plain":
        return msgspec.json.encode({"data": data}), None
    if wire.style == "rows":
        return msgspec.json.encode({"data": [data]}), None
    return msgspec.json.encode({"inputs": [_tensor(model) | {"data": data}]}), None


def _tensor(model: Model) -> dict[str, Any]:
    return {"name": "input", "shape": [1, *model.tail], "datatype": "FP32"}


def _request(
    wire: Wire, model: Model, port: int, body: tuple[bytes, int | None], *, deadline: bool
) -> bytes:
    content, json_bytes = body
    kind = "application/json" if wire.encoding == "json" else "application/octet-stream"
    lines = [
        f"POST {wire.path.format(model=model.name)} HTTP/1.1",
        f"Host: {HOST}:{port}",
        f"Authorization: Bearer {SECRET}",
        f"Content-Type: {kind}",
    ]
    if json_bytes is not None:
        lines.append(f"Inference-Header-Content-Length: {json_bytes}")
    if deadline:
        lines.append("Pilotage-Deadline-Ms: 0000")
    lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content
