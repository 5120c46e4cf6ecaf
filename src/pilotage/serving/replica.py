"""One loaded version in one worker: its engine and its cost.

Loading and warming happen beside whatever is being served, in a thread; the first answer of a
version is therefore never slower than the others.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature
from pilotage.contracts.snapshot import Version
from pilotage.serving.cost import Cost
from pilotage.serving.engines.engine import (
    Array,
    Concurrent,
    EngineFailureError,
    StreamEngine,
    WholeEngine,
)
from pilotage.serving.engines.loading import load

WARM_RUNS: Final = 3
"""Timed runs a size; the fastest counts, since the first ones pay for memory and caches."""
UNKNOWN_COST_NS: Final = 1_000_000.0
"""Assumed for a batch of a model that could not be run on made-up inputs."""
WARM_AXIS: Final = 1
"""Length of named axes other than the batch axis in made-up inputs."""


@dataclass(slots=True)
class Replica:
    """A version, ready to answer. `cost` keeps learning; everything else stays.

    Attributes:
        whole, stream: the engine, under the one of the two that it is; the other is None.
        max_rows: of one engine call; 0 where rows of several requests cannot be stacked.
    """

    version: Version
    whole: WholeEngine | None
    stream: StreamEngine | None
    cost: Cost
    max_rows: int
    warmed: bool = False

    @property
    def signature(self) -> Signature:
        return self.version.signature

    @property
    def concurrent(self) -> bool:
        """Whether several threads may run it at once."""
        return isinstance(self.whole, Concurrent) and self.whole.concurrent

    def run(self, inputs: Sequence[Array | None], rows: int) -> list[Array]:
        """One engine call, its outputs checked against the signature's rows.

        Raises:
            EngineFailureError: it failed, or gave other rows than it got.
        """
        if self.whole is None:
            raise EngineFailureError("this engine answers in streams")
        outputs = self.whole.run(inputs)
        if self.max_rows:
            for tensor, output in zip(self.signature.outputs, outputs, strict=True):
                if output.ndim == 0 or output.shape[0] != rows:
                    raise EngineFailureError(
                        f"output {tensor.name} has shape {output.shape} for {rows} rows"
                    )
        return outputs

    def close(self) -> None:
        """Lets go of the engine."""
        engine = self.whole or self.stream
        if engine is not None:
            engine.close()


def open_replica(version: Version, *, threads: int) -> Replica:
    """The version loaded and warmed.

    Raises:
        EngineFailureError: it cannot be loaded here.
    """
    step = version.steps[0]
    engine = load(step, version.signature, threads)
    batches = version.signature.batch_axis is not None
    streams = isinstance(engine, StreamEngine)
    replica = Replica(
        version=version,
        whole=None if streams else engine,
        stream=engine if streams else None,
        cost=Cost(UNKNOWN_COST_NS, 0.0),
        max_rows=version.max_batch_rows if batches else 0,
    )
    if not streams:
        _warm(replica)
    return replica


def _warm(replica: Replica) -> None:
    """Runs made-up batches of the smallest and the largest size and learns the cost from them.

    A model may refuse made-up inputs (an index out of range, a length it does not like); it is
    then served all the same, with a cost that is learned from its first requests.
    """
    sizes = sorted({1, replica.max_rows}) if replica.max_rows else [1]
    try:
        timings = [(rows, _fastest_ns(replica, rows)) for rows in sizes]
    except EngineFailureError:
        return
    replica.cost = Cost.from_timings(timings)
    replica.warmed = True


def _fastest_ns(replica: Replica, rows: int) -> float:
    inputs = made_up_inputs(replica.signature, rows)
    fastest = float("inf")
    for _ in range(WARM_RUNS):
        started = time.perf_counter_ns()
        replica.run(inputs, rows)
        fastest = min(fastest, time.perf_counter_ns() - started)
    return fastest


def made_up_inputs(signature: Signature, rows: int) -> list[Array]:
    """Zeros (and empty strings) that fit the signature."""
    batch = signature.batch_axis
    arrays: list[Array] = []
    for tensor in signature.inputs:
        shape = [
            axis if isinstance(axis, int) else (rows if axis == batch else WARM_AXIS)
            for axis in tensor.shape
        ]
        datatype = DATATYPES[tensor.datatype]
        empty: Any = "" if datatype.kind == "bytes" else 0
        arrays.append(np.full(shape, empty, dtype=datatype.numpy))
    return arrays
