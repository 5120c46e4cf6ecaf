"""KServe: a custom model in its own server, run inline in an async `predict`; one worker.

gRPC, latency logs and access logs are off. It has no batcher of its own in this process. It
answers the binary tensor extension too.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, logging


class Inline(Model):
    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.ready = True

    async def predict(self, payload: InferRequest, headers=None, response_headers=None):  # noqa: ARG002
        rows = payload.inputs[0].as_numpy()
        (output,) = self.session.run(["output"], {"input": np.asarray(rows, np.float32)})
        answer = InferOutput("output", list(output.shape), "FP32")
        binary = bool(payload.use_binary_outputs)
        answer.set_data_from_numpy(output, binary_data=binary)
        return InferResponse(payload.id or "", self.name, [answer], use_binary_outputs=binary)


if __name__ == "__main__":
    logging.configure_logging()
    logging.logger.setLevel("WARNING")
    server = ModelServer(
        http_port=int(sys.argv[2]), workers=1, enable_grpc=False, enable_latency_logging=False,
        access_log_format=None,
    )  # fmt: skip
    server.start([Inline(Path(sys.argv[1]).stem, sys.argv[1])])
