"""What recording costs: our server with it on against off, in interleaved rounds.

Throughput of `tiny` at 64 connections; then the tail of the latency at 8 connections while a large
file is copied on the same disk by a process of idle priority on the load's core.
"""

import shutil
import statistics
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from benchmarks import load
from benchmarks.contenders import OURS, OURS_UNRECORDED
from benchmarks.models import TINY
from benchmarks.places import BUILD, LOAD_CORE
from benchmarks.trials import attempt, opened, say

COPY_CONNECTIONS = 8
MIB = 1 << 20


class RecordingCost(msgspec.Struct, frozen=True):
    """Medians over rounds; `lost` is the share of throughput that recording takes."""

    on_rate: float
    off_rate: float
    lost: float
    copied_gb: float
    on_p999_ms: float
    off_p999_ms: float


def run(*, rounds: int, seconds: int, file_mib: int) -> RecordingCost:
    """A B A B ...: each round starts both anew."""
    rates: dict[str, list[float]] = {OURS.name: [], OURS_UNRECORDED.name: []}
    tails: dict[str, list[float]] = {OURS.name: [], OURS_UNRECORDED.name: []}
    copied = 0
    for turn in range(rounds):
        order = (OURS, OURS_UNRECORDED) if turn % 2 == 0 else (OURS_UNRECORDED, OURS)
        for contender in order:
            with opened(contender, TINY, ("json",)) as running:
                load.run(running.rotations["json"], running.server.port, connections=64, seconds=1)
                calm = attempt(running, "json", connections=64, seconds=seconds, turn=turn)
                rates[contender.name].append(calm.rate)
                with copying(file_mib) as copies:
                    beside = load.run(
                        running.rotations["json"],
                        running.server.port,
                        connections=COPY_CONNECTIONS,
                        seconds=seconds,
                    )
                copied += copies[0]
                tails[contender.name].append(beside.p999_us / 1e3)
                say(f"{contender.name:20} beside the copy: p99.9 {beside.p999_us / 1e3:.3f} ms")
    on, off = (statistics.median(rates[who.name]) for who in (OURS, OURS_UNRECORDED))
    return RecordingCost(
        on_rate=round(on, 1),
        off_rate=round(off, 1),
        # of pairs, so that a slow minute touches both sides
        lost=round(1 - statistics.median(a / b for a, b in zip(*rates.values(), strict=True)), 4),
        copied_gb=round(copied * file_mib * MIB / 1e9, 1),
        on_p999_ms=round(statistics.median(tails[OURS.name]), 3),
        off_p999_ms=round(statistics.median(tails[OURS_UNRECORDED.name]), 3),
    )


@contextmanager
def copying(file_mib: int) -> Generator[list[int]]:
    """Copies a file again and again meanwhile; the list's one number is how often it was whole."""
    source, target = BUILD / "copied-from", BUILD / "copied-to"
    if not source.exists() or source.stat().st_size != file_mib * MIB:
        with source.open("wb") as file:
            for turn in range(file_mib):
                file.write(bytes([turn % 251]) * MIB)
    script = f"while cp {source} {target}; do echo; done"
    command = ["taskset", "-c", str(LOAD_CORE), "chrt", "--idle", "0", "sh", "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    time.sleep(0.5)
    copies = [0]
    try:
        yield copies
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=60)
        copies[0] = out.count(b"\n")
        target.unlink(missing_ok=True)


def clean() -> None:
    """Removes the file that was copied."""
    (BUILD / "copied-from").unlink(missing_ok=True)
    shutil.rmtree(BUILD / "records", ignore_errors=True)
