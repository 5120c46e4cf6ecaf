"""BentoML: one worker; the model inline in an async method, or behind its adaptive batching.

`BENCHMARK_BENTOML_BATCH=1` asks for batches, which take and give lists of rows: faster for `wide`.
Metrics, tracing and access logs are off.
"""

import os

import bentoml
import numpy as np
import onnxruntime as ort

BATCHED = os.environ.get("BENCHMARK_BENTOML_BATCH", "0") == "1"


def _open() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = os.environ["BENCHMARK_MODEL"]
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


QUIET = {
    "workers": 1,
    "traffic": {"timeout": 60, "max_concurrency": 1024},
    "logging": {"access": {"enabled": False}},
    "metrics": {"enabled": False},
}

if BATCHED:

    @bentoml.service(**QUIET)
    class Service:
        def __init__(self) -> None:
            self.session = _open()

        @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000, route="/infer")
        async def infer(self, data: np.ndarray) -> np.ndarray:
            rows = np.asarray(data, np.float32)
            return self.session.run(["output"], {"input": rows})[0]

else:

    @bentoml.service(**QUIET)
    class Service:
        def __init__(self) -> None:
            self.session = _open()

        @bentoml.api(route="/infer")
        async def infer(self, data: list[float]) -> dict[str, list[float]]:
            row = np.array(data, np.float32)[None]
            (output,) = self.session.run(["output"], {"input": row})
            return {"data": output[0].tolist()}
