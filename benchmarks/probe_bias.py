"""Whether timing probes tell equal versions apart: a model probed against itself under traffic.

    python -m benchmarks.probe_bias [--probes 300]

Two replicas of one file; the baseline answers `TRAFFIC` batches between two probes. A guard asks in
how many probes the candidate was more than 5 % slower, which must be no more than half of them.
Each model is timed at once, and as the data plane does, which warms both.
"""

import argparse
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.candidates import LENGTH, magika_model
from benchmarks.models import CACHED, TINY, WIDE, make
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Step, Version
from pilotage.serving.replica import Replica, open_replica
from pilotage.serving.trials import probing

TRAFFIC = 10
SLOWER = 1.05
PAUSE_S = 0.0005
CASES = {
    "tiny, 8 rows": (lambda: make(TINY), ("input", "output"), (8, 30)),
    "4 MB of weights, 4 rows": (lambda: make(CACHED), ("input", "output"), (4, 30)),
    "100 MB of weights, 4 rows": (lambda: make(WIDE), ("input", "output"), (4, 1024)),
    "Magika, 1 row": (magika_model, ("bytes", "target_label"), (1, LENGTH)),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe_bias", description=__doc__)
    parser.add_argument("--probes", type=int, default=300)
    probes = parser.parse_args(arguments).probes
    print("| model | rounds of warming | candidate > 5 % slower | slower | median ratio |")
    print("|---|---|---|---|---|")
    warm_rounds = probing.WARM_ROUNDS
    for name, (path, tensors, shape) in CASES.items():
        for rounds in (0, warm_rounds):
            cast(Any, probing).WARM_ROUNDS = rounds
            ratios = probed(path(), tensors, shape, probes)
            slower, much = (ratios > 1).mean(), (ratios > SLOWER).mean()
            print(f"| {name} | {rounds} | {much:.0%} | {slower:.0%} | {np.median(ratios):.3f} |")
    return 0


def probed(path: Path, tensors: tuple[str, str], shape: tuple[int, ...], probes: int) -> np.ndarray:
    """The candidate's time over the baseline's, for each probe of a model against itself."""
    chance = random.Random(20261124)
    baseline, candidate = (opened(path, tensors) for _ in range(2))
    inputs = [np.random.default_rng(1).integers(0, 256, shape).astype(dtype_of(tensors))]
    ratios: list[float] = []
    for _ in range(probes):
        for _ in range(TRAFFIC):
            baseline.run(inputs, shape[0])
        time.sleep(PAUSE_S)
        sides = (SimpleNamespace(replica=side) for side in (baseline, candidate))
        due = probing.Due(*cast(Any, sides), cast(Any, None), [*inputs], shape[0], b"")
        timed = probing.time_both(due, candidate_first=chance.random() < 0.5)
        ratios.append(timed.candidate_ns / timed.baseline_ns)
    return np.array(ratios)


def opened(path: Path, tensors: tuple[str, str]) -> Replica:
    """A replica of the file, as a worker has it."""
    datatype = "INT32" if dtype_of(tensors) is np.int32 else "FP32"
    signature = Signature(
        (Tensor(tensors[0], datatype, ("n", 1)),), (Tensor(tensors[1], "FP32", ("n", 1)),)
    )
    version = Version("probed", "probed", "", signature, (Step("onnxruntime", "", str(path)),))
    return open_replica(version, threads=1)


def dtype_of(tensors: tuple[str, str]) -> type:
    return np.int32 if tensors[0] == "bytes" else np.float32


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
