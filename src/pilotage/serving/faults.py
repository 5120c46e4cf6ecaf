"""A fault of our own: logged by its kind and place, never by a value, and refused with 500.

An exception's message may hold what a caller sent, so it goes nowhere.
"""

import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Final

from pilotage.serving.refusals import Refusal

LOGGED_EVERY_S: Final = 1.0
"""One place logs at most once in so many seconds; what came between is counted in the next line."""


class Faults:
    """The faults of one worker. `log(event, **fields)`; `now_s` is a steady clock."""

    def __init__(self, log: Callable[..., None], now_s: Callable[[], float]) -> None:
        self._log = log
        self._now_s = now_s
        self._logged_s: dict[tuple[str, str], float] = {}
        self._since: dict[tuple[str, str], int] = {}

    def note(self, doing: str, error: BaseException) -> None:
        """Logs `fault` with what was being done, the exception's kind, and its file and line."""
        key = (type(error).__name__, place_of(error))
        now_s = self._now_s()
        times = self._since.get(key, 0) + 1
        last_s = self._logged_s.get(key)
        if last_s is not None and now_s - last_s < LOGGED_EVERY_S:
            self._since[key] = times
            return
        self._logged_s[key] = now_s
        self._since[key] = 0
        self._log("fault", doing=doing, kind=key[0], at=key[1], times=times)


def place_of(error: BaseException) -> str:
    """The innermost line that raised it, as "file.py:12"; "" where it was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def refusal() -> Refusal:
    """What the caller is told."""
    return Refusal(
        500, "internal", "the server failed on this request; its log tells where, as a fault"
    )
