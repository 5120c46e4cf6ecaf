"""`pilotage record`: find a prediction, see the last ones, export many."""

import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from pilotage.contracts.predictions import TEXT_LENGTH
from pilotage.contracts.records import Payload, Record
from pilotage.errors import PilotageError
from pilotage.records import export as exporting
from pilotage.records.frames import Damage
from pilotage.records.store import Query, Store, decoded, read_id
from pilotage.records.values import facts_of, moment, plain, text_of, values_of
from pilotage.spec.folders import data_folder
from pilotage.spec.words import printable

if TYPE_CHECKING:
    from rich.console import Console

EXIT_NOT_FOUND: Final = 1
FOLLOW_S: Final = 0.2
"""Between two looks of `tail --follow`."""
SHOWN_VALUES: Final = 8
"""Elements of a tensor that people are shown."""
PIPE_WIDTH: Final = 200
QUIET: Final = ("rollout", "stage", "trace", "principal", "pair_id", "client_id")
"""Facts that are shown only where they say something."""

app = typer.Typer(
    name="record",
    help="Look into what was answered: every prediction is recorded before its answer leaves.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Folder = Annotated[
    Path | None,
    typer.Option("--record", metavar="FOLDER", help="The folder of the records."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a record, on a line.")]


def folder_of(given: Path | None) -> Path:
    """The folder that was named, else that of `serve` with the same environment."""
    if given is not None:
        return given
    if named := os.environ.get("PILOTAGE_RECORD", ""):
        return Path(named)
    data = os.environ.get("PILOTAGE_DATA", "") or data_folder(os.environ, sys.platform)
    return Path(data) / "records"


@app.command()
def find(
    prediction: Annotated[
        str, typer.Argument(metavar="ID", help="As in the header Pilotage-Prediction-Id.")
    ],
    record: Folder = None,
    as_json: Json = False,
) -> None:
    """Show the record of one prediction.

    Exit code 1 when there is none.

    Examples:

        pilotage record find 01a20cabf17300abcd00010000000005

        pilotage record find 01a20cabf17300abcd00010000000005 --json | jq .outputs
    """
    store = Store(folder_of(record))
    finding = store.find(read_id(prediction))
    if finding is None:
        _say(f"There is no record of {prediction.strip()} in {store.folder}.")
        raise typer.Exit(EXIT_NOT_FOUND)
    if as_json:
        _print_json(finding.records)
        return
    for each in finding.records:
        _print_record(each)
    _say(f"From {finding.source} in {store.folder}.")


@app.command()
def tail(
    record: Folder = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=0, help="How many of the last predictions.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the last predictions.

    Examples:

        pilotage record tail -n 20

        pilotage record tail --follow --json
    """
    store = Store(folder_of(record))
    reader = store.reader()
    if follow:
        reader.skip()
    last = store.last(count)
    if as_json:
        _print_json(last)
    else:
        _print_table(last)
    if not last and not follow:
        _say(f"There are no records in {store.folder} yet.")
    shown = {each.id for each in last}
    while follow:
        fresh = [each for found in reader for each in decoded(found) if each.id not in shown]
        shown.clear()
        if as_json:
            _print_json(fresh)
        else:
            _print_table(fresh, titles=False)
        time.sleep(FOLLOW_S)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .parquet or .jsonl file.")],
    record: Folder = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From this moment on, or the last 30m, 12h, 7d.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to this moment.")] = "",
    endpoint: Annotated[str, typer.Option(metavar="NAME", help="Only of this endpoint.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Write records to a file, one row a prediction.

    Parquet needs Polars (pip install 'pilotage[export]'); JSON lines need nothing.

    Examples:

        pilotage record export --out week.parquet --since 7d

        pilotage record export --out iris.jsonl --endpoint iris --since 2026-01-31T08:00
    """
    now = datetime.now(UTC)
    query = Query(
        since_ns=_moment("--since", since, now) if since else 0,
        until_ns=_moment("--until", until, now) if until else 1 << 63,
        endpoint=endpoint,
    )
    damage: list[Damage] = []
    store = Store(folder_of(record))
    try:
        count = exporting.export(store.records(query, damage), out)
    except OSError as error:
        raise PilotageError(f"cannot write: {error.strerror}", where=str(out)) from error
    for each in damage:
        _say(f"{each.path.name}: {each.lost_bytes} bytes at {each.offset} cannot be read.")
    if as_json:
        lost = sum(each.lost_bytes for each in damage)
        told = {"records": count, "file": str(out), "damaged_bytes": lost}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return
    _say(f"{count} records in {out}.")


UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _moment(flag: str, text: str, now: datetime) -> int:
    """Nanoseconds since the epoch of "12h" (ago) or of an ISO 8601 moment (UTC unless it says)."""
    try:
        if text[-1] in UNITS_S and text[:-1].isdigit():
            return int((now.timestamp() - int(text[:-1]) * UNITS_S[text[-1]]) * 1e9)
        moment_ = datetime.fromisoformat(text)
        return int((moment_ if moment_.tzinfo else moment_.replace(tzinfo=UTC)).timestamp() * 1e9)
    except (ValueError, OverflowError) as error:
        raise PilotageError(
            "not a moment", where=flag, expected="2026-01-31T08:00, 2026-01-31, 30m, 12h or 7d"
        ) from error


def _say(text: str) -> None:
    sys.stderr.write(printable(text) + "\n")


def _print_json(records: Iterable[Record]) -> None:
    for each in records:
        sys.stdout.write(msgspec.json.encode(plain(each)).decode() + "\n")
    sys.stdout.flush()


def _console() -> "Console":
    """The terminal as wide as it is; a file or a pipe as wide as needed."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _print_table(records: Iterable[Record], *, titles: bool = True) -> None:
    from rich.table import Table

    rows = [
        (
            moment(each.received_ns)[11:23],
            each.endpoint,
            each.status if each.phase == "whole" else f"{each.status} ({each.phase})",
            str(each.rows),
            f"{sum(each.parts_us.values()) / 1000:.2f}",
            _short(each.outputs),
            each.id.hex(),
        )
        for each in records
    ]
    table = Table(box=None, pad_edge=False, show_header=titles)
    for title in ("received (UTC)", "endpoint", "status", "rows", "ms", "answer", "id"):
        table.add_column(
            title,
            justify="right" if title in ("rows", "ms") else "left",
            no_wrap=title != "answer",
            min_width=TEXT_LENGTH if title == "id" else None,
        )
    for row in rows:
        table.add_row(*map(_safe, row))
    if rows:
        _console().print(table)


def _print_record(record: Record) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts_of(record).items():
        if value != "" or name not in QUIET:
            table.add_row(name, _safe(str(value)))
    for name, count in record.usage.items():
        table.add_row(f"usage {name}", str(count))
    for side, payloads in (("input", record.inputs), ("output", record.outputs)):
        for payload in payloads:
            shape = "×".join(map(str, payload.shape)) or "scalar"
            title = f"{payload.datatype} {shape}"
            table.add_row(_safe(f"{side} {payload.name}"), _safe(f"{title}  {_values(payload)}"))
    _console().print(table)


def _short(payloads: tuple[Payload, ...]) -> str:
    return ", ".join(f"{payload.name}={_values(payload)}" for payload in payloads)


def _values(payload: Payload) -> str:
    """The first elements of a tensor, or what is kept in their place."""
    values = values_of(payload)
    if values is None:
        return f"sha256 {payload.digest.hex()[:12]}…" if payload.digest else "not kept"
    shown: list[str] = []
    for each in values[:SHOWN_VALUES]:
        if isinstance(each, bytes):
            shown.append(repr(text_of(each[:64])))
        else:
            shown.append(f"{each:.6g}" if isinstance(each, float) else str(each))
    more = ["…"] if len(values) > SHOWN_VALUES else []
    return "[" + ", ".join(shown + more) + "]"


def _safe(text: str) -> str:
    """Text of a caller's, which must not steer the terminal or be taken for markup."""
    return printable(text).replace("[", "\\[")
