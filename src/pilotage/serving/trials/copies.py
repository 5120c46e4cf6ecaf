"""Answered requests that a candidate is to answer too, and the bounded queue they wait in.

A copy holds no tensors of its own: the requests of one batch share views of the arrays that the
baseline was run on and of what it gave.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct

from pilotage.contracts.records import Status
from pilotage.serving.engines.engine import Array
from pilotage.serving.plan import RoutePlan
from pilotage.serving.protocols.inference import Inference


class Pair(Struct, frozen=True, gc=False):
    """The baseline's side of one copy: its prediction, and what its record says of the request."""

    id: bytes
    status: Status
    inference: Inference
    received_ns: int
    unit: bytes
    trace: str
    principal: str

    @property
    def rows(self) -> int:
        return self.inference.rows


@dataclass(slots=True, eq=False)
class Copies:
    """Requests that may be run together.

    Attributes:
        to: the candidate's route, as the records of its answers name it.
        inputs: over the rows of all pairs, in their order.
        outputs: the baseline's; None where it failed.
        alone: not to be joined with others, after a batch that it was in failed.
        size_bytes: of inputs and outputs; worked out where it is not given.
    """

    to: RoutePlan
    pairs: list[Pair]
    inputs: list[Array | None]
    outputs: list[Array] | None
    alone: bool = False
    size_bytes: int = -1

    def __post_init__(self) -> None:
        if self.size_bytes < 0:
            self.size_bytes = sum(map(_bytes_of, (*self.inputs, *(self.outputs or ()))))

    @property
    def rows(self) -> int:
        """0 where the model has no row axis."""
        return sum([pair.rows for pair in self.pairs])

    def joins(self, other: "Copies") -> bool:
        """Whether one engine call may answer both."""
        return (
            self.to is other.to
            and not (self.alone or other.alone)
            and bool(self.pairs[0].rows)
            and _tails(self.inputs) == _tails(other.inputs)
            and _tails(self.outputs) == _tails(other.outputs)
        )

    def part(self, start: int, stop: int) -> "Copies":
        """The pairs from `start` to before `stop`, over views of their rows."""
        if start == 0 and stop == len(self.pairs):
            return self
        first = sum([pair.rows for pair in self.pairs[:start]])
        pairs = self.pairs[start:stop]
        rows = slice(first, first + sum([pair.rows for pair in pairs]))
        inputs = [None if array is None else array[rows] for array in self.inputs]
        outputs = None if self.outputs is None else [array[rows] for array in self.outputs]
        return Copies(self.to, pairs, inputs, outputs, self.alone)

    def each_alone(self) -> "list[Copies]":
        """Every pair by itself."""
        parts = [self.part(index, index + 1) for index in range(len(self.pairs))]
        for part in parts:
            part.alone = True
        return parts


def joined(several: Sequence[Copies]) -> Copies:
    """Copies that join each other as one."""
    first = several[0]
    if len(several) == 1:
        return first
    outputs = None if first.outputs is None else _stacked([each.outputs for each in several])
    pairs = [pair for each in several for pair in each.pairs]
    return Copies(first.to, pairs, _stacked([each.inputs for each in several]), outputs)


def _stacked(sides: Sequence[Any]) -> list[Any]:
    """Each tensor of several batches in one array; what was left out is left out in all."""
    return [
        None if parts[0] is None else np.concatenate(parts) for parts in zip(*sides, strict=True)
    ]


def _tails(arrays: Sequence[Array | None] | None) -> object:
    """What must be equal for arrays to be stacked."""
    if arrays is None:
        return None
    return [None if array is None else (array.shape[1:], array.dtype) for array in arrays]


def _bytes_of(array: Array | None) -> int:
    if array is None:
        return 0
    if array.dtype == object:
        return sum([len(element) for element in array.ravel().tolist()])
    return array.nbytes


class Waiting:
    """The queue of one endpoint's copies. What finds no room is dropped."""

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.requests = 0
        self.total_bytes = 0
        self.most_requests = most_requests
        self.most_bytes = most_bytes
        self._queue: deque[Copies] = deque()

    def add(self, copies: Copies) -> int:
        """Queues the first of the pairs that there is room for; the number of those."""
        count = len(copies.pairs)
        room = min(count, self.most_requests - self.requests)
        if room <= 0:
            return 0
        size = copies.size_bytes
        while room and self.total_bytes + size * room // count > self.most_bytes:
            room -= 1
        if room:
            self._push(copies.part(0, room))
        return room

    def put_back(self, several: Sequence[Copies]) -> None:
        """In front of all others, whether there is room or not: they were counted before."""
        for copies in reversed(several):
            self._queue.appendleft(copies)
            self._count(copies, 1)

    def take(self, max_rows: int) -> list[Copies]:
        """The next that one engine call may answer: up to `max_rows` rows, or one with more."""
        taken: list[Copies] = []
        rows = 0
        while self._queue:
            copies = self._queue[0]
            if taken and not (taken[0].joins(copies) and rows + copies.rows <= max_rows):
                break
            taken.append(self._queue.popleft())
            self._count(copies, -1)
            rows += copies.rows
        return taken

    def clear(self) -> list[Copies]:
        """Empties it; what was in it."""
        dropped = list(self._queue)
        self._queue.clear()
        self.requests = self.total_bytes = 0
        return dropped

    def __len__(self) -> int:
        return len(self._queue)

    def _push(self, copies: Copies) -> None:
        self._queue.append(copies)
        self._count(copies, 1)

    def _count(self, copies: Copies, sign: int) -> None:
        self.requests += sign * len(copies.pairs)
        self.total_bytes += sign * copies.size_bytes
