import dataclasses
import math

import pytest

from pilotage.control.ledger.lines import FIRST, Entry, is_whole, line_after, read_line, text_of
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.blocks import Cut
from pilotage.control.rollouts.entries import (
    Ended,
    Sealed,
    SealedSegment,
    StageEnded,
    Started,
    SteeredBy,
    Verdict,
)
from pilotage.control.rollouts.table import State, Steered
from pilotage.errors import PilotageError
from pilotage.spec.rollouts import StageSpec
from simulators.judging import ABOUT, IDENTITY, SPEC, CountingJudge, started, verdict

CUTS = [Cut(10.1, {1 << 63: 500, 2: 3}, 4), Cut(0.1 + 0.2, {2: 9}, 1)]


def _judged() -> tuple[CountingJudge, Entry]:
    judge = CountingJudge()
    judge.observe(3, b"error")
    return judge, verdict(judge, judge.close_block(10.1), CUTS)


def _made() -> list[tuple[Entry, type]]:
    of_verdict = _judged()[1]
    line = line_after(1, FIRST, of_verdict)
    shadow = StageSpec("shadow", 0, 60.0, 100)
    state = State(phase="rolled_back", because="too many errors")
    return [
        (started({1 << 63: 7}, 5, "/records"), Started),
        (entries.stage("r/3", 1.5, ABOUT, shadow, SPEC.stages[0]), StageEnded),
        (entries.steered("r/4", 1.5, ABOUT, Steered("pause", "ada")), SteeredBy),
        (of_verdict, Verdict),
        (entries.sealed(line, 2.5, [("a.seg", b"\xab" * 32)]), Sealed),
        (entries.ended("r/5", 2.5, ABOUT, state, verdict=of_verdict.key), Ended),
    ]


def _through(entry: Entry) -> Entry:
    line = read_line(text_of(line_after(1, FIRST, entry)))
    assert is_whole(line)
    return line.entry


def test_every_kind_comes_back_from_the_ledger_as_it_was():
    for entry, kind in _made():
        again = _through(entry)
        assert again == entry
        assert entries.read(again, kind) == entries.read(entry, kind)
        assert (again.endpoint, again.rollout) == (ABOUT.endpoint, ABOUT.rollout)


def test_a_rollout_that_began_says_what_was_asked_and_from_where_on():
    begun = entries.read(_through(started({1 << 63: 7}, 5)), Started)
    assert begun.asked == SPEC
    assert begun.offsets == {1 << 63: 7}
    assert begun.baseline == IDENTITY.baseline


def test_a_verdict_says_its_blocks_and_numbers_exactly():
    judge, entry = _judged()
    read = entries.read(_through(entry), Verdict)
    assert read.blocks == CUTS
    assert read.looks == 2
    assert read.word == "failed"
    assert read.stage == "canary 5 %"
    assert read.guards == [entries.numbers_of(each) for each in judge.numbers()]
    assert read.guards[0]["high"] == "inf"
    assert entries.ends_of(entry) == {1 << 63: 500, 2: 9}


def test_numbers_that_are_none_are_told_in_words():
    (guard,) = CountingJudge().numbers()
    changed = {"low": -math.inf, "high": math.nan, "fail_evidence": -0.0}
    told = entries.numbers_of(dataclasses.replace(guard, **changed))
    assert (told["low"], told["high"]) == ("-inf", "nan")
    assert math.copysign(1, told["fail_evidence"]) == -1


def test_sealed_segments_are_of_the_verdict_of_that_line():
    (entry,) = [entry for entry, kind in _made() if kind is Sealed]
    assert entry.key == f"{ABOUT.rollout}/2/sealed"
    assert entries.read(entry, Sealed) == Sealed(
        f"{ABOUT.rollout}/2", [SealedSegment("a.seg", "ab" * 32)]
    )


def test_an_entry_of_another_kind_or_with_other_particulars_is_an_error():
    entry = started({}, 0)
    with pytest.raises(PilotageError, match="of the kind started"):
        entries.read(entry, Verdict)
    with pytest.raises(PilotageError, match="not as the kind ended is written"):
        entries.read(Entry("k", "ended", 1.0, "e", "r", {"phase": 5}), Ended)
