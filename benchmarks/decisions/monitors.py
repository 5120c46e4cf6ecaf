"""The monitors of one endpoint: quiet years, years at the tolerance, and how soon harm is found.

Ten features of 5,000 rows a day, each with a reference of 50,000 rows of its own; and a floor under
accuracy. A day's histogram of independent values is multinomial, so it is drawn, not its rows. All
monitors of a pot share one false alarm a year.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.streams import Array
from benchmarks.decisions.tables import Aim, Part, Table, middle_and_late, share
from benchmarks.decisions.tasks import SEED, together
from pilotage.statistics.fixed.proportions import clopper_pearson
from pilotage.statistics.sequential.detectors import AlarmBudget, AlarmBudgetConfiguration, Monitor
from pilotage.statistics.sequential.drift import (
    STAKES_A_FEATURE,
    RankDrift,
    RankDriftConfiguration,
)
from pilotage.statistics.sequential.floors import PerformanceFloor, PerformanceFloorConfiguration
from pilotage.statistics.sequential.references import Reference

FEATURES, ROWS_A_DAY, REFERENCE_ROWS, DAYS = 10, 5_000, 50_000, 365
MISSING = 0.01
TOLERANCE = 0.05
SHIFTS = (0.1, 0.25, 0.5)
DETECTION_DAYS = 60
HARMLESS, HARMLESS_DAYS = 0.02, 2_000
"""Standard deviations, in all features; ten million rows of each."""
FLOOR, ACCURACY = 0.84, 0.85
DROPS = (0.83, 0.80, 0.75)
LABELS_A_DAY = (5_000, 500, 100)
TASK_RUNS = 10


@dataclass(frozen=True)
class Drift:
    """One kind of year: shift in standard deviations of so many features, and the tolerance."""

    name: str
    shift: float
    shifted: int
    days: int
    effect: float = TOLERANCE
    with_allowance: bool = True


QUIET = Drift("quiet year", 0.0, 0, DAYS)
AT_TOLERANCE = Drift(f"year at the tolerance ({TOLERANCE:g} sd, all features)", TOLERANCE, 10, DAYS)
QUIET_WITHOUT = replace(QUIET, name="quiet year, no tolerance (allowance only)", effect=0.0)
FOUND = tuple(Drift(f"{s:g} sd in one feature", s, 1, DETECTION_DAYS) for s in SHIFTS)
HARMLESS_SHIFT = Drift(f"{HARMLESS:g} sd in all features", HARMLESS, 10, HARMLESS_DAYS)
HARMLESS_WITHOUT = replace(HARMLESS_SHIFT, name="the same, allowance only", effect=0.0)
HARMLESS_EXACT = replace(
    HARMLESS_WITHOUT, name="the same, exact equality", with_allowance=False
)  # fmt: skip


def run(length: Length) -> Part:
    """Drift of features, then the floor under accuracy."""
    wanted = [
        (QUIET, length.years), (AT_TOLERANCE, length.years), (QUIET_WITHOUT, length.years),
        *((found, length.shifted) for found in FOUND),
        *((h, length.harmless) for h in (HARMLESS_SHIFT, HARMLESS_WITHOUT, HARMLESS_EXACT)),
    ]  # fmt: skip
    tasks = [
        (drift, min(TASK_RUNS, runs - start), (SEED, 600 + place, start))
        for place, (drift, runs) in enumerate(wanted)
        for start in range(0, runs, TASK_RUNS)
    ]
    tasks.sort(key=lambda task: -task[0].days)
    found = together("monitors of drift", _alarms_and_first, tasks)
    answers = {
        drift.name: [
            np.concatenate([f[which] for t, f in zip(tasks, found, strict=True) if t[0] == drift])
            for which in (0, 1)
        ]
        for drift, _ in wanted
    }
    labels = _labels(length)
    quiet, tolerated = answers[QUIET.name][0], answers[AT_TOLERANCE.name][0]
    first = answers[FOUND[0].name][1]
    floor_quiet = next(row for row in labels if row[:2] == (5_000, ACCURACY))
    aims = [
        Aim(f"alarms in {quiet.size} quiet years", float(quiet.sum()), 0.0),
        Aim("alarms a year at the tolerance", float(tolerated.mean()), 1.0),
        Aim("days to 0.1 sd in one feature, median", float(np.median(first)), 5.0),
        Aim("alarms on a harmless 0.02 sd over 10 M rows",
            float(answers[HARMLESS_SHIFT.name][0].sum()), 0.0),
        Aim("alarms in quiet years of the floor", float(floor_quiet[2].sum()), 0.0),
    ]  # fmt: skip
    return Part("monitors", [_drift_table(answers), _labels_table(labels)], aims)


def _drift_table(answers: dict[str, list[Array]]) -> Table:
    rows: list[list[str]] = []
    for name, (alarms, first) in answers.items():
        raised = share(int(np.isfinite(first).sum()), first.size)
        rows.append(
            [name, f"{first.size}", f"{alarms.mean():.3g}", raised, middle_and_late(first.tolist())]
        )
    return Table(
        "Monitors: ten features, 5,000 rows a day, one false alarm a year for all together",
        ["what happens", "runs", "alarms a run", "runs with an alarm", "day of the first"],
        rows,
        f"Runs of {DAYS} days, {DETECTION_DAYS} where a shift should be found, {HARMLESS_DAYS:,} "
        f"where it is harmless; first alarm as median / 95th percentile of all runs. References of "
        f"{REFERENCE_ROWS:,} rows, {100 * MISSING:g} % of values missing, tolerance "
        f"{TOLERANCE:g} sd, 50 bets in one pot.",
    )


def _alarms_and_first(drift: Drift, runs: int, seed: tuple[int, ...]) -> tuple[Array, Array]:
    """int64 (runs,) alarms and float64 (runs,) the day of the first one, infinite for none."""
    chance = np.random.default_rng(seed)
    factors = np.empty((runs, FEATURES, drift.days, STAKES_A_FEATURE))
    for of_run in factors:
        for feature in range(FEATURES):
            shift = drift.shift if feature < drift.shifted else 0.0
            of_run[feature] = _feature(chance, drift, shift)
    names = [f"feature {number}" for number in range(FEATURES)]
    monitors = tuple(Monitor(name, DAYS, STAKES_A_FEATURE) for name in names)
    pot = AlarmBudget(AlarmBudgetConfiguration(monitors, 1.0), (runs,))
    first = np.full(runs, np.inf)
    for day in range(drift.days):
        for feature, name in enumerate(names):
            pot.update(name, factors[:, feature, day])
        pot.close_block()
        alarmed = pot.alarmed()
        first[alarmed & np.isinf(first)] = day + 1
        pot.acknowledge()
    return pot.alarms(), first


def _feature(chance: np.random.Generator, drift: Drift, shift: float) -> Array:
    """float64 (days, 30): a fresh reference, and the factors of each day after it."""
    missing = int(chance.binomial(REFERENCE_ROWS, MISSING))
    limit = clopper_pearson(missing, REFERENCE_ROWS, confidence=0.999, side="upper").high
    reference = Reference.of_numbers(
        chance.standard_normal(REFERENCE_ROWS - missing), missing_limit=limit
    )
    if not drift.with_allowance:
        # As if the reference were the whole truth.
        reference = replace(reference, rows=10**15)
    monitor = RankDrift(RankDriftConfiguration(reference, drift.effect), (drift.days,))
    below = ndtr(np.asarray(reference.edges) - shift)
    masses = np.diff(np.concatenate([[0.0], below, [1.0]])) * (1 - MISSING)
    monitor.update_counts(
        chance.multinomial(ROWS_A_DAY, np.append(masses, 1 - masses.sum()), drift.days)
    )
    monitor.close_block()
    return monitor.log_factors()


LabelRow = tuple[int, float, Array, Array]


def _labels(length: Length) -> list[LabelRow]:
    """Labels a day, accuracy, alarms and first days: at 85 % (quiet), the floor, and below."""
    cells = [
        (labels, accuracy, length.years if accuracy >= FLOOR else length.shifted)
        for labels in LABELS_A_DAY
        for accuracy in (ACCURACY, FLOOR, *DROPS)
    ]
    tasks = [
        (labels, accuracy, 10 * runs, (SEED, 650, place))
        for place, (labels, accuracy, runs) in enumerate(cells)
    ]
    found = together("floors", _floor, tasks)
    return [
        (labels, accuracy, *answer)
        for (labels, accuracy, _, _), answer in zip(tasks, found, strict=True)
    ]


def _floor(labels: int, accuracy: float, runs: int, seed: tuple[int, ...]) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    floor = PerformanceFloor(PerformanceFloorConfiguration(limit=1 - FLOOR), (runs,))
    pot = AlarmBudget(AlarmBudgetConfiguration((Monitor("accuracy", DAYS),), 1.0), (runs,))
    first = np.full(runs, np.inf)
    for day in range(DAYS):
        right = chance.binomial(labels, accuracy, runs)
        floor.update_counts(labels - right, right)
        floor.close_block()
        pot.update("accuracy", floor.log_factors())
        pot.close_block()
        first[pot.alarmed() & np.isinf(first)] = day + 1
        pot.acknowledge()
    return pot.alarms(), first


def _labels_table(labels: list[LabelRow]) -> Table:
    rows = [
        [
            f"{count:,}", f"{100 * accuracy:g} %", f"{alarms.size}",
            f"{alarms.mean():.3g}" if accuracy >= FLOOR else "",
            middle_and_late(first.tolist()) if accuracy < FLOOR else "",
        ]
        for count, accuracy, alarms, first in labels
    ]  # fmt: skip
    return Table(
        f"Monitors: accuracy {100 * ACCURACY:g} %, floor {100 * FLOOR:g} %, one false alarm a year",
        ["labels a day", "accuracy", "years", "alarms a year", "day of the first"],
        rows,
        "The floor alone in its pot; years at 85 % (quiet), at the floor, and below it; first "
        "alarm as median / 95th percentile.",
    )
