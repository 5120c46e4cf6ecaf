"""The bodies about a server and its models: health, metadata, configuration, statistics, index.

Sources: the Open Inference Protocol v2; Triton's extensions "model configuration", "statistics"
and "model repository" for the last three, as `perf_analyzer` and `tritonclient` read them.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from msgspec import Struct

from pilotage.contracts.signature import Signature, Tensor

SERVER_NAME: Final = "pilotage"
EXTENSIONS: Final = (
    "binary_tensor_data",
    "generate",
    "model_configuration",
    "parameters",
)
"""`statistics` is served and not listed: where it is, `perf_analyzer` reads every version as a
decimal number and dies of ours, which are digits of a digest. Without it, it measures us."""


class Spent(Struct, frozen=True):
    """How often something was done, and the time of all of them together, in nanoseconds."""

    count: int = 0
    ns: int = 0


class ModelStatistics(Struct, frozen=True):
    """What one version did since its worker started.

    Attributes:
        last_inference_ms: of the last request, since the epoch; 0 for none.
        inferences: rows answered; executions: engine calls.
        success, fail: requests from receipt to answer.
        queue, compute_input, compute_infer, compute_output: the parts of that time.
    """

    name: str
    version: str
    last_inference_ms: int = 0
    inferences: int = 0
    executions: int = 0
    success: Spent = Spent()
    fail: Spent = Spent()
    queue: Spent = Spent()
    compute_input: Spent = Spent()
    compute_infer: Spent = Spent()
    compute_output: Spent = Spent()


def live_body(*, live: bool) -> bytes:
    """The body of `/v2/health/live`."""
    return b'{"live":true}' if live else b'{"live":false}'


def ready_body(*, ready: bool) -> bytes:
    """The body of `/v2/health/ready`."""
    return b'{"ready":true}' if ready else b'{"ready":false}'


def model_ready_body(name: str, *, ready: bool) -> bytes:
    """The body of `/v2/models/NAME/ready`."""
    return orjson.dumps({"name": name, "ready": ready})


def server_metadata(version: str) -> bytes:
    """The body of `/v2`; `version` is the server's own."""
    return orjson.dumps({"name": SERVER_NAME, "version": version, "extensions": EXTENSIONS})


def model_metadata(
    name: str, versions: Sequence[str], platform: str, signature: Signature
) -> bytes:
    """The body of `/v2/models/NAME`; an axis whose length varies is -1."""
    return orjson.dumps(
        {
            "name": name,
            "versions": list(versions),
            "platform": platform,
            "inputs": [_tensor(tensor) for tensor in signature.inputs],
            "outputs": [_tensor(tensor) for tensor in signature.outputs],
        }
    )


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": _dims(tensor)}


def _dims(tensor: Tensor) -> list[int]:
    return [axis if isinstance(axis, int) else -1 for axis in tensor.shape]


def model_config(name: str, platform: str, signature: Signature) -> bytes:
    """The body of `/v2/models/NAME/config`.

    `max_batch_size` is 0, which means there that shapes are given whole, the row axis included.
    """
    return orjson.dumps(
        {
            "name": name,
            "platform": platform,
            "backend": platform.partition("_")[0],
            "max_batch_size": 0,
            "input": [_config_tensor(tensor) for tensor in signature.inputs],
            "output": [_config_tensor(tensor) for tensor in signature.outputs],
            "model_transaction_policy": {"decoupled": False},
        }
    )


def _config_tensor(tensor: Tensor) -> dict[str, Any]:
    word = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    return {"name": tensor.name, "data_type": f"TYPE_{word}", "dims": _dims(tensor)}


def statistics(models: Sequence[ModelStatistics]) -> bytes:
    """The body of `/v2/models/NAME/stats` and of `/v2/models/stats`."""
    return orjson.dumps({"model_stats": [_statistics(each) for each in models]})


def _statistics(model: ModelStatistics) -> dict[str, Any]:
    parts = {
        name: {"count": spent.count, "ns": spent.ns}
        for name, spent in (
            ("success", model.success),
            ("fail", model.fail),
            ("queue", model.queue),
            ("compute_input", model.compute_input),
            ("compute_infer", model.compute_infer),
            ("compute_output", model.compute_output),
            ("cache_hit", Spent()),
            ("cache_miss", Spent()),
        )
    }
    return {
        "name": model.name,
        "version": model.version,
        "last_inference": model.last_inference_ms,
        "inference_count": model.inferences,
        "execution_count": model.executions,
        "inference_stats": parts,
        "batch_stats": [],
    }


def repository_index(models: Sequence[tuple[str, str, bool]]) -> bytes:
    """The body of `/v2/repository/index` from (name, version, ready)."""
    return orjson.dumps(
        [
            {"name": name, "version": version, "state": "READY" if ready else "UNAVAILABLE"}
            for name, version, ready in models
        ]
    )
