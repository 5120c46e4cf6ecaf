"""One battery for every sequential procedure: add a line to `PROCEDURES`.

A line says how to make the procedure and how to draw a block: at the edge of what must not fail, at
the edge of what must not pass, clearly harmful, clearly harmless. Error rates are those of 2,000
runs that are looked at after every block: at a nominal 5 %, a correct procedure has 150 or more
false ones less than once in a million seeds.
"""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pilotage.statistics.procedure import StateError
from pilotage.statistics.sequential.bounded_means import (
    BoundedMean,
    BoundedMeanConfiguration,
)
from pilotage.statistics.sequential.detectors import (
    AlarmBudget,
    AlarmBudgetConfiguration,
    Monitor,
)
from pilotage.statistics.sequential.drift import (
    STAKES_A_FEATURE,
    RankDrift,
    RankDriftConfiguration,
)
from pilotage.statistics.sequential.exceedances import Exceedances, ExceedancesConfiguration
from pilotage.statistics.sequential.floors import (
    PerformanceFloor,
    PerformanceFloorConfiguration,
)
from pilotage.statistics.sequential.latency_objectives import (
    LatencyObjective,
    LatencyObjectiveConfiguration,
)
from pilotage.statistics.sequential.paired import Paired, PairedConfiguration
from pilotage.statistics.sequential.probe_tails import ProbeTails
from pilotage.statistics.sequential.probes import Probes, ProbesConfiguration
from pilotage.statistics.sequential.references import Reference
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.verdict import Undecided

RUNS = 2_000
FALSE_ONES = 150
Block = tuple[Any, ...]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Block]


def halves(block: Block, share: float) -> tuple[Block, Block]:
    """A block of observations in two, at one place."""
    arrays = [np.asarray(each) for each in block]
    places = [int(each.shape[-1] * share) for each in arrays]
    first = tuple(each[..., :place] for each, place in zip(arrays, places, strict=True))
    return first, tuple(each[..., place:] for each, place in zip(arrays, places, strict=True))


def fewer(block: Block, share: float) -> tuple[Block, Block]:
    """A block of counts in two."""
    first = tuple((np.asarray(each) * share).astype(np.int64) for each in block)
    return first, tuple(np.asarray(all_) - some for all_, some in zip(block, first, strict=True))


@dataclass(frozen=True)
class Entry:
    """A procedure and its data; `extremes` and `million` are blocks for a shape of ()."""

    kind: Any
    configuration: Any
    must_not_fail: Draw
    must_not_pass: Draw
    harmful: Draw
    harmless: Draw
    empty: Block
    extremes: tuple[Block, ...]
    million: Draw
    blocks: int = 100
    blocks_for_power: int = 100
    cut: Callable[[Block, float], tuple[Block, Block]] = halves
    update: str = "update"
    passes: bool = True

    def make(self, shape: tuple[int, ...] = ()) -> Any:
        return self.kind(self.configuration, shape)

    def feed(self, procedure: Any, block: Block) -> None:
        getattr(procedure, self.update)(*block)


class Watched:
    """A monitor's bet with a budget of its own: a year's budget of 0.05 for as many ticks."""

    def __init__(self, configuration: Any, shape: tuple[int, ...] = ()) -> None:
        self.configuration = configuration
        kind, self.of_bet, stakes, ticks = configuration
        self.of_pot = AlarmBudgetConfiguration((Monitor("it", ticks, stakes),), 0.05)
        self.bet = kind(self.of_bet, shape)
        self.pot = AlarmBudget(self.of_pot, shape)
        self.passed, self.failed, self.verdict = self.pot.passed, self.pot.failed, self.pot.verdict

    def update(self, values: Any) -> None:
        self.bet.update(values)

    def update_counts(self, *counts: Any) -> None:
        self.bet.update_counts(*counts)

    def close_block(self) -> None:
        self.bet.close_block()
        self.pot.update("it", self.bet.log_factors())
        self.pot.close_block()

    def save(self) -> bytes:
        bet = self.bet.save()
        return struct.pack("<I", len(bet)) + bet + self.pot.save()

    @classmethod
    def load(cls, configuration: Any, data: bytes) -> "Watched":
        loaded = cls(configuration)
        end = 4 + struct.unpack_from("<I", data)[0]
        loaded.bet = configuration[0].load(loaded.of_bet, data[4:end])
        loaded.pot = AlarmBudget.load(loaded.of_pot, data[end:])
        loaded.failed, loaded.passed = loaded.pot.failed, loaded.pot.passed
        loaded.verdict = loaded.pot.verdict
        return loaded


