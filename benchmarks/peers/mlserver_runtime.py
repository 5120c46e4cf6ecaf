"""MLServer: a custom runtime in its own process (`parallel_workers: 0`, the best on one core).

`BENCHMARK_MLSERVER_BATCH=1` turns its adaptive batching on: six times as fast for `wide`, slower
for `tiny`. Debug, gzip, metrics and access logs are off. It writes its two settings files into a
temporary folder and becomes `mlserver start`.
"""

import json
import os
import socket
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Runtime(MLModel):
    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = os.environ["BENCHMARK_MODEL"]
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        asked = payload.inputs[0]
        rows = np.array(asked.data.root, np.float32).reshape(asked.shape)
        (output,) = self.session.run(["output"], {"input": rows})
        encoded = NumpyCodec.encode_output("output", output)
        return InferenceResponse(model_name=self.name, outputs=[encoded])


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="benchmark-mlserver-"))
    settings = {
        "debug": False, "host": "127.0.0.1", "http_port": int(sys.argv[2]),
        "grpc_port": _free_port(), "metrics_endpoint": None, "parallel_workers": 0,
        "gzip_enabled": False,
    }  # fmt: skip
    model = {"name": Path(sys.argv[1]).stem, "implementation": "mlserver_runtime.Runtime"}
    if os.environ.get("BENCHMARK_MLSERVER_BATCH", "0") == "1":
        model |= {"max_batch_size": 64, "max_batch_time": 0.001}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    os.environ["BENCHMARK_MODEL"] = sys.argv[1]
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    program = Path(sys.executable).with_name("mlserver")
    os.execv(program, [str(program), "start", str(folder)])
