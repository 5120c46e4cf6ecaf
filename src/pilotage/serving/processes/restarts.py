"""When to start a process again that died: soon, then ever later, soon again once it held."""

from dataclasses import dataclass, replace
from typing import Final

FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 10.0
HELD_S: Final = 30.0
"""A process that lived so long has held: the next wait is the first one again."""


@dataclass(frozen=True)
class Restarts:
    """The deaths of one process in a row."""

    deaths: int = 0
    started_s: float = 0.0

    def started(self, *, now_s: float) -> "Restarts":
        return replace(self, started_s=now_s)

    def died(self, *, now_s: float) -> "Restarts":
        held = now_s - self.started_s >= HELD_S
        return replace(self, deaths=1 if held else self.deaths + 1)

    @property
    def wait_s(self) -> float:
        """How long to wait before the next start."""
        return (
            min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(self.deaths - 1, 20))
            if self.deaths
            else 0.0
        )
