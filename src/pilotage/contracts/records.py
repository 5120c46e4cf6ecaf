"""Record: what happened, one per prediction; Outcome: what turned out to be true.

Predictions that one engine call answered share most of their fields, so they are written together
as a `Block`: shared fields once, tensors column by column, a short `Entry` each. `records_of`
gives back one `Record` per prediction. Writing a block costs a fraction of writing its records
(DESIGN.md: recording must not stall the loop), and a reader never sees the difference.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pilotage.contracts.datatypes import DATATYPES

FORMAT: Final = 1

Status = Literal[
    "ok", "client_error", "refused", "expired", "cancelled", "engine_error", "invalid_output"
]
"""How a prediction ended. An arm's error rate counts engine_error and invalid_output."""

Phase = Literal["whole", "opened", "closed"]
"""A whole answer writes one record; a stream writes two."""


class Column(Struct, frozen=True, array_like=True):
    """One tensor of all predictions of a block.

    Attributes:
        name, datatype: as in the signature.
        tail: the shape behind the row axis, shared by the block (the whole shape where the model
            has no row axis, and a block then holds one prediction).
        data: the rows of all entries, joined in order: raw little-endian elements, or for BYTES
            each element behind its 4-byte little-endian length. Empty where only digests are kept.
        digests: one SHA-256 an entry in place of the data; empty where the data is kept.
    """

    name: str
    datatype: str
    tail: tuple[int, ...]
    data: bytes = b""
    digests: tuple[bytes, ...] = ()


class Entry(Struct, frozen=True, array_like=True):
    """What is particular to one prediction of a block.

    Attributes:
        id: 16 bytes.
        received_ns: nanoseconds since the epoch when its last byte had come.
        rows: its rows; 0 where the model has no row axis.
        queue_us: from received to the start of its engine call.
        client_id: the caller's id, "" where none came.
        trace: the W3C trace id of the request in hex, "" where none came.
        principal: whose key it was, "" where no keys are asked for.
        unit: digest of the sticky key; empty where there is none (see `unit_of`).
        status: how it ended.
        pair_id: ties a shadow answer to the baseline's prediction; empty where there is none.
        comparison: (labels equal, largest difference) with the pair, where there is one.
        pair_status: how the pair's baseline prediction ended, where there is a pair.
    """

    id: bytes
    received_ns: int
    rows: int
    queue_us: int
    client_id: str = ""
    trace: str = ""
    principal: str = ""
    unit: bytes = b""
    status: Status = "ok"
    pair_id: bytes = b""
    comparison: tuple[bool, float] | None = None
    pair_status: Status = "ok"


class Block(Struct, frozen=True, array_like=True):
    """Predictions that were answered together.

    Attributes:
        batch_rows: rows of the engine call, which may hold more than this block's.
        engine_us: the engine's time for the call; encode_us: the time to make the answers.
        usage: what a stream used (tokens, chunks), empty for a whole answer.
    """

    endpoint: str
    version: str
    revision: int
    arm: str
    propensity_ppm: int
    rollout: str
    stage: str
    batch_rows: int
    engine_us: int
    encode_us: int
    phase: Phase
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    entries: list[Entry]
    usage: dict[str, int] = {}


