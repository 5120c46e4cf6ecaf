"""How long a connection may wait: what it waits for and since when go in, a verdict comes out."""

from enum import Enum
from typing import Final

from pilotage.contracts.limits import Limits
from pilotage.serving.refusals import Refusal

LINGER_S: Final = 2.0
"""Seconds in which input is still taken and thrown away after a last reply to a client that may
still be sending: closing at once would reset the connection and the client would lose the reply."""
HALF_CLOSED_S: Final = 2.0
"""Seconds for which an answer is still awaited after the client ended its side. A client that has
sent all it had and one that hung up look the same: work for it goes on so long and no longer."""


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    ANSWER = "an answer of ours"
    UNTAKEN = "the client to take answers"
    HALF_CLOSED = "an answer of ours, after the client ended its side"
    LINGERING = "the client to notice the end"
    CLOSING = "the last bytes to leave"


class Patience:
    """The time one connection has spent in its phase without a step forward."""

    __slots__ = ("_longest_s", "_phase", "_serial", "_since_s")

    def __init__(self, limits: Limits) -> None:
        self._longest_s = longest_s(limits)
        self._phase: Phase | None = None
        self._serial = -1
        self._since_s = 0.0

    def is_over(self, phase: Phase, serial: int, now_s: float) -> bool:
        """Whether the phase has lasted too long.

        Args:
            phase: the phase now.
            serial: a number that grows with each step forward.
            now_s: a clock that never goes back.
        """
        if phase is not self._phase or serial != self._serial:
            self._phase = phase
            self._serial = serial
            self._since_s = now_s
            return False
        longest = self._longest_s.get(phase)
        return longest is not None and now_s - self._since_s > longest

    def too_late(self, phase: Phase) -> Refusal:
        """The refusal for a head or a body that did not arrive in time."""
        part = "head" if phase is Phase.HEAD else "body"
        return Refusal(
            408,
            "timeout",
            f"the {part} did not arrive in time",
            where=part,
            expected=f"all of it within {self._longest_s[phase]:g} s",
            close=True,
        )


def longest_s(limits: Limits) -> dict[Phase, float]:
    """The longest time in seconds in each phase; a phase that is missing has none."""
    return {
        Phase.IDLE: limits.idle_s,
        Phase.HEAD: limits.head_s,
        Phase.BODY: limits.body_s,
        Phase.UNTAKEN: limits.unread_s,
        Phase.HALF_CLOSED: HALF_CLOSED_S,
        Phase.LINGERING: LINGER_S,
        Phase.CLOSING: limits.unread_s,
    }
