"""`python -m benchmarks.decisions`: error rates and speeds of decisions, ours and the peers'.

Tables go to stdout, progress to stderr, a whole run into `results/decisions-DATE-CPU.md`, `.json`
and two pictures.
"""

import argparse
import datetime
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.decisions import (
    coverage,
    guard_beside_peers,
    guard_errors,
    guard_power,
    latency,
    monitor_peers,
    monitors,
    pictures,
    running_rollouts,
    speeds,
    sticky,
    timing_probes,
)
from benchmarks.decisions.lengths import FULL, QUICK, Length
from benchmarks.decisions.tables import Part, aims_table, markdown, terminal
from benchmarks.decisions.tasks import SEED
from benchmarks.machine import Machine, describe
from benchmarks.places import BUILD, RESULTS

PARTS: dict[str, Callable[[Length], Part]] = {
    "speeds": speeds.run,
    "coverage": coverage.run,
    "power": guard_power.run,
    "guard": guard_errors.run,
    "peers": guard_beside_peers.run,
    "sticky": sticky.run,
    "latency": latency.run,
    "probes": timing_probes.run,
    "monitors": monitors.run,
    "monitor_peers": monitor_peers.run,
    "running": running_rollouts.run,
}
PICTURES = {
    "false rollbacks": pictures.false_rollbacks,
    "canary requests": pictures.canary_requests,
}


class Run(msgspec.Struct):
    """One run, as it is kept."""

    date: str
    command: str
    seed: int
    machine: Machine
    length: dict[str, int]
    parts: list[Part]


def main(arguments: list[str]) -> int:
    """Exit code 0, whatever was found; the aims are in the last table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few runs: does it work?")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART",
                        help=f"some of: {', '.join(PARTS)}")  # fmt: skip
    asked = parser.parse_args(arguments)
    length = QUICK if asked.quick else FULL
    # Whole cores are shared out by processes; threads inside them would only disturb.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    run = Run(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=" ".join(["python -m benchmarks.decisions", *arguments]),
        seed=SEED,
        machine=describe(),
        length={name: getattr(length, name) for name in length.__dataclass_fields__},
        parts=[],
    )
    for name in asked.only or PARTS:
        run.parts.append(_timed(PARTS[name], length))
        for table in run.parts[-1].tables:
            print(terminal(table), flush=True)
    print(terminal(aims_table([aim for part in run.parts for aim in part.aims])))
    if asked.quick:
        print("Few runs: a quick run shows that it works, and decides no aim.")
    _keep(run, whole=not asked.quick and not asked.only)
    return 0


def _timed(part: Callable[[Length], Part], length: Length) -> Part:
    start = time.monotonic()
    found = part(length)
    found.seconds = round(time.monotonic() - start, 1)
    return found


def _keep(run: Run, *, whole: bool) -> None:
    """A whole run among the results, a part of one where builds are."""
    cpu = re.sub(r"[^a-z0-9]+", "-", run.machine.processor.lower()).strip("-")
    name = f"decisions-{run.date}-{'-'.join(cpu.split('-')[:2])}" if whole else "decisions-last"
    folder = RESULTS if whole else BUILD
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1))
    drawn: list[Path] = []
    for part in run.parts:
        for title, points in part.curves.items():
            path = folder / f"{name}-{title.replace(' ', '-')}.svg"
            path.write_text(pictures.svg(PICTURES[title](points)), encoding="utf-8")
            drawn.append(path)
    report = folder / f"{name}.md"
    report.write_text(_report(run, drawn), encoding="utf-8")
    print(f"written: {report}", file=sys.stderr)


def _report(run: Run, drawn: list[Path]) -> str:
    m = run.machine
    packages = ", ".join(f"{n} {v}" for n, v in m.packages.items() if n in ("pilotage", "numpy"))
    minutes = sum(part.seconds for part in run.parts) / 60
    times = ", ".join(f"{part.name} {part.seconds:.0f} s" for part in run.parts)
    heading = (
        f"# Decisions, simulated: {run.date}\n\n"
        f"Command: `{run.command}`. Seed {run.seed}. {minutes:.0f} minutes ({times}).\n\n"
        f"{m.processor}, {m.cores} cores, {m.memory_gb} GB, Linux {m.kernel}; Python {m.python}; "
        f"{packages}; commit {m.commit}. Load average at the start: {m.load_average}."
    )
    sections = [heading, markdown(aims_table([aim for part in run.parts for aim in part.aims]))]
    sections += [f"![{path.stem}]({path.name})" for path in drawn]
    sections += [markdown(table) for part in run.parts for table in part.tables]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
