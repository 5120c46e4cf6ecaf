"""The raw ONNX Runtime loop: batches of 32 rows of `wide` on the server's core, and no server.

Run as a program it prints rows a second; `measure` runs it pinned, in a process of its own.
"""

import subprocess
import sys
import time

import numpy as np

from benchmarks.engine import engine
from benchmarks.models import WIDE
from benchmarks.places import REPOSITORY, SERVER_CORE

BATCH_ROWS = 32


def measure(seconds: float) -> float:
    """Rows a second over one run."""
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m"]
    command += ["benchmarks.raw_onnxruntime", str(seconds)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True
    )
    return float(done.stdout)


def _loop(seconds: float) -> float:
    run = engine(WIDE)
    rows = np.random.default_rng(1).standard_normal((BATCH_ROWS, *WIDE.tail), dtype=np.float32)
    for _ in range(5):
        run(rows)
    began, batches = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        run(rows)
        batches += 1
    return batches * BATCH_ROWS / took


if __name__ == "__main__":
    print(_loop(float(sys.argv[1])))
