"""Predictions whose outcomes may still come, in a compact form. Pure.

Each row of a prediction takes one place in a ring of arrays, about 60 bytes and 8 for each
question; the oldest give way to the newest. A prediction is found by its id, or by the caller's id
of it: by the latest with that id, but a retry within `RETRY_S` is the request it repeats. Memory
(measured, 100,000 predictions with a caller's id): see `AWAITING`.
"""

from array import array
from typing import Any, Final, NamedTuple, Self

import numpy as np

from pilotage.statistics.sequential.retries import RETRY_S

AWAITING: Final = 500_000
"""The most rows of predictions that are remembered."""
ROWS: Final = 1024
"""The most rows of one prediction that are remembered; outcomes of others are unknown."""
_ID: Final = 16
_COLUMNS: Final = {
    "keys": "Q",
    "callers": "Q",
    "units": "Q",
    "times": "d",
    "drawn": "B",
    "rows": "H",
    "labels": "Q",
}

Array = np.ndarray[Any, np.dtype[Any]]


class Drawn(NamedTuple):
    """One prediction that was answered and whose arm was drawn.

    `key` and `caller` are digests of the caller's id and of who called, 0 where none came; `unit`
    is the unit's digest; `stage` its place in the rollout; `labels` one code a row.
    """

    id: bytes
    key: int
    caller: int
    unit: int
    at_s: float
    stage: int
    candidate: bool
    labels: list[int]


class Awaiting:
    """What is remembered of predictions, by place; a place is a number that is never used again."""

    def __init__(self, questions: int, *, most: int = AWAITING) -> None:
        self.most = most
        self.forgotten = 0
        """Predictions that gave way to newer ones."""
        self._next = 0
        self._ids = bytearray()
        self._columns: dict[str, array[Any]] = {n: array(code) for n, code in _COLUMNS.items()}
        self._counted: list[array[int]] = [array("Q") for _ in range(questions)]
        self._by_id: dict[bytes, int] = {}
        self._by_key: dict[int, int] = {}
        self._aliases: dict[int, list[bytes]] = {}

    def remember(self, drawn: Drawn) -> None:
        """Keep it, or, if it is a retry of one that is kept, its id as another name of that."""
        columns = self._columns
        if drawn.key:
            known = self._by_key.get(drawn.key)
            if known is not None:
                slot = known % self.most
                again = drawn.at_s - columns["times"][slot] <= RETRY_S
                if again and columns["callers"][slot] == drawn.caller:
                    self._by_id[drawn.id] = known
                    self._aliases.setdefault(known, []).append(drawn.id)
                    return
        first = self._next
        labels = drawn.labels[:ROWS]
        rest = (drawn.key, drawn.caller, drawn.unit, drawn.at_s, drawn.stage << 1 | drawn.candidate)
        self._place(drawn.id, (*rest, len(labels), labels[0]))
        for label in labels[1:]:
            self._place(drawn.id, (*rest, 0, label))
        self._by_id[drawn.id] = first
        if drawn.key:
            self._by_key[drawn.key] = first

    def _place(self, id_: bytes, values: tuple[Any, ...]) -> None:
        slot = self._next % self.most
        if self._next < self.most:
            self._ids += id_
            for column, value in zip(self._columns.values(), values, strict=True):
                column.append(value)
            for counted in self._counted:
                counted.append(0)
        else:
            self._forget(self._next - self.most)
            self._ids[slot * _ID : (slot + 1) * _ID] = id_
            for column, value in zip(self._columns.values(), values, strict=True):
                column[slot] = value
            for counted in self._counted:
                counted[slot] = 0
        self._next += 1

    def _forget(self, place: int) -> None:
        """Drop the names of the prediction that starts there; a further row has none."""
        slot = place % self.most
        if not self._columns["rows"][slot]:
            return
        self.forgotten += 1
        id_ = bytes(self._ids[slot * _ID : (slot + 1) * _ID])
        for each in (id_, *self._aliases.pop(place, ())):
            if self._by_id.get(each) == place:
                del self._by_id[each]
        key = self._columns["keys"][slot]
        if key and self._by_key.get(key) == place:
            del self._by_key[key]

    def by_id(self, id_: bytes) -> int | None:
        """Where the prediction with this id starts."""
        return self._by_id.get(id_)

    def by_key(self, key: int) -> int | None:
        """Where the latest prediction with this caller's id starts; `key` is its digest."""
        return self._by_key.get(key)

    def rows(self, place: int) -> int:
        """Rows of the prediction that starts there."""
        return self._columns["rows"][place % self.most]

    def label(self, place: int) -> int:
        """The code of the label that was predicted there."""
        return self._columns["labels"][place % self.most]

    def unit(self, place: int) -> bytes:
        """The unit's digest."""
        return self._columns["units"][place % self.most].to_bytes(8)

    def arm(self, place: int) -> tuple[int, bool]:
        """The stage's place in the rollout, and whether the candidate answered."""
        drawn = self._columns["drawn"][place % self.most]
        return drawn >> 1, bool(drawn & 1)

    def counted(self, question: int, place: int) -> int:
        """The code of the outcome that counted there for this question; 0 for none."""
        return self._counted[question][place % self.most]

    def count(self, question: int, place: int, code: int) -> None:
        """An outcome with this code, above 0, counts there from now on."""
        self._counted[question][place % self.most] = code

    def __len__(self) -> int:
        return min(self._next, self.most)

    def arrays(self) -> dict[str, Array]:
        """The whole state by name."""
        aliases = [(place, id_) for place, ids in self._aliases.items() for id_ in ids]
        state: dict[str, Array] = {
            "next": np.array([self._next, self.forgotten], np.uint64),
            "ids": np.frombuffer(bytes(self._ids), np.uint8),
            "alias_places": np.array([place for place, _ in aliases], np.uint64),
            "alias_ids": np.frombuffer(b"".join(id_ for _, id_ in aliases), np.uint8),
        }
        state |= {name: np.array(column) for name, column in self._columns.items()}
        return state | {f"counted_{i}": np.array(each) for i, each in enumerate(self._counted)}

    @classmethod
    def of_arrays(cls, questions: int, arrays: dict[str, Array], *, most: int = AWAITING) -> Self:
        """As it was when `arrays` was taken."""
        loaded = cls(questions, most=most)
        loaded._next, loaded.forgotten = arrays["next"].tolist()
        loaded._ids = bytearray(arrays["ids"].tobytes())
        for name, code in _COLUMNS.items():
            loaded._columns[name] = array(code, arrays[name].tobytes())
        loaded._counted = [array("Q", arrays[f"counted_{i}"].tobytes()) for i in range(questions)]
        for place in range(max(0, loaded._next - most), loaded._next):
            loaded._name(place)
        raw = arrays["alias_ids"].tobytes()
        for number, place in enumerate(arrays["alias_places"].tolist()):
            id_ = raw[number * _ID : (number + 1) * _ID]
            loaded._by_id[id_] = place
            loaded._aliases.setdefault(place, []).append(id_)
        return loaded

    def _name(self, place: int) -> None:
        """Make the prediction that starts there found again."""
        slot = place % self.most
        if self._columns["rows"][slot]:
            self._by_id[bytes(self._ids[slot * _ID : (slot + 1) * _ID])] = place
            if key := self._columns["keys"][slot]:
                self._by_key[key] = place
