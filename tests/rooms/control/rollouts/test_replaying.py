import mmap
import random

import pytest

from pilotage.contracts import segments
from pilotage.contracts.segments import OUTCOME, OVERHEAD_BYTES, Head, Position
from pilotage.control.rollouts.blocks import Cut, cut_behind, in_order, reached
from pilotage.control.rollouts.replaying import frames_of_blocks, replay
from pilotage.records.frames import Reader, latest_opened_ns, segments_in
from simulators.rings import Rings


@pytest.fixture
def rings(tmp_path):
    rings = Rings(tmp_path / "records", workers=3)
    yield rings
    rings.close()


class Decider:
    """Reads the folder block by block, as the decider does."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.since_ns = latest_opened_ns(folder)
        self.reader = Reader(folder, since_ns=self.since_ns)
        self.reader.skip()
        self.begin = self.reader.given
        self.cuts: list[Cut] = []
        self.blocks: list[list[bytes]] = []

    def look(self, seconds: float = 10.0) -> None:
        frames = in_order(self.reader)
        self.cuts.append(cut_behind(frames, seconds))
        self.blocks.append([found.payload for found in frames])

    def again(self, missing=None, **settings) -> list[list[bytes]]:
        blocks = frames_of_blocks(
            self.folder,
            self.begin,
            self.cuts,
            since_ns=self.since_ns,
            missing=missing,
            **settings,
        )
        return [[found.payload for found in block] for block in blocks]


def _busy(rings, decider, *, looks: int, seed: int = 20_262) -> None:
    """Traffic, a recorder that copies now and then, and looks in between."""
    chance = random.Random(seed)
    number = 0
    for _ in range(looks):
        for _ in range(chance.choice((0, 3, 30))):
            number += 1
            rings.put(chance.randrange(3), b"<%d>" % number * chance.choice((1, 1, 30)))
            if chance.random() < 0.3:
                rings.copy()
        if chance.random() < 0.2:
            rings.restart()
        decider.look(chance.random())


def test_each_block_comes_again_from_rings_and_segments(rings):
    rings.put(0, b"before the rollout")
    decider = Decider(rings.folder)
    _busy(rings, decider, looks=40)
    missing = []
    assert decider.again(missing) == decider.blocks
    rings.put(0, b"after the last look")
    rings.restart()
    assert decider.again(missing) == decider.blocks
    assert missing == []
    assert sum(map(len, decider.blocks)) > 200


def test_rings_that_wrap_lose_nothing(tmp_path):
    rings = Rings(tmp_path / "records", workers=3, ring_bytes=4096)
    decider = Decider(rings.folder)
    for number in range(400):
        rings.put(number % 3, b"%d" % number * 20)
        if number % 7 == 0:
            rings.copy()
        if number % 5 == 0:
            decider.look()
    decider.look()
    missing = []
    assert decider.again(missing) == decider.blocks
    assert missing == []
    rings.close()
    assert decider.again(missing) == decider.blocks
    assert missing == []


def test_a_rollout_that_began_later_is_given_nothing_of_before(rings):
    early = Decider(rings.folder)
    _busy(rings, early, looks=10)
    late = Decider(rings.folder)
    _busy(rings, late, looks=10, seed=20_263)
    early.look()
    rings.restart()
    assert late.again() == late.blocks
    assert early.again() == early.blocks


def test_who_goes_on_behind_the_last_cut_reads_what_comes_next(rings):
    decider = Decider(rings.folder)
    _busy(rings, decider, looks=10)
    rings.put(1, b"next")
    given = reached(decider.begin, decider.cuts)
    onward = Reader(rings.folder, given=given, since_ns=decider.since_ns)
    assert [found.payload for found in onward] == [b"next"]


def _damage(path, content: bytes) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        data[data.find(content)] ^= 1


def test_a_frame_that_is_damaged_is_told_with_its_place(rings):
    decider = Decider(rings.folder)
    rings.put(0, b"first")
    rings.copy()
    start = rings.written(0)
    rings.put(0, b"damaged")
    end = rings.written(0)
    rings.copy()
    rings.put(0, b"third")
    decider.look()
    rings.put(1, b"of the next block")
    decider.look()
    rings.restart()
    _damage(segments_in(rings.folder)[-1].path, b"damaged")
    missing = []
    assert decider.again(missing) == [[b"first", b"third"], [b"of the next block"]]
    (gone,) = missing
    assert (gone.block, gone.frames, gone.stretches) == (0, 1, ((rings.ids[0], start, end),))


def test_blocks_whose_segment_was_removed_are_missing(rings):
    decider = Decider(rings.folder)
    for number in range(4):
        rings.put(0, b"%d" % number)
        rings.put(1, b"%d" % number)
        decider.look()
        rings.restart()
    segments_in(rings.folder)[1].path.unlink()
    missing = []
    again = decider.again(missing)
    assert again == [decider.blocks[0], [], *decider.blocks[2:]]
    assert [(gone.block, gone.frames, len(gone.stretches)) for gone in missing] == [(1, 2, 2)]


def test_a_block_waits_for_a_ring_that_is_behind_up_to_a_limit(tmp_path):
    """The last frame of a block comes behind so many bytes of the next one, or not at all."""
    head = Head(node=1, boot=2, opened_ns=1_790_000_000_000_000_000, mark=b"\x01MARK\xff\x00\x02")
    first, late, following = b"a" * 10, b"late", b"b" * 100
    data = segments.head(head)
    data += segments.position(Position(ring=1, offset=0), head.mark)
    data += segments.frame(OUTCOME, first) + segments.frame(OUTCOME, following)
    data += segments.position(Position(ring=2, offset=0), head.mark)
    data += segments.frame(OUTCOME, late)
    (tmp_path / "01a0c4506c64-000001-0002.open").write_bytes(data)
    ends = [10 + OVERHEAD_BYTES, 110 + 2 * OVERHEAD_BYTES]
    cuts = [Cut(1.0, {1: ends[0], 2: 4 + OVERHEAD_BYTES}, 2), Cut(1.0, {1: ends[1]}, 1)]
    missing = []

    def again(ahead_bytes: int) -> list[list[bytes]]:
        settings = {"missing": missing, "ahead_bytes": ahead_bytes}
        blocks = frames_of_blocks(tmp_path, {}, cuts, since_ns=0, **settings)
        return [[found.payload for found in block] for block in blocks]

    assert again(100) == [[first, late], [following]]
    assert missing == []
    assert again(99) == [[first], [following]]
    assert [(gone.block, gone.frames) for gone in missing] == [(0, 1)]


class Counts:
    """A judge who says what it saw."""

    def __init__(self) -> None:
        self.seen = []

    def observe(self, kind, payload):
        self.seen.append((kind, payload))

    def close_block(self, seconds):
        seen, self.seen = self.seen, []
        return seconds, seen


def test_a_judge_sees_the_same_blocks_with_the_same_lengths_again(rings):
    decider = Decider(rings.folder)
    _busy(rings, decider, looks=12)
    blocks = frames_of_blocks(rings.folder, decider.begin, decider.cuts, since_ns=decider.since_ns)
    looked = list(replay(Counts(), blocks, decider.cuts))
    assert [seconds for seconds, _ in looked] == [cut.seconds for cut in decider.cuts]
    assert [[payload for _, payload in seen] for _, seen in looked] == decider.blocks
    assert {kind for _, seen in looked for kind, _ in seen} == {OUTCOME}


def test_no_blocks_need_no_records(tmp_path):
    assert list(frames_of_blocks(tmp_path, {}, [], since_ns=0)) == []
    cuts = [Cut(1.0, {}, 0), Cut(2.0, {}, 0)]
    assert list(frames_of_blocks(tmp_path, {}, cuts, since_ns=0)) == [[], []]
