"""What a procedure has answered so far: failed, passed, both or neither, and for good.

Wealth of 1/error_rate at one look rejects a side's hypothesis. That it is ever reached is as
unlikely as stated over all looks together (Ville's inequality, `wealth`), so an answer stays, while
both sides are bet on to the end, and harm found late overrides a pass.
"""

from typing import Any, Literal, Protocol

import numpy as np

from pilotage.statistics.sequential.wealth import log_threshold
from pilotage.statistics.verdict import Because, Evidence, Undecided, Verdict, decide

Array = np.ndarray[Any, np.dtype[Any]]


class ErrorRates(Protocol):
    """A configuration: how often each of the two answers may ever be wrong."""

    @property
    def error_rate_fail(self) -> float: ...
    @property
    def error_rate_pass(self) -> float: ...


class Answers:
    """Which runs failed, and which passed, at some look so far. State: two flags a run."""

    def __init__(self, allowed: ErrorRates, shape: tuple[int, ...]) -> None:
        self.error_rate = max(allowed.error_rate_pass, allowed.error_rate_fail)
        """Of either answer, at most."""
        self._fails_from = log_threshold(allowed.error_rate_fail)
        self._passes_from = log_threshold(allowed.error_rate_pass)
        self._failed = np.zeros(shape, np.bool_)
        self._passed = np.zeros(shape, np.bool_)

    def look(self, log_evidence_fail: Array, log_evidence_pass: Array) -> None:
        """Keep what the evidence of now, of the shape, is enough for."""
        self._failed |= log_evidence_fail >= self._fails_from
        self._passed |= log_evidence_pass >= self._passes_from

    def failed(self) -> Array:
        """bool, the shape."""
        return self._failed.copy()

    def passed(self) -> Array:
        """bool, the shape."""
        return self._passed.copy()

    def single(self) -> None:
        """Nothing, for a procedure of shape (), the only one with one answer.

        Raises:
            ValueError: of another shape.
        """
        if shape := self._failed.shape:
            raise ValueError(f"one answer for a procedure of shape {shape}; ask its arrays")

    def verdict(self, evidence: Evidence, *, seen: bool = True) -> Verdict:
        """The single answer; undecided for want of data where not all that it needs was `seen`."""
        if not seen:
            return Undecided(evidence, Because.NO_DATA)
        return decide(bool(self._passed), bool(self._failed), evidence)

    def arrays(self, first: Literal["failed", "passed"] = "failed") -> dict[str, Array]:
        """The whole state by name; which comes `first` is part of a procedure's format."""
        named = {"failed": self._failed, "passed": self._passed}
        return {first: named[first]} | named

    def restore(self, arrays: dict[str, Array]) -> None:
        """Take over a state that `arrays` gave; other names are left alone."""
        self._failed, self._passed = arrays["failed"], arrays["passed"]
