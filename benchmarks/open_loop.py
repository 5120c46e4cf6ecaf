"""Open loop: requests of `wide` arrive at twice a server's capacity, whether it answers or not.

Deadlines are drawn from 50 to 200 ms. Callers either wait on after their own has passed, or hang
up, which sheds load for those servers that notice: both are measured. The load is `open_loop.c`
on the load's core; it tells how late it sent and how busy it was, so that it can be seen not to be
the bottleneck. Capacity is the server's own closed-loop rate at 64 connections,
measured just before.
"""

import contextlib
import subprocess
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import load
from benchmarks.contenders import Contender
from benchmarks.models import WIDE
from benchmarks.places import BUILD, LOAD_CORE
from benchmarks.programs import compile_program
from benchmarks.trials import attempt, opened, say, wait_for_quiet
from benchmarks.wires import requests_of, write_rotation

MOST_CONNECTIONS = 4000
MEMORY_EVERY_S = 5.0
SEED = 2026

RECORD = np.dtype(
    [
        ("scheduled_ns", "<i8"),
        ("sent_after_ns", "<i8"),
        ("done_after_ns", "<i8"),
        ("deadline_ms", "<i4"),
        ("status", "<i2"),
        ("outcome", "<i2"),
    ]
)
"""One arrival, as `open_loop.c` writes it."""
ANSWERED, GAVE_UP, NOT_SENT, BROKEN = 1, 2, 3, 4


class Flood(msgspec.Struct, frozen=True):
    """What an overload of one server came to.

    Attributes:
        capacity: closed-loop requests a second, from just before.
        offered: requests a second that arrived.
        goodput: answers of 200 within their deadline, a second.
        late: answers of 200 after it, a second.
        refused: answers of 400 and above, a second; `refused_p50_ms` from arrival to refusal.
        gave_up: callers that hung up without any answer, a second.
        lag_p99_ms: how late the load itself sent, 99th percentile.
        load_share: share of its core that the load used.
        memory_mb: PSS of all the server's processes, every 5 s.
    """

    contender: str
    hang_up: bool
    seconds: float
    capacity: float
    offered: float
    goodput: float
    late: float
    refused: float
    refused_p50_ms: float
    refused_p99_ms: float
    answered_p50_ms: float
    answered_p99_ms: float
    gave_up: float
    not_sent: float
    broken: float
    lag_p99_ms: float
    load_share: float
    memory_mb: list[float]

    @property
    def share(self) -> float:
        """Goodput as a share of capacity."""
        return self.goodput / self.capacity


def run(contender: Contender, *, seconds: int, hang_up: bool, overload: float = 2.0) -> Flood:
    """Measures one contender's capacity, then floods it with binary requests of `wide` at
    Poisson arrivals."""
    with opened(contender, WIDE, ("binary",)) as running:
        load.run(running.rotations["binary"], running.server.port, connections=64, seconds=2)
        calm = attempt(running, "binary", connections=64, seconds=max(2, seconds // 10), turn=0)
        wire = contender.wires["binary"]
        rotation = write_rotation(
            requests_of(wire, WIDE, running.server.port, deadline=True),
            BUILD / "rotations" / f"{contender.name}-open-loop",
        )
        records = BUILD / "open-loop-records"
        wait_for_quiet(running.server)
        process = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), str(compile_program("open_loop")),
             str(running.server.port), str(rotation), f"{calm.rate * overload:.3f}", str(seconds),
             str(MOST_CONNECTIONS), str(SEED), "1", str(int(hang_up)), str(records)],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        memory: list[float] = []
        while process.poll() is None:
            memory.append(round(sum(running.server.pss_bytes().values()) / 1e6, 1))
            _sleep_beside(process, MEMORY_EVERY_S)
        out, _ = process.communicate()
        about = msgspec.json.decode(out)
    flood = _summarize(contender.name, hang_up, records, calm.rate, about, memory)
    say(
        f"{flood.contender:12} {'hang up' if hang_up else 'wait on'}: offered "
        f"{flood.offered:6.0f}/s of capacity {flood.capacity:.0f}: "
        f"goodput {flood.goodput:.0f}/s ({flood.share:.2f}), refused {flood.refused:.0f}/s at "
        f"{flood.refused_p50_ms:.1f} ms, gave up {flood.gave_up:.0f}/s, load at "
        f"{flood.load_share:.0%} of its core, late by {flood.lag_p99_ms:.2f} ms at p99"
    )
    return flood


def _sleep_beside(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


def _summarize(
    name: str,
    hang_up: bool,
    records: Path,
    capacity: float,
    about: dict[str, float],
    memory: list[float],
) -> Flood:
    rows = np.fromfile(records, RECORD)
    seconds = float(rows["scheduled_ns"].max()) / 1e9
    took_ms = rows["done_after_ns"] / 1e6
    answered = (rows["outcome"] == ANSWERED) & (rows["status"] == 200)
    refused = (rows["outcome"] == ANSWERED) & (rows["status"] >= 400)
    in_time = answered & (took_ms <= rows["deadline_ms"])
    sent = rows["outcome"] != NOT_SENT

    def rate(which: np.ndarray) -> float:
        return round(float(which.sum()) / seconds, 1)

    return Flood(
        contender=name,
        hang_up=hang_up,
        seconds=round(seconds, 1),
        capacity=round(capacity, 1),
        offered=round(len(rows) / seconds, 1),
        goodput=rate(in_time),
        late=rate(answered & ~in_time),
        refused=rate(refused),
        refused_p50_ms=_percentile(took_ms[refused], 50),
        refused_p99_ms=_percentile(took_ms[refused], 99),
        answered_p50_ms=_percentile(took_ms[answered], 50),
        answered_p99_ms=_percentile(took_ms[answered], 99),
        gave_up=rate(rows["outcome"] == GAVE_UP),
        not_sent=rate(rows["outcome"] == NOT_SENT),
        broken=rate(rows["outcome"] == BROKEN),
        lag_p99_ms=_percentile(rows["sent_after_ns"][sent] / 1e6, 99),
        load_share=round(about["cpu_s"] / about["seconds"], 3),
        memory_mb=memory,
    )


def _percentile(values: np.ndarray, which: float) -> float:
    return round(float(np.percentile(values, which)), 3) if len(values) else float("nan")
