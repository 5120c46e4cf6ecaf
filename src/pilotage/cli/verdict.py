"""`pilotage verdict`: what was decided, on which numbers, and whether the records say the same."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import typer

from pilotage.cli.ledger import Data, ledger_of
from pilotage.cli.ledger_words import print_facts, print_table, say, subject, when
from pilotage.cli.verdict_words import guard_rows, outcome, sentences_of
from pilotage.control.ledger import file as ledgers
from pilotage.control.ledger.file import Ledger
from pilotage.control.ledger.lines import Line
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.entries import Sealed, Started, Verdict
from pilotage.control.rollouts.recomputing import Judge, Recomputed, Same, recompute
from pilotage.errors import PilotageError

EXIT_DIFFERS: Final = 1

app = typer.Typer(
    name="verdict",
    help="See what was decided, and compute it again from the records alone.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="The first digits of the id, as `verdict list` shows it."),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


class Found(NamedTuple):
    """A verdict and what the ledger has about it."""

    line: Line
    verdict: Verdict
    started: Started | None
    sealed: Sealed | None


@app.command(name="list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List every verdict, the latest last.

    Examples:

        pilotage verdict list

        pilotage verdict list --json | jq -r 'select(.word == "failed").id'
    """
    path = ledger_of(data)
    lines = [line for line in Ledger(path).read() if line.entry.kind == "verdict"]
    found = [(line, entries.read(line.entry, Verdict)) for line in lines]
    if as_json:
        for line, verdict in found:
            _write(_named(line) | _plain(verdict, without=("cuts", "guards", "assumptions")))
        return
    if not found:
        say(f"There is no verdict in {path} yet.")
        return
    print_table(
        ("when (UTC)", "endpoint", "rollout", "of", "verdict", "why", "id"),
        [
            (
                when(line.entry.at),
                line.entry.endpoint,
                line.entry.rollout,
                verdict.of,
                verdict.word,
                verdict.harm or verdict.because,
                line.id,
            )
            for line, verdict in found
        ],
        folds=("of", "why"),
    )


@app.command()
def show(verdict: Id, data: Data = None, as_json: Json = False) -> None:
    """Show a verdict with the numbers and assumptions on which it stands.

    Examples:

        pilotage verdict show 5e0c64c1

        pilotage verdict show 5e0c64c1 --json | jq .guards
    """
    found = _find(ledger_of(data), verdict)
    of = found.verdict
    segments = found.sealed.segments if found.sealed else None
    if as_json:
        _write(_named(found.line) | _plain(of) | {"segments": msgspec.to_builtins(segments)})
        return
    entry = found.line.entry
    started = found.started
    versions = f"{started.candidate.name} against {started.baseline.name}" if started else ""
    print_facts(
        [
            ("verdict", f"{of.word}, of {subject(of)}"),
            ("why", of.harm or of.because),
            ("when", f"{when(entry.at)} UTC"),
            ("endpoint", entry.endpoint),
            ("rollout", entry.rollout),
            ("versions", versions),
            ("stage", f"{of.stage}, after {of.elapsed_s:.0f} s and {of.looks} looks"),
            ("confidence", f"{of.confidence:g}"),
            ("rule", of.rule),
            *(("assumes" if not index else " ", text) for index, text in enumerate(of.assumptions)),
            ("segments", "not sealed yet" if segments is None else ""),
            *(("segment", f"{each.name}  sha256 {each.digest}") for each in segments or ()),
            ("id", found.line.digest),
        ]
    )
    sys.stdout.write("\n")
    print_table(
        (
            "guard",
            "verdict",
            "harm",
            "margin",
            "baseline",
            "candidate",
            "observed",
            "evidence (1 decides)",
        ),
        guard_rows(of.guards),
        folds=("guard",),
    )


@app.command(name="recompute")
def recompute_(
    verdict: Id,
    data: Data = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FOLDER",
            help="The folder of the records; else the one that the ledger names.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute a verdict again from the records alone, and compare every number.

    Exit code 1 when anything differs, when records are gone, or when the ledger was changed.

    Examples:

        pilotage verdict recompute 5e0c64c1

        pilotage verdict recompute 5e0c64c1 --record /copy/of/records --json
    """
    path = ledger_of(data)
    found = _find(path, verdict)
    if found.started is None:
        raise PilotageError(
            "the ledger does not say how this rollout began, so its records cannot be found",
            where=str(path),
            fix="Run `pilotage ledger verify`: a line is gone.",
        )
    begun = found.started
    folder = record if record is not None else path.parent / begun.records
    result = recompute(
        found.verdict, begun, found.sealed, folder, lambda: _judge(begun, found.line)
    )
    faults = len(ledgers.verify(path).faults)
    if as_json:
        told = {"result": outcome(result), "ledger_faults": faults}
        _write(_named(found.line) | told | _without_tag(result))
    else:
        for text in sentences_of(result):
            sys.stdout.write(text + "\n")
        if faults:
            say("The ledger is not as it was written: see `pilotage ledger verify`.")
    if faults or not isinstance(result, Same):
        raise typer.Exit(EXIT_DIFFERS)


def _judge(started: Started, line: Line) -> Judge:
    from pilotage.checks.live.evidence import Evidence  # NumPy, which help does not need

    return Evidence(started.asked, rollout=line.entry.rollout, endpoint=line.entry.endpoint)


def _find(path: Path, name: str) -> Found:
    """The verdict of that id.

    Raises:
        PilotageError: there is none, or the line is no verdict.
    """
    ledger = Ledger(path)
    line = ledger.find(name)
    verdict = entries.read(line.entry, Verdict)
    started: Started | None = None
    sealed: Sealed | None = None
    for other in ledger.read():
        entry = other.entry
        if entry.kind == "started" and entry.rollout == line.entry.rollout:
            started = entries.read(entry, Started)
        elif entry.kind == "sealed" and entry.what.get("verdict") == line.entry.key:
            sealed = entries.read(entry, Sealed)
    return Found(line, verdict, started, sealed)


def _named(line: Line) -> dict[str, Any]:
    entry = line.entry
    names = {"id": line.id, "digest": line.digest, "key": entry.key, "at": entry.at}
    return names | {"endpoint": entry.endpoint, "rollout": entry.rollout}


def _plain(verdict: Verdict, without: tuple[str, ...] = ()) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(verdict)
    return {name: value for name, value in values.items() if name not in without}


def _without_tag(result: Recomputed) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(result)
    return {name: value for name, value in values.items() if name != "type"}


def _write(value: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
