"""The frames of a rollout's blocks read again from its record folder, and judged again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from pilotage.control.rollouts.blocks import Cut, in_order
from pilotage.records.frames import Found, Reader, behind

AHEAD_BYTES: Final = 256 * 1024 * 1024
"""Frames of later blocks that are kept while a block waits for its last ones, in bytes.

A recorder copies all rings in turn, so that a ring is behind another by its size (8 MB) at most;
who is further behind is gone. What is in memory is this and the block itself.
"""

Looked = TypeVar("Looked", covariant=True)


class Judge(Protocol[Looked]):
    """What observes frames and looks at blocks: `checks.live.evidence.Evidence`."""

    def observe(self, kind: int, payload: bytes, /) -> None: ...
    def close_block(self, seconds: float, /) -> Looked: ...


class Gone(Struct, frozen=True):
    """Frames of a block that are not there any more, or damaged.

    Attributes:
        block: index of the block, the first is 0.
        frames: how many are gone.
        stretches: (ring, start, end): where nothing was found. They hold the frames that are gone,
            and may also hold the end of a ring that was too short for the next frame.
    """

    block: int
    frames: int
    stretches: tuple[tuple[int, int, int], ...]


def frames_of_blocks(
    folder: Path,
    begin: Mapping[int, int],
    cuts: Sequence[Cut],
    *,
    since_ns: int,
    places: tuple[Path, ...] | None = None,
    missing: list[Gone] | None = None,
    ahead_bytes: int = AHEAD_BYTES,
) -> Iterator[list[Found]]:
    """The frames of each block, in the order in which they were observed.

    `begin` is how far each ring was read when the rollout began, and `since_ns` what was given to
    its first reader. Blocks whose frames are not all there are given with what there is, and told
    in `missing`. The folder is read once.
    """
    reader = Reader(folder, places, given=begin, since_ns=since_ns)
    sorting = _Sorting(begin, cuts, ahead_bytes)
    for found in reader:
        for block in sorting.take(found):
            yield _checked(block, sorting, missing)
        if sorting.over:
            return
    for block in sorting.rest():
        yield _checked(block, sorting, missing)


def replay(
    judge: Judge[Looked], blocks: Iterable[list[Found]], cuts: Sequence[Cut]
) -> Iterator[Looked]:
    """What the judge says of each block, one after the other, as the decider had it."""
    for block, cut in zip(blocks, cuts, strict=True):
        for found in block:
            judge.observe(found.kind, found.payload)
        yield judge.close_block(cut.seconds)


class _Block(Struct):
    """A block that is being filled, and the rings that have not come to its end yet."""

    index: int
    frames: list[Found]
    awaited: set[int]
    kept_bytes: int = 0


class _Sorting:
    """Puts frames, which come ring by ring in order, into the blocks to which they belong."""

    def __init__(self, begin: Mapping[int, int], cuts: Sequence[Cut], ahead_bytes: int) -> None:
        self.begin = dict(begin)
        self.cuts = cuts
        self._ahead_bytes = ahead_bytes
        self._kept_bytes = 0
        self._first = 0
        self._open: dict[int, _Block] = {}
        self._ends: dict[int, list[tuple[int, int]]] = {}
        for index in range(len(cuts) - 1, -1, -1):
            for ring, end in cuts[index].ends.items():
                self._ends.setdefault(ring, []).append((end, index))

    @property
    def over(self) -> bool:
        """Whether every block was given."""
        return self._first == len(self.cuts)

    def take(self, found: Found) -> Iterator[_Block]:
        """Keep the frame; the blocks that are whole with it."""
        ring = found.address.ring
        ends = self._ends.get(ring)
        while ends and ends[-1][0] <= found.address.offset:
            self._reached(ring, ends.pop()[1])
        if ends and ends[-1][1] >= self._first:
            end, index = ends[-1]
            block = self._block(index)
            block.frames.append(found)
            block.kept_bytes += len(found.payload)
            self._kept_bytes += len(found.payload)
            if behind(found) >= end:
                self._reached(ring, ends.pop()[1])
        while not self.over and self._is_ripe(self._block(self._first)):
            yield self._next()

    def rest(self) -> Iterator[_Block]:
        """The blocks that were not given yet, with what there is of them."""
        while not self.over:
            yield self._next()

    def _is_ripe(self, first: _Block) -> bool:
        return not first.awaited or self._kept_bytes - first.kept_bytes > self._ahead_bytes

    def _reached(self, ring: int, index: int) -> None:
        if index >= self._first:
            self._block(index).awaited.discard(ring)

    def _block(self, index: int) -> _Block:
        return self._open.get(index) or self._open.setdefault(
            index, _Block(index, [], set(self.cuts[index].ends))
        )

    def _next(self) -> _Block:
        block = self._block(self._first)
        del self._open[self._first]
        self._first += 1
        self._kept_bytes -= block.kept_bytes
        return block


def _checked(block: _Block, sorting: _Sorting, missing: list[Gone] | None) -> list[Found]:
    """The frames of the block in order; what is gone is told, and where the next block begins."""
    frames = in_order(block.frames)
    cut = sorting.cuts[block.index]
    if missing is not None and len(frames) < cut.frames:
        stretches = tuple(_stretches(frames, sorting.begin, cut))
        missing.append(Gone(block.index, cut.frames - len(frames), stretches))
    sorting.begin |= cut.ends
    return frames


def _stretches(
    frames: Iterable[Found], begin: Mapping[int, int], cut: Cut
) -> Iterator[tuple[int, int, int]]:
    at = {ring: begin.get(ring, 0) for ring in cut.ends}
    for found in frames:
        ring, offset = found.address.ring, found.address.offset
        if offset > at[ring]:
            yield ring, at[ring], offset
        at[ring] = behind(found)
    for ring, end in cut.ends.items():
        if at[ring] < end:
            yield ring, at[ring], end
