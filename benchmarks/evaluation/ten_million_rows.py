"""Scoring 10 million rows of Parquet, beside reading them with Polars and raw ONNX Runtime.

    python -m benchmarks.evaluation.ten_million_rows [ROWS]

Each way runs in a process of its own, three times in turn; the table shows medians. `resident` is
the process's peak; of Pilotage's, what one array a row takes lies in mapped files, so `anonymous`
is what the system cannot take back. The files are written to a temporary folder: about 1.2 GB.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

ROWS: Final = 10_000_000
COLUMNS: Final = 10
RUNS: Final = 3
BATCH_ROWS: Final = 4096
SOURCES: Final = {"many row groups": None, "one row group": ROWS}
"""Files by the rows of their row groups; None is Polars' default."""


def main(rows: int) -> None:
    """Makes the files and prints a table of every way on each."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "model.onnx").write_bytes(_model())
        print(f"{rows:,} rows, {COLUMNS} float columns into an MLP {COLUMNS}-32-2\n")
        print("| file | way | seconds | of them: survey, score | resident MB | anonymous MB |")
        print("|---|---|---|---|---|---|")
        for name, group in SOURCES.items():
            _write(folder / "data.parquet", rows, group)
            found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for _ in range(RUNS):
                for way in WAYS:
                    found[way].append(_in_a_process(way, folder))
            for way, runs in found.items():
                print(_row(name, way, runs))


def _row(name: str, way: str, runs: list[dict[str, float]]) -> str:
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    parts = f"{middle['survey_s']:.1f}, {middle['score_s']:.1f}"
    sizes = f"{middle['resident_mb']:.0f} | {middle['anonymous_mb']:.0f}"
    return f"| {name} | {way} | {middle['seconds']:.1f} | {parts} | {sizes} |"


def _in_a_process(way: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.evaluation.ten_million_rows", way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return json.loads(done.stdout)


def _pilotage(folder: Path) -> dict[str, float]:
    from pilotage.evaluation.data.datasets import open_dataset
    from pilotage.evaluation.data.surveying import survey
    from pilotage.evaluation.scoring.predicting import score
    from pilotage.formats.opening import open_model
    from pilotage.spec.gates import DataSettings

    model = open_model(folder / "model.onnx", artifacts=folder / "store")
    settings = DataSettings(label="label", protected=("sex",))
    began = time.perf_counter()
    dataset = open_dataset(str(folder / "data.parquet"))
    known = survey(dataset, settings)
    surveyed = time.perf_counter()
    score(model, dataset, settings, surveyed=known)
    return {"survey_s": surveyed - began, "score_s": time.perf_counter() - surveyed}


def _polars_and_onnxruntime(folder: Path) -> dict[str, float]:
    """The whole table in memory, as one would write it by hand."""
    from pilotage.isolation.runtime import onnxruntime

    runtime = onnxruntime()
    began = time.perf_counter()
    frame = pl.read_parquet(folder / "data.parquet")
    values = frame.select(pl.col("^f.*$")).cast(pl.Float32).to_numpy()
    read = time.perf_counter()
    session = runtime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    for start in range(0, len(values), BATCH_ROWS):
        session.run(None, {"x": np.ascontiguousarray(values[start : start + BATCH_ROWS])})
    return {"survey_s": read - began, "score_s": time.perf_counter() - read}


WAYS: Final[dict[str, Callable[[Path], dict[str, float]]]] = {
    "Pilotage": _pilotage,
    "Polars, ONNX Runtime": _polars_and_onnxruntime,
}


def _measured(way: str, folder: Path) -> dict[str, float]:
    """One way, with what it took."""
    peak = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], _mb("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = WAYS[way](folder)
    finally:
        over.set()
        watcher.join()
    return {
        **found,
        "seconds": found["survey_s"] + found["score_s"],
        "resident_mb": _mb("VmHWM"),
        "anonymous_mb": peak[0],
    }


def _mb(field: str) -> float:
    """A size of this process; the peak of `getrusage` would hold the parent's as well."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _write(path: Path, rows: int, group: int | None) -> None:
    """Ten columns of floats, half of them of 64 bits, a label and a protected column."""
    chance = np.random.default_rng(0)
    columns = {
        f"f{index}": chance.standard_normal(rows).astype(np.float64 if index % 2 else np.float32)
        for index in range(COLUMNS)
    }
    label = (columns["f0"] + chance.standard_normal(rows) > 0).astype(np.int8)
    sex = pl.Series(chance.integers(0, 2, rows)).replace_strict([0, 1], ["F", "M"])
    pl.DataFrame({**columns, "label": label, "sex": sex}).write_parquet(path, row_group_size=group)


def _model() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    chance = np.random.default_rng(1)
    weights = {
        "a": chance.normal(size=(COLUMNS, 32)).astype(np.float32) / 3,
        "b": chance.normal(size=(32, 2)).astype(np.float32) / 5,
    }
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", COLUMNS])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
