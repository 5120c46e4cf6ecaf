"""FastAPI + ONNX Runtime by hand: async endpoint, msgspec both ways, the model run inline.

Its best for a small model: no thread pool, no Pydantic, uvloop, httptools, one worker, no access
log. It does not batch (by hand, one would have to write a batcher).
"""

import sys

import msgspec
import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, Request, Response

options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])


class Ask(msgspec.Struct):
    data: list[float]


decoder = msgspec.json.Decoder(Ask)
encoder = msgspec.json.Encoder()
app = FastAPI(openapi_url=None)


@app.post("/infer")
async def infer(request: Request) -> Response:
    row = np.array(decoder.decode(await request.body()).data, np.float32)[None]
    (output,) = session.run(["output"], {"input": row})
    return Response(encoder.encode({"data": output[0].tolist()}), media_type="application/json")


@app.post("/infer-binary")
async def infer_binary(request: Request) -> Response:
    row = np.frombuffer(await request.body(), np.float32)[None]
    (output,) = session.run(["output"], {"input": row})
    return Response(output.tobytes(), media_type="application/octet-stream")


uvicorn.run(
    app, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", workers=1,
    log_level="warning", access_log=False,
)  # fmt: skip
