"""The engines that exist, each imported when a step first asks for it."""

from collections.abc import Callable
from typing import Final

from pilotage.contracts.signature import Signature
from pilotage.contracts.snapshot import Step
from pilotage.serving.engines.engine import Engine, EngineFailureError

Loader = Callable[[Step, Signature, int], Engine]
"""(step, signature, threads) -> a loaded engine."""


def _onnxruntime(step: Step, signature: Signature, threads: int) -> Engine:
    from pilotage.serving.engines.onnx import OnnxEngine

    return OnnxEngine(step, signature, threads)


LOADERS: Final[dict[str, Loader]] = {"onnxruntime": _onnxruntime}


def load(step: Step, signature: Signature, threads: int) -> Engine:
    """The engine of a step, loaded.

    Raises:
        EngineFailureError: no such engine here, or it cannot load the artifact.
    """
    loader = LOADERS.get(step.engine)
    if loader is None:
        raise EngineFailureError(f"no engine named {step.engine}; here are {', '.join(LOADERS)}")
    return loader(step, signature, threads)
