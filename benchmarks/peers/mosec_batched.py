"""Mosec: its Rust front end batches up to 64 rows and waits 1 ms, its best (0 means 10 ms).

One worker process. The body is read and written by msgspec instead of Mosec's default `json`;
the worker class for binary bodies takes and gives bare float32.
"""

import os
import sys

import msgspec
import numpy as np
import onnxruntime as ort
from mosec import Server, Worker

MODEL, PORT = os.environ["BENCHMARK_MODEL"], os.environ["BENCHMARK_PORT"]


class Ask(msgspec.Struct):
    data: list[float]


class Json(Worker):
    def __init__(self) -> None:
        super().__init__()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
        self.decoder = msgspec.json.Decoder(Ask)
        self.encoder = msgspec.json.Encoder()

    def deserialize(self, data: bytes) -> np.ndarray:
        return np.array(self.decoder.decode(data).data, np.float32)

    def serialize(self, data: np.ndarray) -> bytes:
        return self.encoder.encode({"data": data.tolist()})

    def forward(self, data: list[np.ndarray]) -> list[np.ndarray]:
        (output,) = self.session.run(["output"], {"input": np.stack(data)})
        return list(output)


class Binary(Json):
    resp_mime_type = "application/octet-stream"

    def deserialize(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, np.float32)

    def serialize(self, data: np.ndarray) -> bytes:
        return data.tobytes()


if __name__ == "__main__":
    sys.argv[1:] = ["--address", "127.0.0.1", "--port", PORT, "--log-level", "warning"]
    server = Server()
    kind = Binary if os.environ.get("BENCHMARK_ENCODING") == "binary" else Json
    server.append_worker(kind, num=1, max_batch_size=64, max_wait_time=1, route="/inference")
    server.run()
