"""The guard on latency beside other tools' p99 rules, on the same lognormal durations.

The baseline's p99 is 450 ms, the tools' limit 500 ms, the candidate slower by a factor. 5 % canary;
arms have engines of their own. Counts of a look are fixed, durations are drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.peers import hodges_lehmann_fails
from benchmarks.decisions.streams import LOOK_S, LOOKS_A_DAY, Array
from benchmarks.decisions.tables import Aim, Part, Table, middle_and_late, share
from benchmarks.decisions.tasks import SEED, together
from pilotage.statistics.sequential.exceedances import Exceedances, ExceedancesConfiguration

MEDIAN_S: Final = 0.15
SPREAD: Final = float(np.log(3) / 2.326348)
LIMIT_S: Final = 0.5
FACTORS: Final = (1.0, 1.2, 1.5)
RATES: Final = (100.0, 5.0)
HOURS_BEFORE_S: Final = 3_600
"""The baseline was live for so long before the rollout."""
OURS, OURS_PASSED = "Pilotage exceedances", "Pilotage exceedances, passed below +10 %"
TASK_RUNS: Final = 20
MINUTE, HOUR = 60 // LOOK_S, 3_600 // LOOK_S


def run(length: Length) -> Part:
    """Both traffics, an equal candidate and two slower ones."""
    cells = [(rate, factor) for rate in RATES for factor in FACTORS]
    tasks = [
        (rate, factor, min(TASK_RUNS, length.latency - start), (SEED, 400 + place, start))
        for place, (rate, factor) in enumerate(cells)
        for start in range(0, length.latency, TASK_RUNS)
    ]
    found = together("latency", _days, tasks)
    minutes = {
        cell: {
            name: np.concatenate(
                [f[name] for task, f in zip(tasks, found, strict=True) if task[:2] == cell]
            )
            for name in found[0]
        }
        for cell in cells
    }
    found_after = float(np.median(minutes[100.0, 1.2][OURS]))
    wrong = {rate: float(np.isfinite(minutes[rate, 1.0][OURS]).mean()) for rate in RATES}
    aims = [
        Aim("minutes to p99 +20 % at 100 requests/s", found_after, 4.0),
        *(
            Aim(f"equal latency rolled back at {rate:g} requests/s", 100 * share_of_days, 5.0, "%")
            for rate, share_of_days in wrong.items()
        ),
    ]
    return Part("latency", [_table(minutes, rate, length.latency) for rate in RATES], aims)


def _table(minutes: dict[tuple[float, float], dict[str, Array]], rate: float, runs: int) -> Table:
    rows = [
        [
            name,
            share(int(np.isfinite(minutes[rate, 1.0][name]).sum()), runs),
            *(middle_and_late(minutes[rate, factor][name].tolist(), 1) for factor in FACTORS),
        ]
        for name in minutes[rate, 1.0]
    ]
    return Table(
        f"Latency: p99 of 450 ms, {rate:g} requests/s, 5 % canary, 24 h",
        ["procedure", "equal, acted", "min, equal", "min, +20 %", "min, +50 %"],
        rows,
        f"{runs} days each; minutes until rolled back (or passed), median / 95th percentile of all "
        f"runs. The tools' limit is {1000 * LIMIT_S:g} ms.",
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A p99 of the last `every` looks against the limit; so many failures roll back."""

    name: str
    every: int
    failures: int


RULES = (
    _Rule("Flagger: p99 <= 500 ms, 1 min, threshold 5", MINUTE, 5),
    _Rule("Flagger: the same, default threshold 1", MINUTE, 1),
    _Rule("Argo: p99 <= 500 ms, 5 min, failureLimit 3", 5 * MINUTE, 4),
)
KAYENTA = "Kayenta on p99, hourly"


def _days(rate: float, factor: float, runs: int, seed: tuple[int, ...]) -> dict[str, Array]:
    """float64 (runs,) a procedure: minutes until it acted, infinite for never."""
    chance = np.random.default_rng(seed)
    names = (OURS, OURS_PASSED, *(rule.name for rule in RULES), KAYENTA)
    minutes = {name: np.full(runs, np.inf) for name in names}
    guard = Exceedances(ExceedancesConfiguration(margin=0.1), (runs,))
    before = int(HOURS_BEFORE_S * rate * 0.95) // 20
    for _ in range(20):
        guard.update(_durations(chance, (runs, before)), np.empty((runs, 0)))
    guard.close_block()
    tools = _Tools(runs)
    canary = _canary_requests(rate)
    for look in range(LOOKS_A_DAY):
        of_candidate = next(canary)
        of_baseline = round(rate * LOOK_S) - of_candidate
        slow = factor * _durations(chance, (runs, of_candidate))
        guard.update(_durations(chance, (runs, of_baseline)), slow)
        guard.close_block()
        acted = {OURS: guard.failed(), OURS_PASSED: guard.passed()}
        acted |= tools.see(look, slow, _durations(chance, (runs, of_candidate)))
        for name, true in acted.items():
            minutes[name][true & np.isinf(minutes[name])] = (look + 1) * LOOK_S / 60
        settled = factor > 1.0 and all(
            np.isfinite(each).all() for name, each in minutes.items() if name != OURS_PASSED
        )
        if settled:
            break
    return minutes


def _durations(chance: np.random.Generator, shape: tuple[int, int]) -> Array:
    return MEDIAN_S * np.exp(SPREAD * chance.standard_normal(shape))


def _canary_requests(rate: float) -> Iterator[int]:
    """A twentieth of each look's requests, whole numbers that add up."""
    sent = 0
    for look in range(1, LOOKS_A_DAY + 1):
        due = int(look * rate * LOOK_S * 0.05)
        yield due - sent
        sent = due


class _Tools:
    """All other rules on the same candidate durations, and a second baseline for Kayenta."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._candidate: list[Array] = []
        self._twin: list[Array] = []
        self._points: list[tuple[Array, Array]] = []
        self._failures = {rule.name: np.zeros(runs, np.int64) for rule in RULES}

    def see(self, look: int, candidate: Array, twin: Array) -> dict[str, Array]:
        """bool (runs,) by rule: rolled back at this look."""
        self._candidate.append(candidate)
        self._twin.append(twin)
        acted: dict[str, Array] = {}
        for rule in RULES:
            if (look + 1) % rule.every == 0:
                self._failures[rule.name] += self._p99(self._candidate, rule.every) > LIMIT_S
                acted[rule.name] = self._failures[rule.name] >= rule.failures
        if (look + 1) % MINUTE == 0:
            pair = self._p99(self._candidate, MINUTE), self._p99(self._twin, MINUTE)
            self._points.append(pair)
        if (look + 1) % HOUR == 0:
            canary, baseline = (np.stack(each, axis=1) for each in zip(*self._points, strict=True))
            acted[KAYENTA] = np.array(
                [hodges_lehmann_fails(canary[run], baseline[run]) for run in range(self._runs)]
            )
            self._points = []
        if (look + 1) % (5 * MINUTE) == 0:
            self._candidate, self._twin = [], []
        return acted

    def _p99(self, looks: list[Array], last: int) -> Array:
        return np.quantile(np.concatenate(looks[-last:], axis=1), 0.99, axis=1)
