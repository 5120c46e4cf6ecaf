"""One trial: a contender started with a model, its answers checked, then loaded and watched."""

import resource
import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import load, processes
from benchmarks.contenders import Contender
from benchmarks.engine import engine
from benchmarks.environments import prepare
from benchmarks.models import Model
from benchmarks.places import BUILD, LOAD_CORE, SERVER_CORE
from benchmarks.server import Server, ask, free_port
from benchmarks.wires import Encoding, read_answer, requests_of, rows_of, write_rotation
from pilotage.errors import PilotageError

DISTURBED = 0.08
"""A trial during which others used more than this share of either core is repeated."""
REPEATS = 2
QUIET_WAIT_S = 15.0
"""Longest wait for the machine to be quiet before a trial."""
QUIET_LOOK_S = 0.5
QUIET_S = 0.03
"""Quiet: others used less than this of either core during one look."""
TOLERANCE = 2e-3
"""Largest difference from ONNX Runtime's own answer that a contender may show."""


class Trial(msgspec.Struct, frozen=True):
    """What one load on one server showed.

    Attributes:
        cpu_us: microseconds of CPU a request, by process of the server.
        foreign: share of a core that others used meanwhile, on the busier of the two.
        load_share: share of its core that the load itself used; near 1 it is the bottleneck.
    """

    contender: str
    model: str
    encoding: str
    connections: int
    round: int
    rate: float
    load: load.Load
    cpu_us: dict[str, float]
    foreign: float
    load_share: float


@dataclass(frozen=True)
class Opened:
    """A contender that answers rightly, with the files its loads send."""

    contender: Contender
    model: Model
    server: Server
    rotations: dict[Encoding, Path]
    answer_bytes: int


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@contextmanager
def opened(
    contender: Contender, model: Model, encodings: tuple[Encoding, ...]
) -> Generator[Opened]:
    """Starts a contender, checks one answer of each encoding, ends it at the end."""
    prepare(contender)
    port = free_port()
    records = BUILD / "records" / str(port)
    log = BUILD / "logs" / f"{contender.name}-{model.name}.log"
    command = contender.command(model, port)
    variables = contender.variables(model, port, encodings[0])
    with removed(records), Server(command, port, environment=variables, log=log) as server:
        rotations: dict[Encoding, Path] = {}
        answer_bytes = 0
        for encoding in encodings:
            requests = requests_of(contender.wires[encoding], model, port)
            if not rotations:
                server.start(requests[0])
            answer_bytes = _check(contender, model, encoding, port, requests[0])
            name = f"{contender.name}-{model.name}-{encoding}"
            rotations[encoding] = write_rotation(requests, BUILD / "rotations" / name)
        yield Opened(contender, model, server, rotations, answer_bytes)


@contextmanager
def removed(folder: Path) -> Generator[None]:
    """Removes a folder at the end, however it comes."""
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(
    contender: Contender, model: Model, encoding: Encoding, port: int, request: bytes
) -> int:
    """Compares an answer with ONNX Runtime's; the whole answer's size in bytes."""
    head, body = ask(port, request)
    if contender.name != "floor":
        found = read_answer(contender.wires[encoding], head, body)
        if not np.allclose(found, expected(model), rtol=TOLERANCE, atol=TOLERANCE):
            raise PilotageError("the answer is wrong", where=f"{contender.name}, {model.name}")
    return len(head) + 4 + len(body)


def expected(model: Model) -> np.ndarray:
    """ONNX Runtime's answer to the first row of every rotation."""
    return engine(model)(rows_of(model, 1)).reshape(-1)


def attempt(
    running: Opened, encoding: Encoding, *, connections: int, seconds: int, turn: int
) -> Trial:
    """One load, repeated while others disturb it; the calmest of the attempts counts."""
    calmest: Trial | None = None
    for _ in range(1 + REPEATS):
        trial = _load_once(running, encoding, connections, seconds, turn)
        if calmest is None or trial.foreign < calmest.foreign:
            calmest = trial
        if calmest.foreign <= DISTURBED:
            break
    assert calmest is not None
    say(
        f"{calmest.contender:20} {calmest.model} {encoding:6} {connections:3} connections: "
        f"{calmest.rate:9.0f}/s  p50 {calmest.load.p50_us / 1e3:8.3f} ms  "
        f"p99 {calmest.load.p99_us / 1e3:8.3f} ms  CPU {sum(calmest.cpu_us.values()):7.1f} us"
        f"{f'  disturbed {calmest.foreign:.0%}' if calmest.foreign > DISTURBED else ''}"
        f"{f'  refused {calmest.load.refused}' if calmest.load.refused else ''}"
        f"{f'  broken {calmest.load.broken}' if calmest.load.broken else ''}"
    )
    return calmest


def _load_once(
    running: Opened, encoding: Encoding, connections: int, seconds: int, turn: int
) -> Trial:
    server = running.server
    wait_for_quiet(server)
    began, before, spent = time.monotonic(), server.cpu_s(), _loads_cpu_s()
    busy = {core: processes.core_busy_s(core) for core in (SERVER_CORE, LOAD_CORE)}
    done = load.run(
        running.rotations[encoding], server.port, connections=connections, seconds=seconds
    )
    busy = {core: processes.core_busy_s(core) - was for core, was in busy.items()}
    spent, took = _loads_cpu_s() - spent, time.monotonic() - began
    used = {pid: now - before.get(pid, 0.0) for pid, now in server.cpu_s().items()}
    foreign = max(busy[SERVER_CORE] - sum(used.values()), busy[LOAD_CORE] - spent)
    return Trial(
        contender=running.contender.name,
        model=running.model.name,
        encoding=encoding,
        connections=connections,
        round=turn,
        rate=done.rate,
        load=done,
        cpu_us=by_name(used, max(done.requests, 1)),
        foreign=max(0.0, foreign / took),
        load_share=spent / took,
    )


def wait_for_quiet(server: Server) -> None:
    """Waits while others keep a core busy, up to `QUIET_WAIT_S`."""
    limit = time.monotonic() + QUIET_WAIT_S
    while time.monotonic() < limit:
        before = _foreign_s(server)
        time.sleep(QUIET_LOOK_S)
        now = _foreign_s(server)
        if max(late - early for early, late in zip(before, now, strict=True)) < QUIET_S:
            return


def _foreign_s(server: Server) -> tuple[float, float]:
    """Seconds so far that the two cores worked for others than the server and this program."""
    return (
        processes.core_busy_s(SERVER_CORE) - sum(server.cpu_s().values()),
        processes.core_busy_s(LOAD_CORE) - _loads_cpu_s(),
    )


def _loads_cpu_s() -> float:
    """CPU seconds of this process and of the loads that it has run and collected."""
    own, below = (resource.getrusage(who) for who in _USAGES)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


_USAGES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def by_name(used: dict[int, float], requests: int) -> dict[str, float]:
    """Microseconds a request by process name, the busiest first; idle processes are left out."""
    named: dict[str, float] = {}
    for pid, spent in sorted(used.items(), key=lambda item: -item[1]):
        each = spent * 1e6 / requests
        if each < 0.005:
            continue
        name, turn = processes.name_of(pid) or "ended", 1
        while (label := name if turn == 1 else f"{name}:{turn}") in named:
            turn += 1
        named[label] = round(each, 3)
    return named
