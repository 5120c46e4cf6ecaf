import mmap

import pytest

from pilotage.contracts import segments
from pilotage.control.ledger.lines import FIRST, line_after, read_line, text_of
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.blocks import cut_behind, in_order
from pilotage.control.rollouts.entries import Sealed, Started, Verdict
from pilotage.control.rollouts.recomputing import Different, Missing, Same, recompute
from pilotage.errors import PilotageError
from pilotage.records.frames import Reader, latest_opened_ns, seal_of, segments_in
from simulators.judging import CountingJudge, started, verdict
from simulators.rings import Rings


class Scene:
    """A rollout of some blocks on a record folder, and its entries as the ledger gives them."""

    def __init__(self, folder) -> None:
        self.rings = Rings(folder)
        self.rings.put(0, b"error before it began")
        self.rings.copy()
        reader = Reader(folder, since_ns=latest_opened_ns(folder))
        reader.skip()
        self.started = _through(started(reader.given, latest_opened_ns(folder)))
        judge, cuts = CountingJudge(), []
        for block in range(6):
            for number in range(block * 2):
                self.rings.put(number % 2, b"error" if number % 3 == 0 else b"answer %d" % block)
            if block % 2:
                self.rings.restart()
            frames = in_order(reader)
            for found in frames:
                judge.observe(found.kind, found.payload)
            cuts.append(cut_behind(frames, 10.0 + block / 7))
            looked = judge.close_block(cuts[-1].seconds)
        self.verdict = _through(verdict(judge, looked, cuts))
        self.folder = folder
        self.sealed = None

    def seal(self) -> None:
        self.rings.restart()
        line = line_after(2, FIRST, self.verdict)
        held = [(each.path.name, seal_of(each).digest) for each in segments_in(self.folder)]
        self.sealed = _through(entries.sealed(line, 1.79e9, held))

    def recompute(self, **changes):
        entry = entries.read(self.verdict, Verdict)
        for name, value in changes.items():
            entry = type(entry)(
                **{each: getattr(entry, each) for each in entry.__struct_fields__} | {name: value}
            )
        sealed = entries.read(self.sealed, Sealed) if self.sealed else None
        begun = entries.read(self.started, Started)
        return recompute(entry, begun, sealed, self.folder, CountingJudge)


def _through(entry):
    """The entry as it comes out of the ledger's file."""
    return read_line(text_of(line_after(1, FIRST, entry))).entry


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path / "records")
    yield scene
    scene.rings.close()


def test_a_verdict_is_the_same_from_the_records_alone(scene):
    assert scene.recompute() == Same(blocks=6, frames=30, segments=None)
    scene.seal()
    found = scene.recompute()
    assert isinstance(found, Same)
    assert found.segments == len(segments_in(scene.folder))
    scene.rings.put(0, b"error after the verdict")
    assert scene.recompute() == found


def test_each_number_that_was_changed_is_named_with_both(scene):
    guards = [dict(each) for each in entries.read(scene.verdict, Verdict).guards]
    real = guards[0]["fail_evidence"]
    guards[0]["fail_evidence"] = real * (1 + 2e-9)
    guards[0]["candidate_count"] += 1
    found = scene.recompute(guards=guards)
    assert isinstance(found, Different)
    assert [(each.what.split(": ")[1], each.records) for each in found.differences] == [
        ("candidate_count", 30),
        ("fail_evidence", real),
    ]


def test_rounding_of_another_processor_is_told_and_is_no_difference(scene):
    guards = [dict(each) for each in entries.read(scene.verdict, Verdict).guards]
    guards[0]["fail_evidence"] *= 1 + 0.9e-9
    found = scene.recompute(guards=guards)
    assert isinstance(found, Same)
    assert 0.8e-9 < found.rounding < 1e-9


def test_a_word_that_was_changed_is_named_with_both(scene):
    (word,) = scene.recompute(word="passed").differences
    assert (word.ledger, word.records) == ("passed", "failed")


def test_a_guard_that_was_left_out_or_added_is_named(scene):
    guards = entries.read(scene.verdict, Verdict).guards
    assert [each.what for each in scene.recompute(guards=[]).differences] == [
        "guard error_rate not_worse_by 0.5pp"
    ]
    more = [*guards, guards[0] | {"name": "mean of stars"}]
    assert [each.what for each in scene.recompute(guards=more).differences] == [
        "guard mean of stars"
    ]


def test_what_is_said_in_words_may_be_said_better_later(scene):
    guards = [dict(each) for each in entries.read(scene.verdict, Verdict).guards]
    guards[0] |= {"rule": "in other words", "assumptions": [], "method": "", "because": ""}
    assert isinstance(scene.recompute(guards=guards, harm="in other words"), Same)


def test_a_verdict_of_one_guard_is_compared_with_that_guard(scene):
    name = "error_rate not_worse_by 0.5pp"
    assert isinstance(scene.recompute(of=name, word="undecided"), Same)
    (difference,) = scene.recompute(of=name, word="passed").differences
    assert (difference.ledger, difference.records) == ("passed", "undecided")


def test_a_segment_that_was_touched_is_different(scene):
    scene.seal()
    (path, *_) = [each.path for each in segments_in(scene.folder)]
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        data[100] ^= 1
    (difference,) = scene.recompute().differences
    assert difference.what == f"SHA-256 of {path.name}"
    assert difference.ledger != difference.records
    path.write_bytes(path.read_bytes()[:-1])
    assert scene.recompute().differences[0].records == "no seal"


def test_frames_that_were_slipped_in_before_a_seal_that_keeps_its_digest_are_found(scene):
    scene.seal()
    last = segments_in(scene.folder)[-1]
    seal = seal_of(last)
    data = last.path.read_bytes()[: seal.total_bytes]
    forged = data + segments.frame(segments.OUTCOME, b"error") + segments.seal(seal)
    last.path.write_bytes(forged)
    assert seal_of(last) == seal
    assert [each.what for each in scene.recompute().differences] == [f"SHA-256 of {last.path.name}"]


def test_records_that_were_removed_are_missing_with_their_blocks(scene):
    scene.seal()
    path = segments_in(scene.folder)[1].path
    path.unlink()
    found = scene.recompute()
    assert isinstance(found, Missing)
    assert found.segments == [path.name]
    assert {gone.block for gone in found.gone} == {2, 3}
    assert sum(gone.frames for gone in found.gone) == 10


def test_damage_before_anything_was_sealed_is_missing(scene):
    (path,) = [each.path for each in segments_in(scene.folder)][-1:]
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        data[data.find(b"answer 5")] ^= 1
    found = scene.recompute()
    assert isinstance(found, Missing)
    assert [gone.block for gone in found.gone] == [5]


def test_a_folder_that_is_not_there_is_an_error(scene, tmp_path):
    with pytest.raises(PilotageError, match="no folder of records"):
        recompute(
            entries.read(scene.verdict, Verdict),
            entries.read(scene.started, Started),
            None,
            tmp_path / "absent",
            CountingJudge,
        )
