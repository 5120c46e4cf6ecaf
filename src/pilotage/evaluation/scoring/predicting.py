"""A model and a data set -> what the model said about every row, beside what was true.

The data are read twice: once for labels, groups and weights (`surveying`), once for the model's
inputs. What stays of a row is its truth, answer and score (4 bytes each, the score once a class
beyond two; 8 where they are numbers), 2 bytes a grouping, 8 each for weight and query group; above
`rows.ROWS_IN_MEMORY` rows it lies in files that are mapped.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError
from pilotage.evaluation.data.casting import from_bf16
from pilotage.evaluation.data.columns import ROWS_A_BATCH, Dataset
from pilotage.evaluation.data.surveying import Progress, Surveyed, survey
from pilotage.evaluation.scoring.collecting import Answers, Collector
from pilotage.evaluation.scoring.encoding import Encoding, Reserved, plan
from pilotage.evaluation.scoring.feeding import Tally, inputs_of
from pilotage.evaluation.scoring.outputs import Reading, decide, read_outputs
from pilotage.evaluation.scoring.running import FailedRows, Runner
from pilotage.formats.opening import OpenedModel
from pilotage.spec.gates import DataSettings

BATCH_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a batch's inputs; rows with large inputs come in smaller batches."""

Array = np.ndarray[Any, np.dtype[Any]]
Inputs = list[Array | None]
Notes = tuple[str, ...]
Perturb = Callable[[Inputs, np.random.Generator, Array], Inputs]
"""(inputs, chance, row numbers from 0) -> other inputs of the same shapes. It may not change the
arrays it gets."""


