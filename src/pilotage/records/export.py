"""Records into one file that other tools read: Parquet (through Polars) or JSON lines.

A row is a prediction. A tensor NAME of the inputs is the column `input_NAME`, a flat list in
row-major order (text for BYTES), with `input_NAME_shape` and, where only the digest was kept,
`input_NAME_sha256`; outputs likewise. Where two versions give a name to different datatypes, the
later one's column carries the datatype too.

The file appears under its name only when it is whole.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pilotage.contracts.records import Payload, Record
from pilotage.errors import PilotageError
from pilotage.records.values import facts_of, plain, text_of, values_of

if TYPE_CHECKING:
    import polars

CHUNK_RECORDS: Final = 50_000
"""Records that are in memory at once."""
PARQUET: Final = ".parquet"
LINES: Final = (".jsonl", ".ndjson")
FACTS: Final = {
    "id": "text",
    "received_at": "moment",
    "endpoint": "text",
    "version": "text",
    "revision": "whole",
    "arm": "text",
    "propensity_ppm": "whole",
    "rollout": "text",
    "stage": "text",
    "phase": "text",
    "status": "text",
    "client_id": "text",
    "trace": "text",
    "principal": "text",
    "unit": "text",
    "pair_id": "text",
    "rows": "whole",
    "batch_rows": "whole",
    "queue_us": "whole",
    "engine_us": "whole",
    "encode_us": "whole",
    "usage": "text",
}
"""The columns beside the tensors, and what they hold."""
_TYPES: Final = {"BOOL": "Boolean", "BYTES": "String", "BF16": "Float32", "FP16": "Float32"}
_KINDS: Final = {"FP": "Float", "INT": "Int", "UINT": "UInt"}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def export(records: Iterator[Record], to: Path) -> int:
    """Write the records to a file whose ending says in which form; how many there were.

    Raises:
        PilotageError: an ending that is not known, or Parquet without Polars.
        OSError: the file cannot be written.
    """
    if to.suffix in LINES:
        return _replace(to, lambda path: _write_lines(records, path))
    if to.suffix == PARQUET:
        _need_polars()
        return _replace(to, lambda path: _write_parquet(records, path))
    raise PilotageError(
        f"the ending {to.suffix!r} says no form of export" if to.suffix else "no ending",
        where=str(to),
        expected=f"{PARQUET} or {' or '.join(LINES)}",
    )


def _need_polars() -> None:
    try:
        import polars  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ModuleNotFoundError as error:
        raise PilotageError(
            "Parquet is written through Polars, which is not installed",
            fix="pip install 'pilotage[export]', or name a file that ends with .jsonl.",
        ) from error


def _replace(to: Path, write: Callable[[Path], int]) -> int:
    """Write into a folder beside the file, and move it to its place at the end."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=to.parent) as folder:
        path = Path(folder) / to.name
        count = write(path)
        os.replace(path, to)
    return count


def _write_lines(records: Iterator[Record], path: Path) -> int:
    encoder = msgspec.json.Encoder()
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(encoder.encode(plain(record)) + b"\n")
            count += 1
    return count


def _write_parquet(records: Iterator[Record], path: Path) -> int:
    """A part for each chunk, then all parts as one file; columns that a part lacks are null."""
    import polars

    parts: list[Path] = []
    columns: dict[str, str] = {}
    count = 0
    while chunk := list(islice(records, CHUNK_RECORDS)):
        parts.append(path.with_name(f"{len(parts)}.part"))
        _frame(chunk, columns).write_parquet(parts[-1])
        count += len(chunk)
    if not parts:
        _frame([], columns).write_parquet(path)
        return 0
    polars.concat([polars.scan_parquet(part) for part in parts], how="diagonal").sink_parquet(path)
    return count


def _frame(chunk: list[Record], columns: dict[str, str]) -> "polars.DataFrame":
    """The chunk as a table; `columns` remembers the datatype of each tensor's column."""
    import polars

    schema = _facts_schema()
    table: dict[str, list[object]] = {name: [] for name in schema}
    for index, record in enumerate(chunk):
        facts = facts_of(record)
        facts["received_at"] = EPOCH + timedelta(microseconds=record.received_ns // 1000)
        facts["usage"] = msgspec.json.encode(record.usage).decode() if record.usage else None
        for name in FACTS:
            table[name].append(facts[name])
        for side, payloads in (("input", record.inputs), ("output", record.outputs)):
            for payload in payloads:
                name = _column(f"{side}_{payload.name}", payload, columns)
                if name not in schema:
                    kind: type[polars.DataType] = getattr(polars, _polars_type(payload.datatype))
                    schema[name] = polars.List(kind)
                    schema[f"{name}_shape"] = polars.List(polars.Int64)
                    schema[f"{name}_sha256"] = polars.String
                for cell, value in _cells(name, payload).items():
                    cells = table.setdefault(cell, [])
                    cells += [None] * (index - len(cells))
                    cells.append(value)
    for cells in table.values():
        cells += [None] * (len(chunk) - len(cells))
    return polars.DataFrame(table, schema=schema)


def _column(name: str, payload: Payload, columns: dict[str, str]) -> str:
    first = columns.setdefault(name, payload.datatype)
    return name if first == payload.datatype else f"{name}_{payload.datatype}"


def _cells(name: str, payload: Payload) -> dict[str, object]:
    values = values_of(payload)
    if values is not None and payload.datatype == "BYTES":
        values = [text_of(each) for each in values if isinstance(each, bytes)]
    return {
        name: values,
        f"{name}_shape": list(payload.shape),
        f"{name}_sha256": payload.digest.hex() if payload.digest is not None else None,
    }


def _polars_type(datatype: str) -> str:
    if datatype in _TYPES:
        return _TYPES[datatype]
    letters = datatype.rstrip("0123456789")
    return _KINDS[letters] + datatype[len(letters) :]


def _facts_schema() -> dict[str, "polars.DataType | type[polars.DataType]"]:
    import polars

    kinds: dict[str, polars.DataType | type[polars.DataType]] = {
        "text": polars.String,
        "whole": polars.Int64,
        "moment": polars.Datetime("us", "UTC"),
    }
    return {name: kinds[kind] for name, kind in FACTS.items()}
