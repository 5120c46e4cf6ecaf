"""How long a million observations take, how large a state is, and whether it comes back whole."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.streams import Array
from benchmarks.decisions.tables import Aim, Part, Table
from benchmarks.decisions.tasks import SEED, Progress
from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.sequential.block_means import BlockMeans, BlockMeansConfiguration
from pilotage.statistics.sequential.bounded_means import BoundedMean, BoundedMeanConfiguration
from pilotage.statistics.sequential.detectors import AlarmBudget, AlarmBudgetConfiguration, Monitor
from pilotage.statistics.sequential.difference_interval import (
    DifferenceInterval,
    DifferenceIntervalConfiguration,
)
from pilotage.statistics.sequential.drift import RankDrift, RankDriftConfiguration
from pilotage.statistics.sequential.exceedances import Exceedances, ExceedancesConfiguration
from pilotage.statistics.sequential.floors import PerformanceFloor, PerformanceFloorConfiguration
from pilotage.statistics.sequential.latency_objectives import (
    LatencyObjective,
    LatencyObjectiveConfiguration,
)
from pilotage.statistics.sequential.paired import Paired, PairedConfiguration
from pilotage.statistics.sequential.probe_tails import ProbeTails
from pilotage.statistics.sequential.probes import Probes, ProbesConfiguration
from pilotage.statistics.sequential.references import Reference
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.sequential.units import Units, UnitsConfiguration

BLOCKS = 100
REPEATS = 5
SMALL = 1_000
"""Bytes that the state of a two-arm guard may have."""

Feed = Callable[[Any, Array], None]
"""How a procedure takes a block of values in [0, 1)."""


def _arms(values: Array) -> tuple[Array, Array]:
    return values[: len(values) * 19 // 20], values[len(values) * 19 // 20 :]


def _counts(procedure: Any, values: Array) -> None:
    baseline, candidate = _arms(values < 0.01)
    procedure.update(baseline.size, baseline.sum(), candidate.size, candidate.sum())


def _two_durations(procedure: Any, values: Array) -> None:
    procedure.update(*_arms(0.1 + values))


def _pairs(procedure: Any, values: Array) -> None:
    procedure.update(0.01 + values[::2], 0.01 + values[1::2])


def _tails(procedure: Any, values: Array) -> None:
    half = values[::2]
    procedure.update(0.01 + half, 0.01 + values[1::2], 1 + (half * 64).astype(np.int64))


def _units(procedure: Units, values: Array) -> None:
    for place, value in enumerate(values.tolist()):
        unit = int(value * 1e5).to_bytes(8, "big")
        procedure.observe(unit, "candidate" if place % 20 == 0 else "baseline", 1.0, at_s=0.0)
    procedure.take(0.0)


def _direct(procedure: Any, values: Array) -> None:
    procedure.update(values)


def _procedures() -> list[tuple[str, type[Any], Any, Feed]]:
    reference = Reference.of_numbers(np.random.default_rng(0).random(50_000))
    return [
        ("two arms", TwoArms, TwoArmsConfiguration(margin=0.005), _counts),
        ("difference interval", DifferenceInterval, DifferenceIntervalConfiguration(), _counts),
        ("means of blocks", BlockMeans, BlockMeansConfiguration(margin=0.005), _counts),
        ("paired differences", Paired, PairedConfiguration(margin=0.02), _direct),
        ("bounded mean", BoundedMean, BoundedMeanConfiguration(), _direct),
        ("timing probes", Probes, ProbesConfiguration(), _pairs),
        ("tails of probes", ProbeTails, PairedConfiguration(margin=0.01), _tails),
        ("exceedances", Exceedances, ExceedancesConfiguration(), _two_durations),
        ("latency objective", LatencyObjective, LatencyObjectiveConfiguration(0.3), _direct),
        ("rank drift", RankDrift, RankDriftConfiguration(reference), _direct),
        ("performance floor", PerformanceFloor, PerformanceFloorConfiguration(0.16), _direct),
        ("units (100,000 users)", Units, UnitsConfiguration(), _units),
    ]


def run(length: Length) -> Part:
    """Each procedure in a hundred blocks; medians of several rounds."""
    values = np.random.default_rng(SEED).random(length.observations)
    procedures = _procedures()
    progress = Progress("speeds", len(procedures) + 2)
    rows: list[list[str]] = []
    seconds: dict[str, float] = {}
    states: dict[str, int] = {}
    whole = True
    for name, kind, configuration, feed in procedures:
        times, procedure = _timed(kind, configuration, feed, values)
        state = procedure.save()
        again = kind.load(configuration, state)
        same = again.save() == state
        whole = whole and same
        seconds[name], states[name] = median(times), len(state)
        rows.append([name, f"{median(times):.3f}", f"{len(state):,}", "yes" if same else "NO"])
        progress.step()
    pot, pot_seconds = _pot()
    rows.append(["alarm budget, 11 monitors, 365 ticks", f"{pot_seconds:.3f}", f"{pot:,}", "yes"])
    progress.step()
    hedged = median(_hedged(values) for _ in range(REPEATS))
    rows.append(["hedged interval (fixed)", f"{hedged:.3f}", "", ""])
    progress.step()
    slowest = max(seconds, key=lambda name: seconds[name] if not name.startswith("units") else 0)
    table = Table(
        f"Speeds: {length.observations:,} observations in {BLOCKS} blocks",
        ["procedure", "seconds", "state, bytes", "same after save and load"],
        rows,
        f"Medians of {REPEATS} rounds, one thread. Units are kept one by one in Python, since each "
        "is a user of its own; its state has every user that was seen.",
    )
    return Part(
        "speeds",
        [table],
        [
            Aim(f"seconds for a million observations, slowest ({slowest})", seconds[slowest], 1.0),
            Aim("bytes of a two-arm guard's state", float(states["two arms"]), float(SMALL)),
            Aim("seconds of a hedged interval on a million values", hedged, 4.0),
            Aim("states that came back whole", float(whole), 1.0, at_least=True),
        ],
    )


def _timed(
    kind: type[Any], configuration: Any, feed: Feed, values: Array
) -> tuple[list[float], Any]:
    times: list[float] = []
    procedure: Any = None
    for _ in range(1 if kind is Units else REPEATS):
        procedure = kind(configuration)
        start = time.perf_counter()
        for block in np.array_split(values, BLOCKS):
            feed(procedure, block)
            if kind is not Units:
                procedure.close_block()
        times.append(time.perf_counter() - start)
    return times, procedure


def _pot() -> tuple[int, float]:
    """Bytes of the state, and seconds for a year of an endpoint's ticks."""
    names = [f"monitor {number}" for number in range(11)]
    monitors = tuple(Monitor(name, 365.0, 30) for name in names)
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0))
    start = time.perf_counter()
    for _ in range(365):
        for name in names:
            pot.update(name, np.full(30, -0.01))
        pot.close_block()
    return len(pot.save()), time.perf_counter() - start


def _hedged(values: Array) -> float:
    start = time.perf_counter()
    hedged_interval(values, confidence=0.95)
    return time.perf_counter() - start