def score(
    model: OpenedModel,
    dataset: Dataset,
    settings: DataSettings,
    *,
    surveyed: Surveyed | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> tuple[Scored, Notes]:
    """What `model` says about every row, and what a person should know of it.

    Args:
        surveyed: the first reading, where another model has been scored on the same rows.
        progress: told rows done and rows in all after each batch.
        threads: of the engine; all cores when None.

    Raises:
        PilotageError: the data do not fit the model (all that is wrong at once), the model fails
            on rows or gives what is not finite (how many, and the first of them), labels and
            classes do not fit together, the data are empty or change.
    """
    whole = score_perturbed(
        model, dataset, settings, (), seed=0, surveyed=surveyed, progress=progress, threads=threads
    )
    return whole[0], whole[2]


def score_perturbed(
    model: OpenedModel,
    dataset: Dataset,
    settings: DataSettings,
    perturbs: Sequence[Perturb],
    *,
    seed: int,
    surveyed: Surveyed | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> tuple[Scored, tuple[Scored | PilotageError, ...], Notes]:
    """As `score`, and the same rows once more under each perturbation, in the same reading.

    A model that fails on perturbed rows, or answers nothing finite, gives an error in the place of
    that perturbation's `Scored`. The chance of a batch is seeded by `seed`, the perturbation's
    index and the batch's first row, so that a perturbation does not depend on the others.
    """
    encoding = encoding_of(model, dataset, settings)
    reading = read_outputs(model.signature, model.classes, converted=model.format != "onnx")
    known = surveyed if surveyed is not None else survey(dataset, settings, progress=progress)
    runner = Runner(model, threads=threads)
    try:
        passes = [_Pass(runner, reading, known, settings) for _ in range(1 + len(perturbs))]
        tally = Tally()
        _read(dataset, encoding, passes, perturbs, seed=seed, tally=tally, progress=progress)
    finally:
        runner.close()
    scored, said = passes[0].scored()
    notes = (*dataset.notes, *encoding.notes, *tally.notes(), *said)
    return scored, tuple(_or_error(one) for one in passes[1:]), notes


def encoding_of(model: OpenedModel, dataset: Dataset, settings: DataSettings) -> Encoding:
    """Which columns of the data go where in the model's inputs.

    Raises:
        PilotageErrors: every input without a column, and every column of a wrong type.
    """
    reserved = Reserved(settings.label, settings.protected, settings.weight, settings.query_group)
    return plan(model.signature, dataset.columns, known=model.columns, reserved=reserved)


def _read(
    dataset: Dataset,
    encoding: Encoding,
    passes: Sequence["_Pass"],
    perturbs: Sequence[Perturb],
    *,
    seed: int,
    tally: Tally,
    progress: Progress | None,
) -> None:
    """The second reading: every batch through the model, plain and perturbed."""
    rows_a_batch = max(1, min(ROWS_A_BATCH, BATCH_BYTES // max(1, encoding.bytes_a_row)))
    seen = 0
    for batch in dataset.batches(encoding.columns, rows_a_batch):
        inputs = inputs_of(batch, encoding, tally)
        passes[0].take(inputs, batch.rows, batch.first_row)
        numbers = np.arange(batch.first_row, batch.first_row + batch.rows)
        for index, perturb in enumerate(perturbs):
            chance = np.random.default_rng((seed, index, batch.first_row))
            with suppress(PilotageError):  # the pass keeps it, and tells it in its place
                passes[1 + index].take(
                    perturb(inputs, chance, numbers), batch.rows, batch.first_row
                )
        seen += batch.rows
        if progress is not None:
            progress(seen, passes[0].rows)
    if seen != passes[0].rows:
        raise PilotageError(
            "the data have another number of rows than at the first reading", where=dataset.source
        )


class _Pass:
    """One run of the model over all rows."""

    def __init__(
        self, runner: Runner, reading: Reading, surveyed: Surveyed, settings: DataSettings
    ) -> None:
        self.rows = surveyed.rows
        self._runner = runner
        self._reading = reading
        self._surveyed = surveyed
        self._settings = settings
        self._collector: Collector | None = None
        self._failed = FailedRows("fails on")
        self._endless = FailedRows("gives NaN or an infinite number on")
        self._error: PilotageError | None = None
        self._wanted = [index for index in (reading.label, reading.score) if index is not None]

    def take(self, inputs: Inputs, rows: int, first_row: int) -> None:
        """Runs the model on these rows and keeps its answers."""
        if self._error is not None:
            raise self._error
        try:
            outputs = self._runner.run(inputs, rows, first_row, self._wanted, self._failed)
            if outputs is not None:
                self._keep(self._answers(outputs), first_row)
        except PilotageError as error:
            self._error = error
            raise

    def _answers(self, outputs: list[Array]) -> Answers:
        found = dict(zip(self._wanted, outputs, strict=True))
        labels = found.get(-1 if self._reading.label is None else self._reading.label)
        scores = found.get(-1 if self._reading.score is None else self._reading.score)
        if scores is not None:
            scores = from_bf16(scores) if self._reading.score_is_bf16 else scores
            scores = scores.reshape(len(scores), -1)
        return Answers(None if labels is None else labels.reshape(-1), scores)

    def _keep(self, answers: Answers, first_row: int) -> None:
        if answers.scores is not None and not np.isfinite(answers.scores).all():
            bad = np.flatnonzero(~np.isfinite(answers.scores).all(axis=1))
            self._endless.add([first_row + int(row) for row in bad])
            return
        if self._collector is None:
            width = 0 if answers.scores is None else answers.scores.shape[1]
            decision = decide(self._reading, width, self._surveyed.truth, self._settings)
            self._collector = Collector(decision, self._surveyed, self._settings)
        self._collector.take(answers, first_row)

    def scored(self) -> tuple[Scored, Notes]:
        """What came of it.

        Raises:
            PilotageError: the model failed, or gave what is not finite, on some rows.
        """
        if self._error is not None:
            raise self._error
        for failed in (self._failed, self._endless):
            if failed.anything:
                raise failed.error()
        if self._collector is None:
            raise PilotageError("the data have no rows")
        return self._collector.scored()


def _or_error(one: _Pass) -> Scored | PilotageError:
    try:
        return one.scored()[0]
    except PilotageError as error:
        return error
