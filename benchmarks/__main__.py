"""`python -m benchmarks`: measures us and the peers, prints the table, keeps the results."""

import argparse
import datetime
import os
import re
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from benchmarks import (
    budget,
    closed_loop,
    mixed,
    open_loop,
    raw_onnxruntime,
    recording_cost,
    startup,
)
from benchmarks.contenders import FASTAPI, FLOOR, MOSEC, OURS, OURS_POLLING, PEERS, Contender
from benchmarks.load import tool
from benchmarks.machine import describe
from benchmarks.models import TINY
from benchmarks.places import BUILD, LOAD_CORE, RESULTS, SERVER_CORE
from benchmarks.processes import adopt_orphans
from benchmarks.report import render
from benchmarks.results import Results
from benchmarks.trials import opened, say
from pilotage.errors import PilotageError

NAMES = (
    "floor", "raw_onnxruntime", "closed_loop", "open_loop", "recording_cost", "startup", "mixed",
    "budget",
)  # fmt: skip
OPEN_FILES = 16384


@dataclass(frozen=True)
class Length:
    """How long a run takes: rounds and whole seconds of each load."""

    rounds: int
    seconds: int
    flood_s: int
    starts: int
    copied_mib: int


FULL = Length(rounds=5, seconds=4, flood_s=60, starts=5, copied_mib=2048)
QUICK = Length(rounds=1, seconds=1, flood_s=5, starts=1, copied_mib=256)


def main(arguments: list[str]) -> int:
    """Exit code 0, or 2 when something that a run needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second of each, one round")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=None, metavar="NAME",
                        help=f"some of: {', '.join(NAMES)}")  # fmt: skip
    parser.add_argument("--peers", default=",".join(peer.name for peer in PEERS),
                        help="peers by name, with commas; an empty text for none")  # fmt: skip
    parser.add_argument("--rounds", type=int, help="rounds of the closed loops")
    asked = parser.parse_args(arguments)
    try:
        names = tuple(asked.only or NAMES)
        _prepare_machine()
        length = QUICK if asked.quick else FULL
        if asked.rounds:
            length = replace(length, rounds=asked.rounds)
        results = _nothing_yet()
        try:
            _measure(names, _peers(asked.peers), length, results)
        except SystemExit:
            _keep(results, whole=False)
            raise
    except PilotageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _keep(results, whole=not asked.quick and names == NAMES)
    return 0


def _peers(text: str) -> list[Contender]:
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    known = {peer.name: peer for peer in PEERS}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise PilotageError(
            f"no peer named {', '.join(unknown)}", expected=f"some of {', '.join(known)}"
        )
    return [known[name] for name in wanted]


def _prepare_machine() -> None:
    for name, package in (("wrk", "wrk"), ("gcc", "gcc libc6-dev"), ("taskset", "util-linux")):
        tool(name, package)
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise PilotageError(
            "this machine has too few cores",
            expected=f"cores {SERVER_CORE} (server) and {LOAD_CORE} (load)",
        )
    os.sched_setaffinity(0, {LOAD_CORE})
    adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # an exception, so that every server is stopped on the way
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, OPEN_FILES), most))
    BUILD.mkdir(parents=True, exist_ok=True)


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _nothing_yet() -> Results:
    return Results(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=describe(),
        settings={},
        failed={},
        trials=[],
        raw_rows=[],
        floods=[],
    )


def _measure(
    names: tuple[str, ...], peers: list[Contender], length: Length, results: Results
) -> None:
    """Fills in the results, benchmark by benchmark."""

    def attempt(name: str, what: Callable[[], None]) -> None:
        if name not in names:
            return
        try:
            what()
        except (PilotageError, OSError, ValueError, KeyError) as error:
            results.failed[name] = str(error)
            say(f"{name} is left out: {error}")

    _closed_loops(names, peers, length, results)
    attempt("open_loop", lambda: _floods(peers, length, results))
    attempt("startup", lambda: _startups(peers, length, results))
    attempt("recording_cost", lambda: _recording(length, results))
    attempt("mixed", lambda: setattr(results, "mixed", mixed.run(seconds=length.seconds)))
    attempt("budget", lambda: setattr(results, "budget", budget.run(seconds=length.seconds)))


def _closed_loops(
    names: tuple[str, ...], peers: list[Contender], length: Length, results: Results
) -> None:
    def raw() -> None:
        results.raw_rows.append(raw_onnxruntime.measure(length.seconds))
        say(f"raw ONNX Runtime on wide: {results.raw_rows[-1]:.0f} rows/s")

    contenders: list[Contender] = []
    if "closed_loop" in names:
        contenders = [_floor(), OURS, OURS_POLLING, *peers]
    elif "floor" in names:
        contenders = [FLOOR]
    results.settings = {contender.name: contender.settings for contender in contenders}
    if contenders:
        between = raw if "closed_loop" in names or "raw_onnxruntime" in names else _nothing
        closed_loop.run(
            contenders,
            rounds=length.rounds,
            seconds=length.seconds,
            between=between,
            failed=results.failed,
            into=results.trials,
        )
    elif "raw_onnxruntime" in names:
        raw()


def _nothing() -> None:
    return


def _floor() -> Contender:
    """The floor with answers of our size, when ours answers."""
    try:
        with opened(OURS, TINY, ("json",)) as running:
            return replace(FLOOR, options=(str(running.answer_bytes),))
    except (PilotageError, OSError):
        return FLOOR


def _floods(peers: list[Contender], length: Length, results: Results) -> None:
    for contender in (OURS, *(peer for peer in (MOSEC, FASTAPI) if peer in peers)):
        if contender.name in results.failed:
            continue
        try:
            for hang_up in (False, True):
                flood = open_loop.run(contender, seconds=length.flood_s, hang_up=hang_up)
                results.floods.append(flood)
        except (PilotageError, OSError, ValueError) as error:
            results.failed[f"{contender.name} in the open loop"] = str(error)
            say(f"{contender.name} is left out of the open loop: {error}")


def _startups(peers: list[Contender], length: Length, results: Results) -> None:
    for contender in (OURS, *peers):
        if contender.name not in results.failed:
            starts = min(length.starts, 2) if contender.slow else length.starts
            results.startups.append(startup.run(contender, rounds=starts))


def _recording(length: Length, results: Results) -> None:
    try:
        results.recording = recording_cost.run(
            rounds=length.rounds, seconds=length.seconds, file_mib=length.copied_mib
        )
    finally:
        recording_cost.clean()


def _keep(results: Results, *, whole: bool) -> None:
    """Prints the report and writes it: whole runs into `results/`, others into the build folder."""
    slug = re.sub(r"[^a-z0-9]+", "-", results.machine.processor.lower()).strip("-")
    folder, name = (RESULTS, f"{results.date}-{slug}") if whole else (BUILD, "last")
    folder.mkdir(parents=True, exist_ok=True)
    text = render(results)
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    print(text)
    say(f"written: {folder / name}.md, .json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
