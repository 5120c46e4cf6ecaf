"""Outcomes and the predictions they belong to: the join, and every way in which it can fail. Pure.

An outcome belongs to the block in which it can be joined, in both arms alike. It names its
prediction by id, or by the caller's own id; the prediction was answered, in a canary stage of this
rollout, by an arm that was drawn. Counted, in people's words:

    early       it came before the record of its prediction, and was joined within `EARLY_S`
    unknown     no such prediction: never seen, not drawn, forgotten (so late), or a row is missing
    duplicate   the same value again
    corrected   another value for what has counted: the first counts, for evidence is not taken back
    more rows   another row of a prediction: each counts once for a guard, as it was drawn once
    unusable    a value of the wrong type, or outside what the guard says is possible
    unlabelled  the predicted label is not in the records
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self

import msgspec
import numpy as np

from pilotage.checks.live.awaiting import AWAITING, Awaiting
from pilotage.checks.live.labels import NONE, code_of
from pilotage.contracts.records import Outcome, digest_unit
from pilotage.spec.rollouts import GuardSpec

EARLY_S: Final = 60.0
"""How long an outcome waits for the record of its prediction, in seconds of the rollout."""
EARLY: Final = 100_000
"""The most outcomes that wait; another one is unknown at once."""

Array = np.ndarray[Any, np.dtype[Any]]
_outcomes = msgspec.msgpack.Decoder(list[tuple[float, Outcome]])


class Joined(NamedTuple):
    """An outcome that counts: for which question, in which arm of which stage; value in [0, 1]."""

    question: int
    stage: int
    candidate: bool
    unit: bytes
    value: float


class Outcomes:
    """Joins outcomes to predictions, for guards that ask for them.

    `counts` is told each name of the list above as it happens.
    """

    def __init__(
        self, guards: tuple[GuardSpec, ...], counts: Callable[[str], None], *, most: int = AWAITING
    ) -> None:
        self._guards = guards
        self._counts = counts
        self._asked = {guard.of for guard in guards}
        self.awaiting = Awaiting(len(guards), most=most)
        """Where predictions that an outcome may come for are remembered."""
        self._waiting: list[tuple[float, Outcome]] = []
        self._arrived: list[Outcome] = []

    def receive(self, outcome: Outcome) -> None:
        """An outcome of this endpoint came in the open block."""
        if outcome.kind in self._asked:
            self._arrived.append(outcome)

    def join(self, now_s: float) -> list[Joined]:
        """What can be joined at the end of the block, in the order in which it came."""
        joined: list[Joined] = []
        waiting: list[tuple[float, Outcome]] = []
        for came_s, outcome in self._waiting:
            place = self._place(outcome)
            if place is not None:
                self._counts("outcomes early")
                joined += self._join(outcome, place)
            elif now_s - came_s >= EARLY_S:
                self._counts("outcomes unknown")
            else:
                waiting.append((came_s, outcome))
        for outcome in self._arrived:
            place = self._place(outcome)
            if place is not None:
                joined += self._join(outcome, place)
            elif len(waiting) < EARLY:
                waiting.append((now_s, outcome))
            else:
                self._counts("outcomes unknown")
        self._waiting, self._arrived = waiting, []
        return joined

    def _place(self, outcome: Outcome) -> int | None:
        if outcome.prediction_id:
            return self.awaiting.by_id(outcome.prediction_id)
        caller = key_of(outcome.source) if outcome.source else 0
        return self.awaiting.by_key(key_of(outcome.key), caller) if outcome.key else None

    def _join(self, outcome: Outcome, first: int) -> list[Joined]:
        prediction = self.awaiting.at(first)
        row = _row_of(outcome, prediction.rows)
        if row is None:
            self._counts("outcomes unknown")
            return []
        joined: list[Joined] = []
        drawn = (prediction.stage, prediction.candidate, prediction.unit.to_bytes(8))
        for question, guard in enumerate(self._guards):
            if guard.of == outcome.kind and self._is_new(
                question, range(first, first + prediction.rows), row, outcome
            ):
                value = self._value(guard, outcome, first + row)
                if value is not None:
                    self.awaiting.count(question, first + row, code_of(outcome.value))
                    joined.append(Joined(question, *drawn, value))
        return joined

    def _is_new(self, question: int, places: range, row: int, outcome: Outcome) -> bool:
        counted = self.awaiting.counted(question, places[row])
        if counted:
            same = counted == code_of(outcome.value)
            self._counts("outcomes duplicate" if same else "outcomes corrected")
            return False
        if len(places) > 1 and any(self.awaiting.counted(question, each) for each in places):
            self._counts("outcomes of more rows")
            return False
        return True

    def _value(self, guard: GuardSpec, outcome: Outcome, place: int) -> float | None:
        """The outcome in [0, 1], 1 the best; None where it is of no use, which is counted."""
        if guard.metric == "accuracy":
            label = self.awaiting.at(place).label
            if label == NONE:
                self._counts("outcomes unlabelled")
                return None
            if not isinstance(outcome.value, float) or math.isfinite(outcome.value):
                return float(code_of(outcome.value) == label)
        elif not isinstance(outcome.value, str):
            number = float(outcome.value)
            if guard.metric == "rate" and number in (0.0, 1.0):
                return number
            inside = guard.low <= number <= guard.high and not isinstance(outcome.value, bool)
            if guard.metric == "mean" and inside:
                return min(1.0, max(0.0, (number - guard.low) / (guard.high - guard.low)))
        self._counts("outcomes unusable")
        return None

    def arrays(self) -> dict[str, Array]:
        """The whole state by name, the open block included."""
        waiting = msgspec.msgpack.encode(self._waiting)
        arrived = msgspec.msgpack.encode([(0.0, outcome) for outcome in self._arrived])
        return self.awaiting.arrays() | {
            "waiting": np.frombuffer(waiting, np.uint8),
            "arrived": np.frombuffer(arrived, np.uint8),
        }

    @classmethod
    def of_arrays(
        cls,
        guards: tuple[GuardSpec, ...],
        counts: Callable[[str], None],
        arrays: dict[str, Array],
        *,
        most: int = AWAITING,
    ) -> Self:
        """As it was when `arrays` was taken."""
        loaded = cls(guards, counts, most=most)
        loaded.awaiting = Awaiting.of_arrays(len(guards), arrays, most=most)
        loaded._waiting = _outcomes.decode(arrays["waiting"].tobytes())
        loaded._arrived = [each for _, each in _outcomes.decode(arrays["arrived"].tobytes())]
        return loaded


def key_of(client_id: str) -> int:
    """The digest by which a caller's id is remembered, above 0 as good as always."""
    return int.from_bytes(digest_unit(client_id.encode("utf-8", "surrogatepass")))


def _row_of(outcome: Outcome, rows: int) -> int | None:
    """Which of the prediction's rows the outcome is of; None where that is not said, or wrong."""
    said = outcome.attributes.get("row")
    if said is None:
        return 0 if rows == 1 else None
    if len(said) > 9 or not said.isascii() or not said.isdecimal() or int(said) >= rows:
        return None
    return int(said)
