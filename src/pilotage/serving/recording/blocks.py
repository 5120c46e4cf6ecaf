"""From a finished batch to the blocks that record it. Pure.

Nearly always that is one block with every tensor whole. A request whose inputs (or outputs) are
larger than the policy's bound is recorded by digests, and a column is either data or digests, so
such a batch gives a block for each way of keeping. A block stays below `BLOCK_BYTES`, so that it
fits the ring whatever the batch was.

Budget: 1 µs a batch for `blocks_of` when all is whole, plus making the columns.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.limits import MIB
from pilotage.contracts.records import Block, Column, Entry, Phase, cuts_of
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import RecordPolicy

BLOCK_BYTES: Final = 1 * MIB
"""Tensor data of one block, in bytes; only a single larger request goes beyond it."""

Keeping = Literal["data", "digest", "none"]


class Origin(Struct, frozen=True):
    """What all predictions of a route share; made once a snapshot.

    `signature` is the version's, in whose order tensors come; whether they have a row axis is
    told by it.
    """

    endpoint: str
    version: str
    revision: int
    arm: str
    propensity_ppm: int
    rollout: str
    stage: str
    policy: RecordPolicy
    signature: Signature


class Timing(Struct, frozen=True):
    """The engine call: its rows, its time, and the time to make the answers."""

    batch_rows: int
    engine_us: int
    encode_us: int


class Part(Struct, frozen=True):
    """Entries of a batch that are kept in the same way."""

    indexes: Sequence[int]
    inputs: Keeping
    outputs: Keeping


def columns_of(
    tensors: tuple[Tensor, ...], arrays: Sequence[Any], has_rows: bool
) -> tuple[Column, ...]:
    """The tensors of one side of a whole batch, ready to be recorded.

    `arrays`: a NumPy array a tensor, in the signature's order, rows stacked on the first axis
    where there is one; None for an optional input that did not come; nothing at all where there
    is nothing to record. BF16 comes as its raw 16 bits; elements of BYTES are bytes or text.
    """
    columns: list[Column] = []
    for tensor, array in zip(tensors, arrays, strict=False):
        if array is not None:
            datatype = tensor.datatype
            tail = array.shape[1:] if has_rows else array.shape
            data = array.tobytes() if datatype != "BYTES" else joined(array.ravel().tolist())
            columns.append(Column(tensor.name, datatype, tail, data))
    return tuple(columns)


def joined(elements: Sequence[bytes | str]) -> bytes:
    """BYTES elements, each behind its 4-byte little-endian length."""
    parts: list[bytes] = []
    for element in elements:
        raw = element.encode("utf-8", "surrogatepass") if isinstance(element, str) else element
        parts += (len(raw).to_bytes(4, "little"), raw)
    return b"".join(parts)


def blocks_of(
    origin: Origin,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    entries: list[Entry],
    timing: Timing,
    *,
    phase: Phase = "whole",
    usage: dict[str, int] | None = None,
) -> list[Block]:
    """The blocks of a batch: its entries, and arrays that hold their rows in the same order.

    For the arrays see `columns_of`. `outputs` is empty where no answer came to be (an engine
    error, a stream that was opened), `inputs` where none could be read.
    """
    has_rows = entries[0].rows > 0
    into = columns_of(origin.signature.inputs, inputs, has_rows)
    out = columns_of(origin.signature.outputs, outputs, has_rows)
    rows = len(inputs[0]) if has_rows and inputs and inputs[0] is not None else 0
    if _small(origin.policy, into, out, len(entries) if rows == len(entries) else 1):
        return [_block(origin, timing, phase, into, out, entries, usage)]
    blocks: list[Block] = []
    for part in _parts(origin.policy, into, out, entries):
        whole = len(part.indexes) == len(entries)
        kept_in = _kept(into, entries, part.indexes, part.inputs, whole)
        kept_out = _kept(out, entries, part.indexes, part.outputs, whole)
        chosen = entries if whole else [entries[index] for index in part.indexes]
        blocks.append(_block(origin, timing, phase, kept_in, kept_out, chosen, usage))
    return blocks


def _block(
    origin: Origin,
    timing: Timing,
    phase: Phase,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    entries: list[Entry],
    usage: dict[str, int] | None,
) -> Block:
    return Block(
        origin.endpoint,
        origin.version,
        origin.revision,
        origin.arm,
        origin.propensity_ppm,
        origin.rollout,
        origin.stage,
        timing.batch_rows,
        timing.engine_us,
        timing.encode_us,
        phase,
        inputs,
        outputs,
        entries,
        usage or {},
    )


def _small(
    policy: RecordPolicy,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    alike: int,
) -> bool:
    """No request is beyond what it may keep, seen without looking at each.

    `alike`: how many requests of one row each the batch is made of, which are then equally large
    where no element has a length of its own; 1 where they may differ, and the whole batch has to be
    within what one request may keep. (33 tiny requests: 4.4 -> 2.4 µs a batch.)
    """
    if policy.inputs != "auto" or policy.outputs != "auto":
        return False
    kept = 0
    for each in (*inputs, *outputs):
        kept += len(each.data)
        if each.datatype == "BYTES":
            alike = 1
    return kept <= min(policy.inline_bytes * alike, BLOCK_BYTES)


def _parts(
    policy: RecordPolicy,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    entries: list[Entry],
) -> list[Part]:
    """The entries by how they are kept; the usual case, all in one way, leaves early."""
    everything = range(len(entries))
    in_ways = _ways(policy.inputs, inputs, entries, policy.inline_bytes)
    out_ways = _ways(policy.outputs, outputs, entries, policy.inline_bytes)
    kept_bytes = 0
    if in_ways == "data":
        kept_bytes += _total(inputs)
    if out_ways == "data":
        kept_bytes += _total(outputs)
    if isinstance(in_ways, str) and isinstance(out_ways, str) and kept_bytes <= BLOCK_BYTES:
        return [Part(everything, in_ways, out_ways)]
    groups: dict[tuple[Keeping, Keeping], list[int]] = {}
    for index in everything:
        in_way = in_ways if isinstance(in_ways, str) else in_ways[index]
        out_way = out_ways if isinstance(out_ways, str) else out_ways[index]
        groups.setdefault((in_way, out_way), []).append(index)
    sizes = _sizes(inputs + outputs, entries)
    return [Part(run, *ways) for ways, indexes in groups.items() for run in _runs(indexes, sizes)]


def _ways(
    wish: Literal["auto", "digest", "none"],
    columns: tuple[Column, ...],
    entries: list[Entry],
    inline_bytes: int,
) -> Keeping | list[Keeping]:
    """How one side of each entry is kept; one word where it is the same for all."""
    if wish != "auto":
        return wish
    total = _total(columns)
    if total <= inline_bytes:
        return "data"
    rows = [entry.rows or 1 for entry in entries]
    even = all(DATATYPES[column.datatype].bytes_each for column in columns)
    if even and total * max(rows) <= inline_bytes * sum(rows):
        return "data"
    sizes = _sizes(columns, entries)
    ways: list[Keeping] = ["data" if size <= inline_bytes else "digest" for size in sizes]
    return ways[0] if len(set(ways)) == 1 else ways


def _total(columns: tuple[Column, ...]) -> int:
    return sum(len(column.data) for column in columns)


def _sizes(columns: tuple[Column, ...], entries: list[Entry]) -> list[int]:
    """Bytes of each entry, over the columns."""
    sizes = [0] * len(entries)
    for each in columns:
        for index, (start, end) in enumerate(cuts_of(each, entries)):
            sizes[index] += end - start
    return sizes


def _runs(indexes: list[int], sizes: list[int]) -> list[list[int]]:
    """The indexes cut into runs whose sizes stay below `BLOCK_BYTES`."""
    runs: list[list[int]] = [[]]
    room = BLOCK_BYTES
    for index in indexes:
        if sizes[index] > room and runs[-1]:
            runs.append([])
            room = BLOCK_BYTES
        runs[-1].append(index)
        room -= sizes[index]
    return runs


def _kept(
    columns: tuple[Column, ...],
    entries: list[Entry],
    indexes: Sequence[int],
    keeping: Keeping,
    whole: bool,
) -> tuple[Column, ...]:
    """The columns of some entries, as data, as digests or as neither."""
    if keeping == "data" and whole:
        return columns
    if keeping == "none":
        return tuple(Column(each.name, each.datatype, each.tail) for each in columns)
    kept: list[Column] = []
    for each in columns:
        cuts = list(cuts_of(each, entries))
        view = memoryview(each.data)
        pieces = [view[slice(*cuts[index])] for index in indexes]
        if keeping == "data":
            kept.append(Column(each.name, each.datatype, each.tail, b"".join(pieces)))
            continue
        digests = tuple(hashlib.sha256(piece).digest() for piece in pieces)
        kept.append(Column(each.name, each.datatype, each.tail, digests=digests))
    return tuple(kept)
