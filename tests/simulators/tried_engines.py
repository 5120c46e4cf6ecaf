"""An endpoint whose candidate misbehaves as TRIED says, tried in shadow and by probes.

Endpoint `tried`: x FP32[n,1] -> y FP32[n,1] = 2 * x, by both versions, but the candidate

    equal      is the same
    failing    fails on x below zero
    hanging    takes two seconds a batch
    reshaping  gives two columns

Models that are loaded warm with zeros, on which every candidate is well behaved.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import PPM, Endpoint, Route, Snapshot, Step, Trial, Version
from pilotage.serving.engines.engine import EngineFailureError

BASELINE = "tried0000001"
CANDIDATE = "tried0000002"
HANGS_S = 2.0
QUEUE = 64
_SHAPE = ("n", 1)


class Doubling:
    concurrent = True

    def __init__(self, step: Step, signature: Signature, threads: int) -> None:
        del signature, threads
        self._manner = step.location

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        doubled = inputs[0] * 2
        if inputs[0].any():
            if self._manner == "hanging":
                time.sleep(HANGS_S)
            if self._manner == "failing" and (inputs[0] < 0).any():
                raise EngineFailureError("below zero")
            if self._manner == "reshaping":
                return [np.repeat(doubled, 2, axis=1)]
        return [doubled]

    def close(self) -> None:
        return


LOADERS = {"doubling": Doubling}


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the endpoint in it."""
    signature = Signature((Tensor("x", "FP32", _SHAPE),), (Tensor("y", "FP32", _SHAPE),))
    manners = {BASELINE: "equal", CANDIDATE: os.environ["TRIED"]}
    versions = tuple(
        Version(id, "tried", id, signature, (Step("doubling", id, manner),))
        for id, manner in manners.items()
    )
    trial = Trial(
        CANDIDATE,
        "r1",
        "shadow",
        shadow_budget_ppm=PPM,
        probe_budget_ppm=PPM,
        probe_every=4,
        queue_requests=QUEUE,
    )
    endpoint = Endpoint("tried", (Route(BASELINE),), shadow=CANDIDATE, trial=trial)
    return msgspec.structs.replace(
        snapshot,
        endpoints=(*snapshot.endpoints, endpoint),
        versions=(*snapshot.versions, *versions),
    )
