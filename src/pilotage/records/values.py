"""Tensors of records as Python values, and records as plain objects for JSON. Pure."""

import struct
from datetime import UTC, datetime

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.records import Payload, Record

Values = list[bool] | list[int] | list[float] | list[bytes]


def values_of(payload: Payload) -> Values | None:
    """The elements in row-major order; None where the record does not keep them.

    BF16 comes as the float it stands for, BYTES as bytes.
    """
    if payload.data is None:
        return None
    if payload.datatype == "BYTES":
        return _strings(payload.data)
    if payload.datatype == "BF16":
        halves = struct.unpack(f"<{len(payload.data) // 2}H", payload.data)
        wide = struct.pack(f"<{len(halves)}I", *(half << 16 for half in halves))
        return list(struct.unpack(f"<{len(halves)}f", wide))
    datatype = DATATYPES[payload.datatype]
    count = len(payload.data) // datatype.bytes_each
    return list(struct.unpack(f"<{count}{datatype.code}", payload.data))


def _strings(data: bytes) -> list[bytes]:
    strings: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        strings.append(data[at + 4 : end])
        at = end
    return strings


def text_of(element: bytes) -> str:
    """An element of BYTES as text; what is no UTF-8 is written as escapes."""
    return element.decode("utf-8", "backslashreplace")


def moment(ns: int) -> str:
    """Nanoseconds since the epoch as people read them, in UTC, to the microsecond."""
    whole = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % 1_000_000_000 // 1000:06d}Z"


def facts_of(record: Record) -> dict[str, object]:
    """The fields of a record beside its tensors, with ids and digests in hex."""
    return {
        "id": record.id.hex(),
        "received_at": moment(record.received_ns),
        "endpoint": record.endpoint,
        "version": record.version,
        "revision": record.revision,
        "arm": record.arm,
        "propensity_ppm": record.propensity_ppm,
        "rollout": record.rollout,
        "stage": record.stage,
        "phase": record.phase,
        "status": record.status,
        "client_id": record.client_id,
        "trace": record.trace,
        "principal": record.principal,
        "unit": record.unit.hex(),
        "pair_id": record.pair_id.hex(),
        "rows": record.rows,
        "batch_rows": record.batch_rows,
        **{f"{part}_us": us for part, us in record.parts_us.items()},
    }


def plain(record: Record) -> dict[str, object]:
    """A whole record for JSON: NaN and infinities of tensors become null there."""
    return {
        **facts_of(record),
        "usage": record.usage,
        "comparison": record.comparison,
        "inputs": [_plain_payload(payload) for payload in record.inputs],
        "outputs": [_plain_payload(payload) for payload in record.outputs],
    }


def _plain_payload(payload: Payload) -> dict[str, object]:
    values = values_of(payload)
    told: dict[str, object] = {
        "name": payload.name,
        "datatype": payload.datatype,
        "shape": payload.shape,
    }
    if values is not None:
        told["data"] = [text_of(each) if isinstance(each, bytes) else each for each in values]
    elif payload.digest is not None:
        told["sha256"] = payload.digest.hex()
    return told
