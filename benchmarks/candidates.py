"""What a candidate costs the baseline: Magika's model alone, with a canary, and with a shadow.

    python -m benchmarks.candidates [--rounds 6] [--seconds 10]

One server, one worker, one engine thread, on the server's core; the candidate is the same file as
a version of its own, so it costs as much as the baseline. Requests arrive open-loop (Poisson) from
the load's core at 30 % of what the server answers in a closed loop, on one endpoint after the
other, in rounds whose order turns, each when the copies of the one before are answered. Times
count from the scheduled arrival. Copies may take 10 % of a core and probes 1 %, as a trial has it
by default.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import load
from benchmarks.machine import describe
from benchmarks.open_loop import ANSWERED, RECORD
from benchmarks.places import BUILD, HOST, LOAD_CORE
from benchmarks.programs import compile_program
from benchmarks.serve_candidates import CANARY, PLAIN, SHADOW
from benchmarks.server import Server, ask, free_port
from benchmarks.trials import removed, say
from benchmarks.wires import write_rotation
from pilotage.errors import PilotageError
from pilotage.records.store import Query, Store

LOADED = 0.3
"""Of capacity."""
CONNECTIONS = 256
BODIES = 64
LENGTH = 2048
SETTLED_S = 2.0
"""No copy was answered for so long: none waits."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.candidates", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=10)
    asked = parser.parse_args(arguments)
    os.sched_setaffinity(0, {LOAD_CORE})
    port = free_port()
    folder = BUILD / "records" / str(port)
    command = [sys.executable, "-m", "benchmarks.serve_candidates", "serve"]
    command += [f"{PLAIN}={magika_model()}", "--host", HOST, "--port", str(port)]
    command += ["--workers", "1", "--threads", "1", "--record", str(folder)]
    log = BUILD / "logs" / "pilotage-candidates.log"
    with removed(folder), Server(command, port, environment={}, log=log) as server:
        server.start(requests_for(PLAIN)[0])
        files = {
            name: write_rotation(requests_for(name), BUILD / "rotations" / f"candidates-{name}")
            for name in (PLAIN, CANARY, SHADOW)
        }
        for file in files.values():
            load.run(file, port, connections=4, seconds=1)
        capacity = load.run(files[PLAIN], port, connections=16, seconds=4).rate
        say(f"capacity {capacity:.0f}/s")
        took: dict[str, list[np.ndarray]] = {name: [] for name in files}
        for turn in range(asked.rounds):
            names = list(files)[turn % 3 :] + list(files)[: turn % 3]
            for name in names:
                took[name].append(arrivals(files[name], port, capacity * LOADED, asked.seconds))
                say(f"round {turn + 1} {name:7} p50 {np.median(took[name][-1]):.2f} ms")
                settle(port)
        print(describe())
        print(table(took, capacity, asked.seconds))
        print("\n".join(counted(port)))
        print(candidates_batches(folder))
    return 0


def magika_model() -> Path:
    """The model file of the package magika."""
    spec = importlib.util.find_spec("magika")
    if spec is None or spec.origin is None:
        raise PilotageError("the package magika is not installed", fix="Run `make setup`.")
    return Path(spec.origin).parent / "models" / "standard_v3_3" / "model.onnx"


def requests_for(endpoint: str) -> list[bytes]:
    """Requests of one row each, as binary tensors."""
    rows = np.random.default_rng(20261124).integers(0, 256, (BODIES, 1, LENGTH)).astype("<i4")
    return [_request(endpoint, row.tobytes()) for row in rows]


def _request(endpoint: str, raw: bytes) -> bytes:
    tensor = {"name": "bytes", "shape": [1, LENGTH], "datatype": "INT32"}
    asked = {"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}
    head = json.dumps(asked).encode()
    lines = [
        f"POST /v2/models/{endpoint}/infer HTTP/1.1",
        f"Host: {HOST}",
        f"Inference-Header-Content-Length: {len(head)}",
        f"Content-Length: {len(head) + len(raw)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + head + raw


def arrivals(file: Path, port: int, rate: float, seconds: int) -> np.ndarray:
    """Milliseconds of every request of one load; all must be answered."""
    records = BUILD / "candidates-records"
    command = ["taskset", "-c", str(LOAD_CORE), str(compile_program("open_loop")), str(port)]
    command += [str(file), f"{rate:.3f}", str(seconds), str(CONNECTIONS)]
    seed = int.from_bytes(os.urandom(2), "big")
    command += [str(seed), "1", "0", str(records)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = np.fromfile(records, RECORD)
    good = (rows["outcome"] == ANSWERED) & (rows["status"] == 200)
    if not good.all():
        raise PilotageError(f"{int((~good).sum())} of {len(rows)} requests were not answered")
    return rows["done_after_ns"] / 1e6


def table(took: dict[str, list[np.ndarray]], capacity: float, seconds: int) -> str:
    """Percentiles over all rounds, their ratio to the plain endpoint's, and by round."""
    rounds = len(took[PLAIN])
    lines = [
        f"{capacity:.0f} requests/s in a closed loop; {capacity * LOADED:.0f}/s arrive; "
        f"{rounds} rounds of {seconds} s each",
        "| endpoint | requests | p50 ms | ratio | p99 ms | ratio | p99 added ms | p50 ratios |",
        "|---|---|---|---|---|---|---|---|",
    ]
    plain = np.concatenate(took[PLAIN])
    for name, each in took.items():
        times = np.concatenate(each)
        p50, p99 = np.percentile(times, [50, 99])
        of_plain = p50 / np.median(plain), p99 / np.percentile(plain, 99)
        added = p99 - np.percentile(plain, 99)
        ratios = [np.median(a) / np.median(b) for a, b in zip(each, took[PLAIN], strict=True)]
        by_round = " ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
        lines.append(
            f"| {name} | {len(times)} | {p50:.2f} | {of_plain[0]:.3f} | {p99:.2f} "
            f"| {of_plain[1]:.3f} | {added:+.2f} | {by_round} |"
        )
    return "\n".join(lines)


def counted(port: int) -> list[str]:
    """How copies and probes ended."""
    head = f"GET /metrics HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    _, body = ask(port, head.encode())
    return re.findall(r"pilotage_(?:shadow_copies|probes)_total\{.*", body.decode())


def settle(port: int) -> None:
    """Waits until no copy waits any more, so that the next load has the server for itself."""
    before, now = [""], counted(port)
    while before != now:
        time.sleep(SETTLED_S)
        before, now = now, counted(port)


def candidates_batches(folder: Path) -> str:
    """How long the candidate's engine calls on copies took."""
    calls = {
        (each.received_ns + each.parts_us["queue"] * 1000): (
            each.batch_rows,
            each.parts_us["engine"] / 1e3,
        )
        for each in Store(folder).records(Query())
        if each.pair_id
    }
    took_ms = [call[1] for call in calls.values()]
    if not took_ms:
        return "no copy was answered"
    return (
        f"{len(took_ms)} copies' engine calls: median {np.median(took_ms):.1f} ms, "
        f"longest {max(took_ms):.1f} ms"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
