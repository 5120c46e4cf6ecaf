"""A verdict computed again from the records alone, and compared with what the ledger says of it.

1. The frames of its blocks are read again, from segments and rings, and judged again in the same
   blocks. Answers and counts must be equal, and each other number up to `ROUNDING`: on the same
   machine it is equal to the last digit, but processors round logarithms in their own ways.
2. SHA-256 of each sealed segment under it is computed over the bytes of the file, and must be what
   the ledger says. What the seal in the file says of itself is not asked.

Frames that are gone make numbers that cannot be compared, so they are told first; a segment that
is there and has another digest is told before them.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from pilotage.checks.live.numbers import GuardNumbers, Looked
from pilotage.control.rollouts.entries import (
    ROLLOUT,
    Sealed,
    SealedSegment,
    Started,
    Verdict,
    numbers_of,
    word_of,
)
from pilotage.control.rollouts.replaying import Gone, frames_of_blocks, replay
from pilotage.errors import PilotageError
from pilotage.records.frames import Segment, opened, seal_of

WORDED: Final = frozenset({"because", "rule", "method", "assumptions"})
"""Of a guard's numbers, what is said in words and may be said better by a later release."""
ROUNDING: Final = 1e-9
"""The largest relative difference of two numbers that counts as rounding."""
PIECE_BYTES: Final = 1024 * 1024
LENGTH_BYTES: Final = 4
"""A sealed segment ends with the length of its seal: see `contracts.segments.seal`."""


class Judge(Protocol):
    """`checks.live.evidence.Evidence`, new."""

    def observe(self, kind: int, payload: bytes, /) -> None: ...
    def close_block(self, seconds: float, /) -> Looked: ...
    def numbers(self) -> Iterable[GuardNumbers]: ...


class Difference(Struct, frozen=True):
    """`what` is one thing in the ledger and another from the records."""

    what: str
    ledger: Any
    records: Any


class Same(Struct, frozen=True, tag=True):
    """Everything is as the ledger says.

    Attributes:
        blocks, frames: that were judged again.
        segments: whose digests were computed again; None while the ledger names none yet.
        rounding: the largest relative difference of two numbers; 0 where all are equal exactly.
    """

    blocks: int
    frames: int
    segments: int | None
    rounding: float = 0.0


class Different(Struct, frozen=True, tag=True):
    """The records say something else than the ledger."""

    differences: list[Difference]


class Missing(Struct, frozen=True, tag=True):
    """Records are gone or damaged, so that the verdict cannot be computed again."""

    gone: list[Gone]
    segments: list[str]


Recomputed = Same | Different | Missing


def recompute(
    verdict: Verdict,
    started: Started,
    sealed: Sealed | None,
    folder: Path,
    judge: Callable[[], Judge],
    *,
    places: tuple[Path, ...] | None = None,
) -> Recomputed:
    """Computes the verdict again from the records in `folder`; `judge` makes a new one.

    Raises:
        PilotageError: there is no such folder, or the entries are damaged.
    """
    if not folder.is_dir():
        raise PilotageError(
            "there is no folder of records here",
            where=str(folder),
            fix="Name the folder with --record.",
        )
    segments = sealed.segments if sealed is not None else []
    absent = [each.name for each in segments if not (folder / each.name).is_file()]
    touched = [
        Difference(f"SHA-256 of {each.name}", each.digest, found)
        for each in segments
        if each.name not in absent and (found := _digest_of(folder, each)) != each.digest
    ]
    if touched:
        return Different(touched)
    gone: list[Gone] = []
    blocks, cuts = _blocks_of(verdict, started, folder, gone, places), verdict.blocks
    judging = judge()
    looked: Looked | None = None
    for each in replay(judging, blocks, cuts):
        looked = each
    if gone or absent:
        return Missing(gone, absent)
    rounding = [0.0]
    differences = [
        *(_of_rollout(verdict, looked) if looked is not None else ()),
        *_of_guards(verdict, [numbers_of(each) for each in judging.numbers()], rounding),
    ]
    if differences:
        return Different(differences)
    frames = sum(cut.frames for cut in cuts)
    return Same(len(cuts), frames, len(segments) if sealed is not None else None, max(rounding))


def _blocks_of(
    verdict: Verdict,
    started: Started,
    folder: Path,
    gone: list[Gone],
    places: tuple[Path, ...] | None,
) -> Iterator[list[Any]]:
    return frames_of_blocks(
        folder,
        started.offsets,
        verdict.blocks,
        since_ns=started.since_ns,
        places=places,
        missing=gone,
    )


def _of_rollout(verdict: Verdict, looked: Looked) -> Iterator[Difference]:
    """What all guards together say."""
    if verdict.of != ROLLOUT:
        return
    word = word_of(looked)
    if word != verdict.word:
        yield Difference("the rollout: word", verdict.word, word)


def _of_guards(
    verdict: Verdict, again: list[dict[str, Any]], rounding: list[float]
) -> Iterator[Difference]:
    """The numbers of each guard, and the word of the guard that the verdict is of.

    Differences that are but rounding go to `rounding`.
    """
    found = {str(each["name"]): each for each in again}
    for kept in verdict.guards:
        name = str(kept.get("name"))
        numbers = found.pop(name, None)
        if numbers is None:
            yield Difference(f"guard {name}", "judged", "not judged")
            continue
        for field, value in kept.items():
            if field in WORDED:
                continue
            off = _off(value, numbers.get(field))
            if off <= ROUNDING:
                rounding.append(off)
            else:
                yield Difference(f"{name}: {field}", value, numbers.get(field))
        if name == verdict.of and numbers["word"] != verdict.word:
            yield Difference(f"{name}: verdict", verdict.word, numbers["word"])
    for name in found:
        yield Difference(f"guard {name}", "not judged", "judged")


def _off(kept: Any, again: Any) -> float:
    """How far one value is from the other, relatively; only floats are ever nearly equal."""
    if kept == again:
        return 0.0
    if not (isinstance(kept, float) and isinstance(again, float)):
        return math.inf
    return abs(kept - again) / max(abs(kept), abs(again))


def _digest_of(folder: Path, segment: SealedSegment) -> str:
    """SHA-256 of everything before the seal, in hex; a word where the file has no seal."""
    path = folder / segment.name
    if seal_of(Segment(path, 0)) is None:
        return "no seal"
    digest = hashlib.sha256()
    with opened(path) as data:
        end = len(data) - int.from_bytes(data[len(data) - LENGTH_BYTES :], "little")
        for at in range(0, end, PIECE_BYTES):
            digest.update(data[at : min(at + PIECE_BYTES, end)])
    return digest.hexdigest()
