"""Runs a model over rows by the serving engine, and finds the rows on which it fails."""

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Step
from pilotage.errors import PilotageError
from pilotage.formats.opening import OpenedModel
from pilotage.serving.engines.engine import EngineFailureError, StreamEngine, WholeEngine
from pilotage.serving.engines.loading import load

ENGINE_ROWS: Final = 4096
"""Rows of one engine call."""
SEARCH_RUNS: Final = 2000
"""Engine calls that are spent on finding the rows that fail, over one reading of the data."""
SHOWN_ROWS: Final = 5

ENGINE: Final = "onnxruntime"

Array = np.ndarray[Any, np.dtype[Any]]
Inputs = Sequence[Array | None]


class Runner:
    """A loaded model.

    Raises:
        PilotageError: it cannot be loaded, or answers in streams.
    """

    def __init__(self, model: OpenedModel, *, threads: int | None = None) -> None:
        self.signature: Signature = model.signature
        step = Step(ENGINE, model.digest, str(model.path), settings=model.settings)
        try:
            engine = load(step, model.signature, threads or os.cpu_count() or 1)
        except EngineFailureError as error:
            raise PilotageError(str(error), where=str(model.source)) from error
        if isinstance(engine, StreamEngine):
            raise PilotageError(
                "the model answers in streams, which are not evaluated row by row",
                where=str(model.source),
            )
        self._engine: WholeEngine = engine
        self._stacked = model.signature.batch_axis is not None

    def close(self) -> None:
        """Lets go of the engine."""
        self._engine.close()

    def run(
        self, inputs: Inputs, rows: int, first_row: int, wanted: Sequence[int], failed: "FailedRows"
    ) -> list[Array] | None:
        """The outputs `wanted`, by index, for all rows; None where a row failed, which is noted.

        Args:
            inputs: arrays (rows, ...), one an input; None for one that is left out.

        Raises:
            PilotageError: an output has not one row for each row.
        """
        pieces: list[list[Array]] = []
        step = ENGINE_ROWS if self._stacked else 1
        for start in range(0, rows, step):
            found = self._piece(inputs, start, min(start + step, rows), first_row, wanted, failed)
            pieces += found
        if failed.anything:
            return None
        try:
            return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        except ValueError as error:
            raise PilotageError("the model's outputs have another shape in each row") from error

    def _piece(
        self,
        inputs: Inputs,
        start: int,
        stop: int,
        first_row: int,
        wanted: Sequence[int],
        failed: "FailedRows",
    ) -> list[list[Array]]:
        """The outputs of rows start to stop, in one piece, or halved where that fails."""
        try:
            return [self._call(inputs, start, stop, wanted)]
        except EngineFailureError as error:
            if stop - start == 1:
                failed.add([first_row + start], str(error))
                return []
            failed.spend(str(error))
            middle = (start + stop) // 2
            left = self._piece(inputs, start, middle, first_row, wanted, failed)
            return left + self._piece(inputs, middle, stop, first_row, wanted, failed)

    def _call(self, inputs: Inputs, start: int, stop: int, wanted: Sequence[int]) -> list[Array]:
        if not self._stacked:
            return self._single(inputs, start, wanted)
        outputs = self._engine.run(
            [None if array is None else array[start:stop] for array in inputs]
        )
        chosen = [np.asarray(outputs[index]) for index in wanted]
        for index, output in zip(wanted, chosen, strict=True):
            if output.ndim == 0 or output.shape[0] != stop - start:
                raise PilotageError(
                    f"the output {self.signature.outputs[index].name!r} has shape"
                    f" {list(output.shape)} for {stop - start} rows",
                    expected="one row for each row",
                )
        return chosen

    def _single(self, inputs: Inputs, row: int, wanted: Sequence[int]) -> list[Array]:
        """One row of a model that takes one at a time; its outputs with an axis of rows."""
        outputs = self._engine.run(
            [
                array if array is None else _row(array, row, tensor)
                for array, tensor in zip(inputs, self.signature.inputs, strict=True)
            ]
        )
        return [
            _of_one_row(np.asarray(outputs[index]), self.signature.outputs[index])
            for index in wanted
        ]


class FailedRows:
    """Rows on which a model failed, or answered nothing finite: how many, and the first of them."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._first: list[int] = []
        self._said = ""
        self._runs = 0

    @property
    def anything(self) -> bool:
        return self._count > 0

    def add(self, rows: Sequence[int], said: str = "") -> None:
        """Rows by their numbers from 0."""
        self._count += len(rows)
        self._first += list(rows[: SHOWN_ROWS - len(self._first)])
        self._said = self._said or said

    def spend(self, said: str) -> None:
        """Counts one more engine call of the search.

        Raises:
            PilotageError: there were `SEARCH_RUNS`.
        """
        self._said = self._said or said
        self._runs += 1
        if self._runs > SEARCH_RUNS:
            raise self.error(at_least=True)

    def error(self, *, at_least: bool = False) -> PilotageError:
        """What is told of them."""
        shown = ", ".join(f"{row + 1:,}" for row in self._first)
        more = " and others" if at_least or self._count > len(self._first) else ""
        said = f"; on the first it says: {' '.join(self._said.split())[:300]}" if self._said else ""
        bound = "at least " if at_least else ""
        noun = "row" if self._count == 1 else "rows"
        return PilotageError(
            f"the model {self._what} {bound}{self._count:,} {noun}: {shown}{more}{said}",
            expected="an answer for every row",
            fix="Mend the model or these rows: an evaluation without them could not be trusted.",
        )


def _row(array: Array, row: int, tensor: Tensor) -> Array:
    return array[row : row + 1] if _led(tensor) else np.asarray(array[row])


def _of_one_row(output: Array, tensor: Tensor) -> Array:
    """An output of one row, with an axis of rows."""
    return output if _led(tensor) and output.ndim and output.shape[0] == 1 else output[None]


def _led(tensor: Tensor) -> bool:
    """Whether the first axis of a tensor of a model without a row axis holds one row."""
    return bool(tensor.shape) and (isinstance(tensor.shape[0], str) or tensor.shape[0] == 1)
