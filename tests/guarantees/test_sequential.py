"""One battery for every sequential procedure of `sequential_procedures`.

Error rates are those of 2,000 runs that are looked at after every block: at a nominal 5 %, a
correct procedure has 150 or more false ones less than once in a million seeds.
"""

import time

import numpy as np
import pytest

from pilotage.statistics.procedure import StateError
from pilotage.statistics.verdict import Undecided
from sequential_draws import Draw
from sequential_procedures import PROCEDURES, Entry

RUNS = 2_000
FALSE_ONES = 150
those_that_pass = pytest.mark.parametrize(
    "entry",
    [entry for entry in PROCEDURES.values() if entry.passes],
    ids=[name for name, entry in PROCEDURES.items() if entry.passes],
)
those_that_count_no_looks = pytest.mark.parametrize(
    "entry",
    [entry for entry in PROCEDURES.values() if entry.passes and not entry.counts_looks],
    ids=[n for n, entry in PROCEDURES.items() if entry.passes and not entry.counts_looks],
)
every_procedure = pytest.mark.parametrize("entry", PROCEDURES.values(), ids=PROCEDURES.keys())


def ever(entry: Entry, draw: Draw, blocks: int, seed: int, runs: int = RUNS) -> tuple[int, int]:
    """How many of the runs passed and failed, looked at after every block."""
    rng = np.random.default_rng(seed)
    procedure = entry.make((runs,))
    passed, failed = np.zeros(runs, bool), np.zeros(runs, bool)
    for _ in range(blocks):
        entry.feed(procedure, draw(rng, (runs,)))
        procedure.close_block()
        passed |= procedure.passed()
        failed |= procedure.failed()
    return int(passed.sum()), int(failed.sum())


@every_procedure
def test_what_is_not_harmful_seldom_fails_however_often_one_looks(entry: Entry) -> None:
    _, failed = ever(entry, entry.must_not_fail, entry.blocks, seed=1)
    print(f"{failed} of {RUNS} failed")
    assert failed < FALSE_ONES


@those_that_pass
def test_what_is_harmful_seldom_passes_however_often_one_looks(entry: Entry) -> None:
    passed, _ = ever(entry, entry.must_not_pass, entry.blocks, seed=2)
    print(f"{passed} of {RUNS} passed")
    assert passed < FALSE_ONES


@every_procedure
def test_what_is_clearly_harmful_fails(entry: Entry) -> None:
    _, failed = ever(entry, entry.harmful, entry.blocks_for_power, seed=3, runs=200)
    assert failed > 180


@every_procedure
def test_what_is_clearly_harmless_passes_or_raises_no_alarm(entry: Entry) -> None:
    passed, failed = ever(entry, entry.harmless, entry.blocks_for_power, seed=4, runs=200)
    assert (passed > 180) if entry.passes else (failed < 20)


@every_procedure
def test_a_saved_state_goes_on_bit_for_bit(entry: Entry) -> None:
    rng = np.random.default_rng(6)
    procedure = entry.make((3,))
    for _ in range(3):
        entry.feed(procedure, entry.harmful(rng, (3,)))
        procedure.close_block()
    first, second = entry.cut(entry.harmful(rng, (3,)), 0.5)
    entry.feed(procedure, first)
    saved = procedure.save()
    loaded = entry.kind.load(entry.configuration, saved)
    assert loaded.save() == saved
    for each in (procedure, loaded):
        entry.feed(each, second)
        each.close_block()
    more = entry.harmful(rng, (3,))
    for each in (procedure, loaded):
        entry.feed(each, more)
        each.close_block()
    assert loaded.save() == procedure.save()
    assert np.array_equal(loaded.failed(), procedure.failed())
    assert np.array_equal(loaded.passed(), procedure.passed())


@every_procedure
def test_a_damaged_state_is_refused(entry: Entry) -> None:
    procedure = entry.make()
    entry.feed(procedure, entry.harmful(np.random.default_rng(7), ()))
    procedure.close_block()
    for damaged in (procedure.save()[:-1], procedure.save() + b"\0"):
        with pytest.raises(StateError):
            entry.kind.load(entry.configuration, damaged)


@every_procedure
@pytest.mark.parametrize("share", [0.0, 0.13, 0.5, 1.0])
def test_any_cut_inside_a_block_gives_the_same_state(entry: Entry, share: float) -> None:
    whole, cut = entry.make((3,)), entry.make((3,))
    rng = np.random.default_rng(8)
    for _ in range(4):
        block = entry.harmful(rng, (3,))
        entry.feed(whole, block)
        for part in entry.cut(block, share):
            entry.feed(cut, part)
        assert cut.save() == whole.save()
        whole.close_block()
        cut.close_block()
    assert cut.save() == whole.save()


@every_procedure
def test_a_run_among_many_is_judged_as_it_would_be_alone(entry: Entry) -> None:
    rng = np.random.default_rng(9)
    many, alone = entry.make((3,)), entry.make()
    for draw in (entry.harmless, entry.harmful, entry.harmful):
        block = draw(rng, (3,))
        entry.feed(many, block)
        entry.feed(alone, tuple(np.asarray(e)[1] if np.ndim(e) else e for e in block))
        many.close_block()
        alone.close_block()
        assert bool(many.failed()[1]) == bool(alone.failed())
        assert bool(many.passed()[1]) == bool(alone.passed())


@every_procedure
def test_extremes_leave_a_state_that_can_be_judged(entry: Entry) -> None:
    for extreme in entry.extremes:
        procedure = entry.make()
        with np.errstate(all="raise", under="ignore"):
            for _ in range(3):
                entry.feed(procedure, extreme)
                procedure.close_block()
                procedure.verdict()
        loaded = entry.kind.load(entry.configuration, procedure.save())
        assert loaded.save() == procedure.save()


@every_procedure
def test_nothing_observed_is_undecided(entry: Entry) -> None:
    procedure = entry.make()
    assert isinstance(procedure.verdict(), Undecided)
    procedure.close_block()
    entry.feed(procedure, entry.empty)
    procedure.close_block()
    assert isinstance(procedure.verdict(), Undecided)
    assert not procedure.failed()
    assert not procedure.passed()


@those_that_count_no_looks
def test_an_empty_block_changes_nothing(entry: Entry) -> None:
    procedure = entry.make()
    entry.feed(procedure, entry.harmful(np.random.default_rng(11), ()))
    procedure.close_block()
    before = procedure.save()
    entry.feed(procedure, entry.empty)
    procedure.close_block()
    assert procedure.save() == before


@every_procedure
def test_one_verdict_is_for_one_run(entry: Entry) -> None:
    with pytest.raises(ValueError, match="shape"):
        entry.make((2,)).verdict()


@every_procedure
def test_a_million_observations_are_judged(entry: Entry) -> None:
    rng = np.random.default_rng(10)
    procedure = entry.make()
    # Two small blocks first, from which some learn what to hold the million against.
    for _ in range(2):
        entry.feed(procedure, entry.harmful(rng, ()))
        procedure.close_block()
    block = entry.million(rng, ())
    began = time.perf_counter()
    for _ in range(entry.million_in):
        entry.feed(procedure, block)
        procedure.close_block()
    print(f"{time.perf_counter() - began:.3f} s, {len(procedure.save())} bytes of state")
    assert procedure.failed()