class Payload(Struct, frozen=True):
    """One tensor of one prediction: `data` (as in `Column`), or a digest, or neither."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | None = None
    digest: bytes | None = None


class Record(Struct, frozen=True):
    """One prediction, as readers see it. The fields are those of `Block` and `Entry`."""

    id: bytes
    client_id: str
    trace: str
    endpoint: str
    version: str
    revision: int
    rollout: str
    stage: str
    arm: str
    propensity_ppm: int
    unit: bytes
    pair_id: bytes
    principal: str
    received_ns: int
    parts_us: dict[str, int]
    rows: int
    batch_rows: int
    status: Status
    inputs: tuple[Payload, ...]
    outputs: tuple[Payload, ...]
    comparison: tuple[bool, float] | None
    usage: dict[str, int]
    phase: Phase
    pair_status: Status = "ok"


class Probe(Struct, frozen=True):
    """A timing probe: one batch of the baseline, run through both versions back to back.

    Attributes:
        baseline, candidate: `Version.id`s.
        rows: of the batch; 0 where the model has no row axis.
        baseline_ns, candidate_ns: the engine's times.
        candidate_first: the order, drawn by a coin.
        at_ns: nanoseconds since the epoch.
        pair_id: the first prediction whose inputs were in the batch.
    """

    endpoint: str
    rollout: str
    stage: str
    baseline: str
    candidate: str
    rows: int
    baseline_ns: int
    candidate_ns: int
    candidate_first: bool
    at_ns: int
    pair_id: bytes = b""


class Outcome(Struct, frozen=True):
    """What turned out to be true of a prediction, or how its user liked it.

    Attributes:
        kind: what was observed, in the caller's word ("label", "converted", "stars").
        value: what it was.
        observed_ns: nanoseconds since the epoch when it was observed, as the caller says.
        source: the principal whose key reported it, "" where no keys are asked for.
        prediction_id: of the prediction it belongs to; empty where `key` names it.
        key: the caller's own id of the prediction (`client_id`), "" where there is none.
        attributes: anything else the caller tells.
        endpoint: of the prediction, where that is told; "" for any.
    """

    kind: str
    value: bool | int | float | str
    observed_ns: int
    source: str
    prediction_id: bytes = b""
    key: str = ""
    attributes: dict[str, str] = {}
    endpoint: str = ""


UNIT_BYTES: Final = 8


def digest_unit(of: bytes) -> bytes:
    """The digest by which a unit is known: never of content, and short, since units are counted."""
    return hashlib.blake2b(of, digest_size=UNIT_BYTES).digest()


def unit_of(entry: Entry) -> bytes:
    """The unit of an entry: its sticky key's digest, else its caller's id's, else its own id's."""
    return entry.unit or digest_unit(entry.client_id.encode() if entry.client_id else entry.id)


def records_of(block: Block) -> Iterator[Record]:
    """One record per prediction of the block, in order."""
    inputs = [_payloads(column, block.entries) for column in block.inputs]
    outputs = [_payloads(column, block.entries) for column in block.outputs]
    for index, entry in enumerate(block.entries):
        yield Record(
            id=entry.id,
            client_id=entry.client_id,
            trace=entry.trace,
            endpoint=block.endpoint,
            version=block.version,
            revision=block.revision,
            rollout=block.rollout,
            stage=block.stage,
            arm=block.arm,
            propensity_ppm=block.propensity_ppm,
            unit=unit_of(entry),
            pair_id=entry.pair_id,
            principal=entry.principal,
            received_ns=entry.received_ns,
            parts_us={
                "queue": entry.queue_us,
                "engine": block.engine_us,
                "encode": block.encode_us,
            },
            rows=entry.rows,
            batch_rows=block.batch_rows,
            status=entry.status,
            inputs=tuple(payloads[index] for payloads in inputs),
            outputs=tuple(payloads[index] for payloads in outputs),
            comparison=entry.comparison,
            usage=block.usage,
            phase=block.phase,
            pair_status=entry.pair_status,
        )


def _payloads(column: Column, entries: list[Entry]) -> list[Payload]:
    """The column cut into one payload an entry."""
    shapes = _shapes(column, entries)
    if column.digests:
        return [
            Payload(column.name, column.datatype, shape, digest=digest)
            for shape, digest in zip(shapes, column.digests, strict=True)
        ]
    if not column.data:
        return [Payload(column.name, column.datatype, shape) for shape in shapes]
    cuts = cuts_of(column, entries)
    return [
        Payload(column.name, column.datatype, shape, data=column.data[start:end])
        for shape, (start, end) in zip(shapes, cuts, strict=True)
    ]


def _shapes(column: Column, entries: list[Entry]) -> list[tuple[int, ...]]:
    return [(entry.rows, *column.tail) if entry.rows else column.tail for entry in entries]


def cuts_of(column: Column, entries: list[Entry]) -> Iterator[tuple[int, int]]:
    """Where the data of each entry starts and ends in a column that keeps its data."""
    bytes_each = DATATYPES[column.datatype].bytes_each
    start = 0
    for shape in _shapes(column, entries):
        elements = 1
        for length in shape:
            elements *= length
        end = start + elements * bytes_each
        if not bytes_each:
            end = start
            for _ in range(elements):
                end += 4 + int.from_bytes(column.data[end : end + 4], "little")
        yield start, end
        start = end


_encoder = msgspec.msgpack.Encoder()
_blocks = msgspec.msgpack.Decoder(Block)
_outcomes = msgspec.msgpack.Decoder(Outcome)
_probes = msgspec.msgpack.Decoder(Probe)

encode = _encoder.encode
decode_block = _blocks.decode
decode_outcome = _outcomes.decode
decode_probe = _probes.decode
