"""Predictions whose outcomes may still come, in a compact form. Pure.

Each row of a prediction takes one place in a ring: 59 bytes, and 8 for each question; the oldest
give way to the newest. A prediction is found by its id, or by the caller's id of it: the latest
with that id of the caller who asks, else of anybody; a retry within `RETRY_S` is the request it
repeats.

Measured, 100,000 predictions of one row and one question: 20 MB, with a caller's id each 38 MB;
saved, 6.7 MB in 9 ms, read again in 80 ms.
"""

from array import array
from struct import Struct
from typing import Any, Final, NamedTuple, Self

import numpy as np

from pilotage.statistics.sequential.retries import RETRY_S

AWAITING: Final = 500_000
"""The most rows of predictions that are remembered."""
ROWS: Final = 1024
"""The most rows of one prediction that are remembered; outcomes of others are unknown."""
_ID_BYTES: Final = 16
_PLACE: Final = Struct("<16sQQQQdHB")
"""id | key | caller | unit | label | at_s | rows, 0 for a further one | stage * 2 + candidate"""

Array = np.ndarray[Any, np.dtype[Any]]


class Drawn(NamedTuple):
    """One prediction that was answered and whose arm was drawn.

    `key` and `caller` are digests of the caller's id and of who called, 0 where none came; `unit`
    is the unit's digest, 0 where none is needed; `stage` its place in the rollout; `labels` one
    code a row.
    """

    id: bytes
    key: int
    caller: int
    unit: int
    at_s: float
    stage: int
    candidate: bool
    labels: list[int]


class Place(NamedTuple):
    """What is kept of one row of a prediction; `rows` is 0 in all but its first."""

    id: bytes
    key: int
    caller: int
    unit: int
    label: int
    at_s: float
    rows: int
    drawn: int

    @property
    def stage(self) -> int:
        return self.drawn >> 1

    @property
    def candidate(self) -> bool:
        return bool(self.drawn & 1)


class Awaiting:
    """What is remembered of predictions, by place; a place is a number that is never used again."""

    def __init__(self, questions: int, *, most: int = AWAITING) -> None:
        self.most = most
        self.forgotten = 0
        """Predictions that gave way to newer ones."""
        self._next = 0
        self._places = bytearray()
        self._counted: list[array[int]] = [array("Q") for _ in range(questions)]
        self._by_id: dict[bytes, int] = {}
        self._by_key: dict[int, int] = {}
        # By key and caller, where there is one: two callers may count their requests alike.
        self._by_own: dict[int, int] = {}
        self._aliases: dict[int, list[bytes]] = {}

    def remember(self, drawn: Drawn) -> None:
        """Keep it, or, if it is a retry of one that is kept, its id as another name of that."""
        id_, key, caller, unit, at_s, stage, candidate, labels = drawn
        if key:
            known = self._by_own.get(key ^ caller) if caller else self._by_key.get(key)
            if known is not None:
                earlier = self.at(known)
                if at_s - earlier.at_s <= RETRY_S and caller == earlier.caller:
                    self._by_id[id_] = known
                    self._aliases.setdefault(known, []).append(id_)
                    return
            self._name_key(key, caller, self._next)
        self._by_id[id_] = self._next
        arm = stage << 1 | candidate
        rows = min(len(labels), ROWS)
        self._keep(_PLACE.pack(id_, key, caller, unit, labels[0], at_s, rows, arm))
        for label in labels[1:rows]:
            self._keep(_PLACE.pack(id_, key, caller, unit, label, at_s, 0, arm))

    def _keep(self, place: bytes) -> None:
        if self._next < self.most:
            self._places += place
            for counted in self._counted:
                counted.append(0)
        else:
            self._forget(self._next - self.most)
            slot = self._next % self.most
            self._places[slot * _PLACE.size : (slot + 1) * _PLACE.size] = place
            for counted in self._counted:
                counted[slot] = 0
        self._next += 1

    def _forget(self, place: int) -> None:
        """Drop the names of the prediction that starts there; a further row has none."""
        old = self.at(place)
        if not old.rows:
            return
        self.forgotten += 1
        for each in (old.id, *self._aliases.pop(place, ())):
            if self._by_id.get(each) == place:
                del self._by_id[each]
        for names, name in ((self._by_key, old.key), (self._by_own, old.key ^ old.caller)):
            if old.key and names.get(name) == place:
                del names[name]

    def by_id(self, id_: bytes) -> int | None:
        """Where the prediction with this id starts."""
        return self._by_id.get(id_)

    def by_key(self, key: int, caller: int = 0) -> int | None:
        """Where the latest prediction with this caller's id starts; `key` is its digest.

        `caller` is the digest of who asks: its own prediction comes before those of others.
        """
        own = self._by_own.get(key ^ caller) if caller else None
        return self._by_key.get(key) if own is None else own

    def at(self, place: int) -> Place:
        """What is kept there."""
        return Place._make(_PLACE.unpack_from(self._places, place % self.most * _PLACE.size))

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
            "places": np.frombuffer(bytes(self._places), np.uint8),
            "alias_places": np.array([place for place, _ in aliases], np.uint64),
            "alias_ids": np.frombuffer(b"".join(id_ for _, id_ in aliases), np.uint8),
        }
        return state | {f"counted_{i}": np.array(each) for i, each in enumerate(self._counted)}

    @classmethod
    def of_arrays(cls, questions: int, arrays: dict[str, Array], *, most: int = AWAITING) -> Self:
        """As it was when `arrays` was taken."""
        loaded = cls(questions, most=most)
        loaded._next, loaded.forgotten = arrays["next"].tolist()
        loaded._places = bytearray(arrays["places"].tobytes())
        loaded._counted = [array("Q", arrays[f"counted_{i}"].tobytes()) for i in range(questions)]
        for place in range(max(0, loaded._next - most), loaded._next):
            loaded._name(place)
        raw = arrays["alias_ids"].tobytes()
        for number, place in enumerate(arrays["alias_places"].tolist()):
            id_ = raw[number * _ID_BYTES : (number + 1) * _ID_BYTES]
            loaded._by_id[id_] = place
            loaded._aliases.setdefault(place, []).append(id_)
        return loaded

    def _name(self, place: int) -> None:
        """Make the prediction that starts there found again."""
        kept = self.at(place)
        if kept.rows:
            self._by_id[kept.id] = place
            if kept.key:
                self._name_key(kept.key, kept.caller, place)

    def _name_key(self, key: int, caller: int, place: int) -> None:
        self._by_key[key] = place
        if caller:
            self._by_own[key ^ caller] = place
