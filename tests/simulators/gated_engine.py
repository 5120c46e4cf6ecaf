"""An engine whose calls wait at a gate, and which writes down each call it gets.

Endpoint `gated`: x FP32[n,1] -> y FP32[n,1] = 2 * x, four rows a call; x below zero fails.
The folder named by GATE holds `calls` (one line of values a call) and, while the gate is closed,
a file `closed`.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Endpoint, Route, Snapshot, Step, Version
from pilotage.serving.engines.engine import EngineFailureError

COST_S = 0.005
"""Enough that a call is not run on the loop, which the gate would block."""
ROWS = 4
BUG = -999.0
"""This value meets a bug of the engine's own: another exception than it may raise."""
_SHAPE = ("n", 1)


class GatedEngine:
    def __init__(self, step: Step, signature: Signature, threads: int) -> None:
        del signature, threads
        self._gate = Gate(Path(step.location))

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        values = inputs[0]
        self._gate.note(values.ravel().tolist())
        time.sleep(COST_S)
        while self._gate.is_closed:
            time.sleep(0.001)
        if BUG in values:
            raise ValueError("an engine with a bug")
        if (values < 0).any():
            raise EngineFailureError("below zero")
        return [values * 2]

    def close(self) -> None:
        return


class Gate:
    """The test's hand on the engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def is_closed(self) -> bool:
        return (self.folder / "closed").exists()

    def close(self) -> None:
        (self.folder / "closed").touch()

    def open(self) -> None:
        (self.folder / "closed").unlink(missing_ok=True)

    def note(self, values: list[float]) -> None:
        with (self.folder / "calls").open("a") as calls:
            calls.write(" ".join(f"{value:g}" for value in values) + "\n")

    def calls(self) -> list[list[float]]:
        """The values of each call so far, but for the made-up ones (zeros)."""
        lines = (self.folder / "calls").read_text().splitlines()
        calls = [[float(value) for value in line.split()] for line in lines]
        return [call for call in calls if any(call)]

    def has_run(self, value: float) -> bool:
        return any(value in call for call in self.calls())


LOADERS = {"gated": GatedEngine}


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the endpoint in it."""
    step = Step("gated", "0" * 64, os.environ["GATE"])
    tensors = (Tensor("x", "FP32", _SHAPE),), (Tensor("y", "FP32", _SHAPE),)
    version = Version("gated0000001", "gated", "0" * 64, Signature(*tensors), (step,), ROWS)
    endpoint = Endpoint("gated", (Route(version.id),))
    return msgspec.structs.replace(
        snapshot,
        endpoints=(*snapshot.endpoints, endpoint),
        versions=(*snapshot.versions, version),
    )
