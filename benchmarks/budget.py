"""Where the microseconds of one tiny request go.

The whole is CPU time by process under 64 connections, split by the kernel into user and system;
the parts are the worker's own Server-Timing, ONNX Runtime alone, and what the scripts in `parts/`
print when they run on the server's core.
"""

import os
import statistics
import subprocess
import sys
import time

import msgspec
import numpy as np

from benchmarks import load, processes
from benchmarks.contenders import OURS
from benchmarks.engine import engine
from benchmarks.models import TINY
from benchmarks.places import HERE, REPOSITORY, SERVER_CORE
from benchmarks.server import ask
from benchmarks.trials import opened, say
from benchmarks.wires import requests_of

ASKED = 200
ENGINE_ROUNDS = 300
ENGINE_BATCHES = (1, 16, 32, 64)


class Budget(msgspec.Struct, frozen=True):
    """Microseconds a request.

    Attributes:
        user_us, system_us: by process under 64 connections; system is mostly loopback TCP.
        timing_us: medians of Server-Timing's parts, one request at a time.
        engine_us: ONNX Runtime alone for a batch of so many rows (the whole batch).
        parts: the lines that each script in `parts/` printed.
    """

    user_us: dict[str, float]
    system_us: dict[str, float]
    timing_us: dict[str, float]
    engine_us: dict[str, float]
    parts: dict[str, list[str]]


def run(*, seconds: int) -> Budget:
    """Our server on `tiny`."""
    say("budget: our server under 64 connections, then its parts")
    with opened(OURS, TINY, ("json",)) as running:
        rotation, port = running.rotations["json"], running.server.port
        load.run(rotation, port, connections=64, seconds=1)
        before = {pid: processes.split_s(pid) for pid in running.server.pids()}
        done = load.run(rotation, port, connections=64, seconds=seconds)
        after = {pid: processes.split_s(pid) for pid in before}
        names = _names(list(before), {pid: sum(after[pid]) - sum(before[pid]) for pid in before})
        split = [
            {
                names[pid]: round((after[pid][side] - before[pid][side]) * 1e6 / done.requests, 2)
                for pid in before
            }
            for side in (0, 1)
        ]
        timing = _server_timing(port)
    return Budget(
        user_us=split[0],
        system_us=split[1],
        timing_us=timing,
        engine_us=_pinned_engine(),
        parts=_parts(),
    )


def _names(pids: list[int], used: dict[int, float]) -> dict[int, str]:
    ranked = sorted(pids, key=lambda pid: -used[pid])
    return {pid: f"{processes.name_of(pid)} {rank}" for rank, pid in enumerate(ranked, start=1)}


def _server_timing(port: int) -> dict[str, float]:
    wire = OURS.wires["json"]
    parts: dict[str, list[float]] = {}
    for request in requests_of(wire, TINY, port, count=ASKED):
        asking = request.replace(b"\r\nHost:", b"\r\nPilotage-Server-Timing: 1\r\nHost:", 1)
        head, _ = ask(port, asking)
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"server-timing":
                for part in value.decode().split(","):
                    label, _, duration = part.strip().partition(";dur=")
                    parts.setdefault(label, []).append(float(duration) * 1e3)
    return {name: round(statistics.median(values), 1) for name, values in parts.items()}


def _pinned_engine() -> dict[str, float]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        return {f"{rows} rows": _engine_us(rows) for rows in ENGINE_BATCHES}
    finally:
        os.sched_setaffinity(0, before)


def _engine_us(rows: int) -> float:
    run_engine = engine(TINY)
    batch = np.random.default_rng(1).standard_normal((rows, *TINY.tail), dtype=np.float32)
    times: list[float] = []
    for _ in range(ENGINE_ROUNDS):
        began = time.perf_counter_ns()
        run_engine(batch)
        times.append((time.perf_counter_ns() - began) / 1e3)
    return round(statistics.median(times), 1)


def _parts() -> dict[str, list[str]]:
    printed: dict[str, list[str]] = {}
    for script in sorted((HERE / "parts").glob("[a-z]*.py")):
        command = ["taskset", "-c", str(SERVER_CORE), sys.executable, str(script)]
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=180, check=False
        )
        lines = done.stdout if done.returncode == 0 else f"failed: {done.stderr.strip()[-200:]}"
        printed[script.stem] = lines.strip().splitlines()
    return printed
