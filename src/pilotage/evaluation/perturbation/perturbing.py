"""Inputs made worse on purpose: values go missing, numbers get noise.

A float goes missing as NaN and a text as "", as an empty cell of the data would; whole numbers and
booleans have no such value and stay. Noise is counted in standard deviations of the input's own
values over the data set (by position for columns and lists of a known length, over all values for
images); text, booleans and inputs with known categories stay. What stays is told in `notes`.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature
from pilotage.errors import PilotageError
from pilotage.evaluation.data.casting import from_bf16
from pilotage.evaluation.data.columns import ROWS_A_BATCH, Dataset
from pilotage.evaluation.data.surveying import Progress
from pilotage.evaluation.perturbation.input_spreads import Spread
from pilotage.evaluation.perturbation.perturbed_inputs import Inputs, Target, perturb
from pilotage.evaluation.scoring.encoding import Encoding
from pilotage.evaluation.scoring.feeding import Tally, inputs_of
from pilotage.evaluation.scoring.predicting import BATCH_BYTES, Perturb, encoding_of
from pilotage.formats.opening import OpenedModel
from pilotage.spec.gates import DataSettings, Perturbation
from pilotage.spec.words import did_you_mean

SHOWN_COLUMNS: Final = 12
"""Names of columns that a message lists."""

Array = np.ndarray[Any, np.dtype[Any]]


class Perturbing:
    """All perturbations of one evaluation: learns what they need, and gives a function each."""

    def __init__(
        self, signature: Signature, perturbations: Sequence[Perturbation], *, seed: int = 0
    ) -> None:
        self._signature = signature
        self._perturbations = tuple(perturbations)
        self._seed = seed
        self._targets: list[list[Target]] = []
        self.notes: tuple[str, ...] = ()

    def learn(
        self,
        model: OpenedModel,
        dataset: Dataset,
        settings: DataSettings,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Which inputs are changed and how far they spread; the data are read once for noise.

        Raises:
            PilotageError: a column is no input of the model, or a perturbation changes nothing.
        """
        encoding = encoding_of(model, dataset, settings)
        spreads: dict[int, Spread] = {}
        if any(one.noise_sd for one in self._perturbations):
            spreads = _spreads(dataset, encoding, progress)
        notes: list[str] = []
        self._targets = [targets_of(one, encoding, spreads, notes) for one in self._perturbations]
        self.notes = tuple(dict.fromkeys(notes))

    def functions(self) -> list[Perturb]:
        """What each perturbation does to a batch, in order; the batch's own chance is not used."""
        return [self._function(index) for index in range(len(self._targets))]

    def _function(self, index: int) -> Perturb:
        targets, seed = self._targets[index], (self._seed, index)

        def changed(inputs: Inputs, _: np.random.Generator, numbers: Array) -> Inputs:
            first = int(numbers[0]) if len(numbers) else 0
            return perturb(inputs, self._signature, targets, first_row=first, seed=seed)

        return changed


def targets_of(
    perturbation: Perturbation,
    encoding: Encoding,
    spreads: dict[int, Spread],
    notes: list[str],
) -> list[Target]:
    """What a perturbation does to each input; what it leaves as it is goes to `notes`.

    Raises:
        PilotageError: a column is no input of the model, or nothing is changed.
    """
    chosen = perturbation.columns or encoding.columns
    for name in chosen:
        if name not in encoding.columns:
            raise PilotageError(
                f"{name} is no input of the model, so that it cannot be perturbed",
                expected=", ".join(encoding.columns[:SHOWN_COLUMNS]),
                fix=did_you_mean(name, encoding.columns),
            )
    targets: list[Target] = []
    whole: list[str] = []
    plain: list[str] = []
    for index, feed in enumerate(encoding.feeds):
        named = [name for name in feed.columns if name in chosen]
        if not named:
            continue
        places = [at for at, name in enumerate(feed.columns) if name in chosen]
        positions = tuple(places) if feed.form == "columns" else None
        kind = DATATYPES[feed.tensor.datatype].kind
        missing = perturbation.missing if kind in ("float", "bytes") else 0.0
        whole += named if perturbation.missing and not missing else []
        noise = None
        if perturbation.noise_sd and kind in ("float", "int") and not feed.tensor.categories:
            noise = perturbation.noise_sd * spreads[index].deviations
        plain += named if perturbation.noise_sd and noise is None else []
        if missing or (noise is not None and noise.any()):
            targets.append(Target(index, positions, missing, noise))
    if whole:
        notes.append(f"whole numbers and booleans cannot be missing, and stayed: {_list(whole)}")
    if plain:
        notes.append(f"text, booleans and categories got no noise: {_list(plain)}")
    if not targets:
        raise PilotageError(
            "the perturbation changes no input of the model",
            expected="floats or text for missing values, numbers that vary for noise",
            fix="Leave this gate out.",
        )
    return targets


def _list(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_COLUMNS
    return ", ".join(names[:SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _spreads(dataset: Dataset, encoding: Encoding, progress: Progress | None) -> dict[int, Spread]:
    """The spread of every numeric input, by its index."""
    spreads: dict[int, Spread] = {}
    for index, feed in enumerate(encoding.feeds):
        if DATATYPES[feed.tensor.datatype].kind in ("float", "int"):
            free = any(isinstance(axis, str) for axis in feed.row_shape)
            spreads[index] = Spread(pooled=feed.form == "image" or (feed.form == "list" and free))
    tally = Tally()
    rows_a_batch = max(1, min(ROWS_A_BATCH, BATCH_BYTES // max(1, encoding.bytes_a_row)))
    for batch in dataset.batches(encoding.columns, rows_a_batch):
        inputs = inputs_of(batch, encoding, tally)
        for index, spread in spreads.items():
            array = inputs[index]
            if array is not None:
                bits = encoding.feeds[index].tensor.datatype == "BF16"
                spread.add(from_bf16(array) if bits else array)
        if progress is not None:
            progress(batch.first_row + batch.rows, dataset.rows)
    return spreads
