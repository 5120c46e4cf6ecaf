"""An engine that answers in chunks, and writes down how far it came and how it ended.

Endpoint `counting`: text_input BYTES[1], count INT32[1], chunk_bytes INT32[1], fail_at INT32[1]
-> text_output BYTES[1]: the text with a number, padded to `chunk_bytes`, `count` times; it fails
before the chunk `fail_at`. The folder named by COUNTING holds one file a text: a byte a chunk that
the engine made, then its last word.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Endpoint, Route, Snapshot, Step, Version

ENDED = "ended"
CLOSED = "closed"
FAILED = "failed"


class CountingEngine:
    def __init__(self, step: Step, signature: Signature, threads: int) -> None:
        del signature, threads
        self._folder = Path(step.location)

    def stream(self, inputs: Sequence[Any]) -> Iterator[list[Any]]:
        text, count, chunk_bytes, fail_at = (array.ravel()[0] for array in inputs)
        with (self._folder / str(text)).open("a") as progress:
            try:
                for number in range(int(count)):
                    if number == fail_at:
                        raise RuntimeError("it was told to fail")
                    progress.write(".")
                    progress.flush()
                    chunk = f"{text} {number};".ljust(int(chunk_bytes), "x")
                    yield [np.array([chunk], dtype=object)]
            except GeneratorExit:
                progress.write(CLOSED)
                raise
            except RuntimeError:
                progress.write(FAILED)
                raise
            progress.write(ENDED)

    def close(self) -> None:
        return


class Progress:
    """The test's view of one stream."""

    def __init__(self, folder: Path, text: str) -> None:
        self._path = folder / text

    def _read(self) -> str:
        return self._path.read_text() if self._path.exists() else ""

    @property
    def chunks(self) -> int:
        return self._read().count(".")

    @property
    def last_word(self) -> str:
        return self._read().strip(".")


LOADERS = {"counting": CountingEngine}


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the endpoint in it."""
    step = Step("counting", "1" * 64, os.environ["COUNTING"])
    numbers = (Tensor(name, "INT32", (1,)) for name in ("count", "chunk_bytes", "fail_at"))
    inputs = (Tensor("text_input", "BYTES", (1,)), *numbers)
    signature = Signature(inputs, (Tensor("text_output", "BYTES", (1,)),))
    version = Version("counting0001", "counting", "1" * 64, signature, (step,))
    endpoint = Endpoint("counting", (Route(version.id),))
    return msgspec.structs.replace(
        snapshot,
        endpoints=(*snapshot.endpoints, endpoint),
        versions=(*snapshot.versions, version),
    )
