"""A user's own metric, run inside a host: rows in portions, one loss a row back, each looked at.

What goes wrong in the user's file is told with its line there, in one sentence, without a
traceback; of the rows a message tells the number, never a value.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, Final

import msgspec
import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.loss_calls import (
    ANSWER,
    LOSSES,
    PORTION_ROWS,
    SCORE,
    TRUTH,
    LossCall,
    LossesMade,
)

Array = np.ndarray[Any, np.dtype[Any]]
SHOWN_TEXT: Final = 300
"""Characters of an exception's own text that a message shows."""


def run(request: msgspec.Raw, folder: Path, tell: Callable[[str], None]) -> LossesMade:
    """The losses of all rows, written into `folder`.

    Raises:
        PilotageError: the file or its function cannot be used, or a loss is none.
    """
    call = msgspec.msgpack.decode(request, type=LossCall)
    function = _function(call)
    truth, answer = (np.load(folder / name, mmap_mode="r") for name in (TRUTH, ANSWER))
    score = np.load(folder / SCORE, mmap_mode="r") if call.scored else None
    labels = labels_of(call.classes)
    rows = len(truth)
    losses = np.empty(rows)
    for start in range(0, rows, PORTION_ROWS):
        part = slice(start, min(start + PORTION_ROWS, rows))
        given = [_plain(each[part], labels) for each in (truth, answer)]
        scores = None if score is None else np.array(score[part])
        made = _guarded(call, lambda given=given, scores=scores: function(*given, scores))
        losses[part] = _checked(made, call, start, part.stop - start)
        tell(f"computing {call.function}: {part.stop:,} of {rows:,} rows")
    np.save(folder / LOSSES, losses)
    return LossesMade(rows)


def labels_of(classes: tuple[str, ...]) -> Array | None:
    """The classes as a function compares them: whole numbers or booleans where all of them are,
    else text; None where there are none."""
    if not classes:
        return None
    if all(name in ("True", "False") for name in classes):
        return np.array([name == "True" for name in classes])
    try:
        return np.array([int(name) for name in classes], np.int64)
    except (ValueError, OverflowError):
        return np.array(classes, np.str_)


def _plain(values: Array, labels: Array | None) -> Array:
    """A copy that the function may change."""
    return np.array(values) if labels is None else labels[values]


def _function(call: LossCall) -> Callable[..., Any]:
    """The function, from the file as it is."""
    try:
        source = Path(call.source).read_bytes()
    except OSError as error:
        raise PilotageError(f"cannot be read: {error.strerror}", where=call.shown) from error
    space: dict[str, Any] = {"__name__": "metric", "__file__": call.source}

    def load() -> None:
        code: CodeType = compile(source, call.source, "exec", dont_inherit=True)
        exec(code, space)  # it is the user's own file, and this process is confined

    _guarded(call, load)
    found = space.get(call.function)
    if not callable(found):
        own = [name for name, value in space.items() if callable(value) and name[0] != "_"]
        raise PilotageError(
            f"there is no function {call.function}",
            where=call.shown,
            expected=f"one of {', '.join(own)}" if own else "a function of that name",
        )
    return found


def _guarded(call: LossCall, action: Callable[[], Any]) -> Any:
    """What the user's code gives back; what it raises is told with its line.

    Raises:
        PilotageError: it raised.
        MemoryError: it needs more than it may use.
    """
    try:
        return action()
    except MemoryError:
        raise
    except SyntaxError as error:
        inside = error.filename == call.source
        where = f"{call.shown}:{error.lineno}" if inside else call.shown
        raise PilotageError(f"no Python: {error.msg}", where=where) from error
    except Exception as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == call.source
        ]
        where = f"{call.shown}:{lines[-1]}" if lines else call.shown
        text = " ".join(str(error).split())[:SHOWN_TEXT]
        raise PilotageError(
            f"{type(error).__name__}: {text}" if text else type(error).__name__, where=where
        ) from error


def _checked(made: Any, call: LossCall, first: int, rows: int) -> Array:
    """The losses of one portion.

    Raises:
        PilotageError: they are not one number a row, or one is not from 0 to 1.
    """
    what = f"{call.function} "
    wanted = "one loss a row, each from 0 to 1"
    if not isinstance(made, np.ndarray | list | tuple):
        kind = type(made).__name__
        raise PilotageError(f"{what}gives {kind}", where=call.shown, expected=wanted)
    try:
        losses: Array = np.asarray(made, np.float64)
    except (TypeError, ValueError):
        raise PilotageError(
            f"{what}gives something else than numbers", where=call.shown, expected=wanted
        ) from None
    if losses.shape != (rows,):
        raise PilotageError(
            f"{what}gives an array of shape {list(losses.shape)} for {rows} rows",
            where=call.shown,
            expected=f"shape [{rows}]: one loss a row",
        )
    for bad, said in (
        (np.isnan(losses), "NaN"),
        (losses < 0, "a loss below 0"),
        (losses > 1, "a loss above 1"),
    ):
        if bad.any():
            at = first + int(np.argmax(bad)) + 1
            count = int(np.count_nonzero(bad))
            raise PilotageError(
                f"{what}gives {said} in row {at:,}, and in {count - 1:,} more of its portion",
                where=call.shown,
                expected=wanted,
                fix="Divide by the largest loss there can be, so that the mean has an interval.",
            )
    return losses