def two_arms(baseline: float, candidate: float, size: int = 1_000, share: float = 0.2) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        on_trial = int(size * share)
        bad = rng.binomial(size - on_trial, baseline, shape)
        return size - on_trial, bad, on_trial, rng.binomial(on_trial, candidate, shape)

    return draw


def differences(mean: float, size: int = 25) -> Draw:
    """Differences of bounded losses: those of noisy answers, and a few that are all wrong."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        noise = rng.uniform(-0.2, 0.2, (*shape, size))
        extreme = rng.choice([-1.0, 1.0], (*shape, size))
        rare = rng.random((*shape, size)) < 0.02
        worse = rng.random((*shape, size)) < 2 * mean
        return (np.where(worse, 0.5, np.where(rare, extreme, noise)),)

    return draw


def discordant(mean: float, size: int = 100, share: float = 0.1) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        worse, better = (share + mean) / 2, (share - mean) / 2
        found = rng.multinomial(size, [worse, 1 - share, better], shape)
        return tuple(np.moveaxis(found, -1, 0))

    return draw


def probes(ratio: float, size: int = 4) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        together = rng.choice([0.01, 0.02], (*shape, size))
        candidate = together * ratio * rng.lognormal(0, 0.05, (*shape, size))
        return candidate, together * rng.lognormal(0, 0.05, (*shape, size))

    return draw


def probe_tails(more: float, size: int = 25) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        def spikes(share: float) -> Any:
            return np.where(rng.random((*shape, size)) < share, 10.0, 1.0)

        noise = rng.lognormal(0, 0.05, (2, *shape, size))
        rows = rng.integers(5, 9, (*shape, size))
        return 0.01 * noise[0] * spikes(0.01 + more), 0.01 * noise[1] * spikes(0.01), rows

    return draw


def latencies(ratio: float, size: int = 100) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        slow_block = rng.choice([1.0, 1.3])
        baseline = rng.exponential(0.1 * slow_block, (*shape, size))
        return baseline, rng.exponential(0.1 * slow_block * ratio, (*shape, size))

    return draw


def durations(beyond: float, limit_s: float = 0.3, size: int = 100) -> Draw:
    """Exponential, with this share beyond the limit."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.exponential(limit_s / -np.log(beyond), (*shape, size)),)

    return draw


def wrong_answers(rate: float, size: int = 500) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        wrong = rng.binomial(size, rate, shape)
        return wrong, size - wrong

    return draw


def losses(mean: float, size: int = 50) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.beta(2 * mean, 2 * (1 - mean), (*shape, size)),)

    return draw


def normal(shift: float, size: int = 200) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.normal(shift, 1.0, (*shape, size)),)

    return draw


REFERENCE = Reference.of_numbers(
    np.random.default_rng(5).standard_normal(50_000), missing_limit=0.001
)
TICKS = 100

