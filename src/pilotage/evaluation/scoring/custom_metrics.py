"""A metric of the user's own: a function's loss of every row, computed in a host.

The function sees rows and gives back one loss a row, from 0 to 1, so that the mean has an interval
that holds at every number of rows. Its host has no network, reads the function's file alone and
writes nothing that stays.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from pilotage.checks.observed import Losses
from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError
from pilotage.isolation.host import run_in_host
from pilotage.isolation.limits import GIB, WITHOUT, HostLimits
from pilotage.isolation.loss_calls import ANSWER, LOSSES, SCORE, TRUTH, LossCall, LossesMade

LIMITS: Final = HostLimits(wall_s=300.0, cpu_s=300, address_bytes=8 * GIB)
"""What one metric may use over all rows."""

Array = np.ndarray[Any, np.dtype[Any]]


def losses_of(
    reference: str, scored: Scored, *, home: Path, limits: HostLimits = LIMITS
) -> tuple[Losses, tuple[str, ...]]:
    """The losses of all rows, and what a person should know of how they were computed.

    Args:
        reference: FILE.py:FUNCTION, the file as seen from `home`.
        scored: its `truth` and `answer` reach the function as numbers, or as labels: whole numbers
            or booleans where all classes are, else texts; `score` as it is, None without scores.

    Raises:
        PilotageError: there is no such file or function, it failed (told with its line), took too
            long or too much, or gave something else than a loss from 0 to 1 for each row.
    """
    file, _, function = reference.rpartition(":")
    source = (home / file).expanduser()
    if not source.is_file():
        raise PilotageError(
            "there is no such file",
            where=str(source),
            fix="A path under `metrics:` starts beside the file of gates.",
        )
    with tempfile.TemporaryDirectory(prefix="pilotage-metric-") as made:
        folder = Path(made)
        _write(scored, folder)
        call = LossCall(
            source=str(source.resolve()),
            shown=file,
            function=function,
            classes=scored.classes,
            scored=scored.score is not None,
        )
        try:
            answered = run_in_host(
                "losses", call, LossesMade, folder=folder, readable=[source], limits=limits
            )
        except PilotageError as error:
            raise _of_metric(error, reference) from error
        losses = _read(folder / LOSSES, scored.rows, reference)
    notes = tuple(
        f"{reference} ran without a protection: {_as_metric(WITHOUT[word])}"
        for word in answered.missing
    )
    return Losses(losses, 0.0, 1.0), notes


def _write(scored: Scored, folder: Path) -> None:
    np.save(folder / TRUTH, scored.truth)
    np.save(folder / ANSWER, scored.answer)
    if scored.score is not None:
        np.save(folder / SCORE, scored.score)


def _read(file: Path, rows: int, reference: str) -> Array:
    """The losses, looked at once more: the process that wrote them ran somebody's code."""
    losses: Array = np.empty(0)
    if file.is_file() and not file.is_symlink():  # no pipe on which reading would wait for ever
        with contextlib.suppress(OSError, ValueError, EOFError):
            losses = np.load(file, allow_pickle=False)
    whole = losses.shape == (rows,) and losses.dtype == np.float64
    if not whole or not bool(((losses >= 0) & (losses <= 1)).all()):
        raise PilotageError(
            f"{reference} left no losses behind that can be read",
            expected="a function that returns one loss a row and does nothing else",
        )
    return losses


def _of_metric(error: PilotageError, reference: str) -> PilotageError:
    """A host's error in the words of a metric: a host speaks of models, which it mostly opens."""
    ours = error.where != "" or "the model's code" not in error.what
    fix = error.fix if ours else "Compute it on whole arrays, with less memory, or on fewer rows."
    return PilotageError(
        _as_metric(error.what),
        where=error.where or reference,
        expected=error.expected,
        fix=fix,
    )


def _as_metric(text: str) -> str:
    return text.replace("the model's code", "the metric's code")
