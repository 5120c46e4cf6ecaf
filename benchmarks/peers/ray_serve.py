"""Ray Serve: one replica with `@serve.batch` of up to 64 and a wait of 1 ms; one proxy.

No dashboard, no usage reports, access log off. It is the slowest to start (a cluster of its own).
"""

import signal
import sys

import numpy as np
import onnxruntime as ort
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse


@serve.deployment(
    num_replicas=1, max_ongoing_requests=256, ray_actor_options={"num_cpus": 0},
    logging_config={"enable_access_log": False},
)  # fmt: skip
class Replica:
    def __init__(self, path: str) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.001)
    async def rows(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        (output,) = self.session.run(["output"], {"input": np.stack(rows)})
        return list(output)

    async def __call__(self, request: Request) -> JSONResponse:
        row = np.array((await request.json())["data"], np.float32)
        return JSONResponse({"data": (await self.rows(row)).tolist()})


if __name__ == "__main__":
    ray.init(
        num_cpus=2, include_dashboard=False, object_store_memory=100 << 20,
        _node_ip_address="127.0.0.1", configure_logging=False, log_to_driver=False,
    )  # fmt: skip
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
    serve.run(Replica.bind(sys.argv[1]), route_prefix="/infer")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
