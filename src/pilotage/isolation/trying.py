"""A model's conversion from beginning to end, the same for every framework.

Learn what the original takes, draw probes, convert, run both sides, compare.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.adapters import onnx_graph
from pilotage.isolation.conversion import Column, Conversion, Converted
from pilotage.isolation.probes import PROBE_ROWS, UNSEEN, UNSEEN_NUMBER, Feature, draw
from pilotage.isolation.proving import LEAST_ROWS, prove
from pilotage.isolation.samples import read_sample

MODEL_FILE: Final = "model.onnx"
TRIED_COLUMNS: Final = 64
"""Columns tried one by one for missing and unseen values; the rest is tried together."""

PROBED_VALUES: Final = 100_000_000
"""Values of all probe rows; a model of very many columns gets fewer rows, never below 2,000."""

SHOWN_CATEGORIES: Final = 100

Array = np.ndarray[Any, np.dtype[Any]]
Rows = list[Array]


class Candidate(Protocol):
    """A loaded model of some framework."""

    kind: str
    features: list[Feature]
    stored: Array | None
    classes: tuple[Any, ...]
    doubt: str  # why its conversion is not to be believed even when no probe finds it wrong
    packages: tuple[str, ...]

    def original(self, rows: Rows) -> dict[str, Array]:
        """What the model itself answers, by output name."""
        ...

    def feeds(self, rows: Rows) -> dict[str, Array]:
        """The same rows as the converted model takes them."""
        ...

    def convert(self, path: Path) -> None:
        """Writes the ONNX file."""
        ...


def convert_and_prove(
    task: Candidate,
    asked: Conversion,
    folder: Path,
    tell: Callable[[str], None],
    notes: list[str],
) -> Converted:
    """The converted model in `folder`, with the comparison on probes and on the user's sample.

    Raises:
        PilotageError: the converter or the original does not work, or the sample does not fit.
    """
    chance = np.random.default_rng(20)
    rows = _probes(task, chance)
    sample_rows = 0
    if asked.sample:
        sample = read_sample(Path(asked.sample), task.features)
        sample_rows = len(sample[0])
        rows = [np.concatenate(pair) for pair in zip(rows, sample, strict=True)]
    tell(f"converting {task.kind} to ONNX")
    path = folder / MODEL_FILE
    try:
        task.convert(path)
    except PilotageError:
        raise
    except Exception as error:
        raise PilotageError(
            f"{task.kind} has no conversion to ONNX: {_reason(error)}",
            fix="Serve another kind of model, or convert it to ONNX yourself.",
        ) from error
    tell(f"comparing both on {len(rows[0])} rows")
    original = task.original(rows)
    try:
        converted = onnx_graph.run(path, task.feeds(rows), list(original))
    except Exception as error:
        raise PilotageError(
            f"the converted {task.kind} does not run: {_reason(error)}",
            fix="Serve another kind of model, or convert it to ONNX yourself.",
        ) from error
    proof = prove(
        original,
        converted,
        rows,
        sample_rows=sample_rows,
        versions=onnx_graph.versions(*task.packages, "onnx", "onnxruntime", "numpy"),
    )
    if task.doubt and proof.verdict == "proven":
        raise PilotageError(
            task.doubt,
            expected="a model whose conversion is known to be right",
            fix="Serve another kind of model.",
        )
    return Converted(
        file=MODEL_FILE,
        kind=task.kind,
        columns=tuple(_column(feature) for feature in task.features),
        classes=tuple(str(name) for name in task.classes),
        proof=proof,
        notes=tuple(notes),
    )


def _reason(error: Exception) -> str:
    """The first line of a converter's complaint; the rest is stack traces and object dumps."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _probes(task: Candidate, chance: np.random.Generator) -> Rows:
    """Rows that the original takes, after trying what it takes."""
    plain = draw(task.features, chance, None, rows=64)
    one = [column[:1].copy() for column in plain]
    if not _takes(task, one):
        try:
            task.original(one)
        except Exception as error:
            raise PilotageError(
                f"{task.kind} does not run on rows drawn from what it tells of itself: {error}"[
                    :900
                ],
                fix="Convert it to ONNX yourself.",
            ) from error
    for index, feature in enumerate(task.features[:TRIED_COLUMNS]):
        if not feature.text:
            feature.missing = _takes(task, _with(one, index, np.nan))
        if len(feature.categories):
            other: Any = UNSEEN if feature.text else UNSEEN_NUMBER
            feature.unseen = _takes(task, _with(one, index, other))
    for feature in task.features[TRIED_COLUMNS:]:
        feature.missing = not feature.text and task.features[0].missing
    fitting = PROBED_VALUES // max(1, len(task.features))
    rows = max(LEAST_ROWS, min(PROBE_ROWS, fitting))
    return draw(task.features, chance, task.stored, rows)


def _with(row: Rows, index: int, value: Any) -> Rows:
    changed = [column.copy() for column in row]
    changed[index][0] = value
    return changed


def _takes(task: Candidate, row: Rows) -> bool:
    """Whether the original answers this row at all."""
    try:
        task.original(row)
    except Exception:  # whatever the framework raises: it refuses such a value
        return False
    return True


def _column(feature: Feature) -> Column:
    categories = [str(value) for value in feature.categories]
    low, high = (None, None) if categories else (feature.low, feature.high)
    return Column(feature.name, low, high, tuple(categories[:SHOWN_CATEGORIES]))