PROCEDURES = {
    "two arms": Entry(
        TwoArms,
        TwoArmsConfiguration(margin=0.01),
        must_not_fail=two_arms(0.01, 0.01),
        must_not_pass=two_arms(0.01, 0.02),
        harmful=two_arms(0.01, 0.03),
        harmless=two_arms(0.01, 0.01),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 10**6, 10**6, 10**6), (1, 0, 10**9, 10**9)),
        million=two_arms(0.01, 0.03, size=10**6),
        cut=fewer,
    ),
    "paired counts": Entry(
        Paired,
        PairedConfiguration(margin=0.02),
        must_not_fail=discordant(0.0),
        must_not_pass=discordant(0.02),
        harmful=discordant(0.05),
        harmless=discordant(0.0),
        empty=(0, 0, 0),
        extremes=((0, 10**7, 0), (10**7, 0, 0), (0, 0, 10**7)),
        million=discordant(0.05, size=10**6),
        cut=fewer,
        update="update_counts",
    ),
    "paired differences": Entry(
        Paired,
        PairedConfiguration(margin=0.05),
        must_not_fail=differences(0.0),
        must_not_pass=differences(0.05),
        harmful=differences(0.1),
        harmless=differences(0.0),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([-1.0] * 1_000,), ([0.0, 5e-324, -5e-324],)),
        million=differences(0.1, size=10**6),
        blocks=60,
    ),
    "probes": Entry(
        Probes,
        ProbesConfiguration(margin=0.2),
        must_not_fail=probes(1.05),
        must_not_pass=probes(1.2),
        harmful=probes(1.3),
        harmless=probes(1.0),
        empty=([], []),
        extremes=(([1e-9], [1e6]), ([1e6] * 100, [1e-9] * 100), ([0.1] * 10, [0.1] * 10)),
        million=probes(1.3, size=10**6),
        blocks_for_power=20,
    ),
    "probe tails": Entry(
        ProbeTails,
        PairedConfiguration(margin=0.02, unit="probe"),
        must_not_fail=probe_tails(0.0),
        must_not_pass=probe_tails(0.02),
        harmful=probe_tails(0.1),
        harmless=probe_tails(0.0),
        empty=([], [], []),
        extremes=(
            ([1e6], [1e-9], [1]),
            ([1e-9] * 10, [1e6] * 10, [10**9] * 10),
            ([1.0], [1.0], [1]),
        ),
        million=probe_tails(0.1, size=10**6),
        blocks=60,
    ),
    "exceedances": Entry(
        Exceedances,
        ExceedancesConfiguration(margin=0.5, quantile=0.95, blocks_per_hour=20),
        must_not_fail=latencies(1.0),
        must_not_pass=latencies(1.5),
        harmful=latencies(2.0),
        harmless=latencies(1.0),
        empty=([], []),
        extremes=(([0.0] * 200, [0.0] * 200), ([1e6] * 200, [1e6] * 200), ([], [1.0] * 200)),
        million=latencies(2.0, size=10**6),
        blocks=30,
        blocks_for_power=60,
    ),
    "latency objective": Entry(
        LatencyObjective,
        LatencyObjectiveConfiguration(limit_s=0.3, quantile=0.98),
        must_not_fail=durations(0.02),
        must_not_pass=durations(0.02),
        harmful=durations(0.05),
        harmless=durations(0.005),
        empty=([],),
        extremes=(([0.0] * 200,), ([1e6] * 200,), ([0.3] * 200,)),
        million=durations(0.05, size=10**6),
        blocks=40,
        blocks_for_power=20,
    ),
    "bounded mean": Entry(
        BoundedMean,
        BoundedMeanConfiguration(at_most=0.16),
        must_not_fail=losses(0.16),
        must_not_pass=losses(0.16),
        harmful=losses(0.25),
        harmless=losses(0.1),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([0.0] * 1_000,), ([5e-324, 1.0],)),
        million=losses(0.2, size=10**6),
        blocks=40,
        blocks_for_power=60,
    ),
    "performance floor, counts": Entry(
        Watched,
        (PerformanceFloor, PerformanceFloorConfiguration(0.16), 6, TICKS),
        must_not_fail=wrong_answers(0.16),
        must_not_pass=wrong_answers(0.2),
        harmful=wrong_answers(0.22),
        harmless=wrong_answers(0.1),
        empty=(0, 0),
        extremes=((10**7, 0), (0, 10**7), (1, 1)),
        million=wrong_answers(0.2, size=10**6),
        cut=fewer,
        update="update_counts",
        passes=False,
    ),
    "performance floor, losses": Entry(
        Watched,
        (PerformanceFloor, PerformanceFloorConfiguration(0.16), 6, TICKS),
        must_not_fail=losses(0.16),
        must_not_pass=losses(0.2),
        harmful=losses(0.25),
        harmless=losses(0.1),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([0.0] * 1_000,), ([5e-324, 1.0],)),
        million=losses(0.2, size=10**6),
        passes=False,
        blocks=50,
    ),
    "rank drift": Entry(
        Watched,
        (RankDrift, RankDriftConfiguration(REFERENCE), STAKES_A_FEATURE, TICKS),
        must_not_fail=normal(0.05),
        must_not_pass=normal(0.1),
        harmful=normal(0.5),
        harmless=normal(0.0),
        empty=([],),
        extremes=(([np.inf] * 100,), ([-np.inf] * 100,), ([np.nan] * 100,)),
        million=normal(0.2, size=10**6),
        blocks=30,
        blocks_for_power=20,
        passes=False,
    ),
}
those_that_pass = pytest.mark.parametrize(
    "entry",
    [entry for entry in PROCEDURES.values() if entry.passes],
    ids=[name for name, entry in PROCEDURES.items() if entry.passes],
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


@those_that_pass
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
    entry.feed(procedure, block)
    procedure.close_block()
    print(f"{time.perf_counter() - began:.3f} s, {len(procedure.save())} bytes of state")
    assert procedure.failed()
