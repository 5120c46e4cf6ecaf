"""How many canary requests the guard on errors needs: to roll harm back, to pass an equal one."""

import math

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.rollouts import MARGIN, OURS, PASSED, Tally, judge, merged
from benchmarks.decisions.streams import Constant, Truth
from benchmarks.decisions.tables import Aim, Part, Table, middle_and_late, percent, share
from benchmarks.decisions.tasks import SEED, chunks, together

AIMS = {(0.003, 0.005): 1_400, (0.01, 0.005): 3_100, (0.003, 0.02): 220, (0.01, 0.02): 380}
CELLS = [(base, harm) for harm in (0.005, 0.02, 0.0) for base in (0.001, 0.003, 0.01, 0.1)]


def run(length: Length) -> Part:
    """Until every run has decided, or the day is over."""
    tasks = [
        (base, harm, size, (SEED, 100 + place, part))
        for place, (base, harm) in enumerate(CELLS)
        for part, size in enumerate(chunks(length.power))
    ]
    found = together("guard power", _days, tasks)
    tallies: dict[tuple[float, float], dict[str, Tally]] = {}
    for cell in CELLS:
        of_cell = [t for task, t in zip(tasks, found, strict=True) if task[:2] == cell]
        tallies[cell] = merged(of_cell)
    return Part("power", [_table(tallies, length.power)], _aims(tallies))


def _days(base: float, harm: float, runs: int, seed: tuple[int, ...]) -> dict[str, Tally]:
    truth = Truth("power", base, harm, 100.0, Constant(0.05))
    return judge([truth], (), runs, seed, until=OURS if harm else PASSED)[0]


def _table(tallies: dict[tuple[float, float], dict[str, Tally]], runs: int) -> Table:
    rows: list[list[str]] = []
    for (base, harm), of_cell in tallies.items():
        right, wrong = (OURS, PASSED) if harm else (PASSED, OURS)
        tally = of_cell[right]
        before = int((of_cell[wrong].requests < tally.requests).sum())
        rows.append(
            [
                f"{percent(base)}, +{100 * harm:g} points" if harm else f"{percent(base)}, equal",
                "rolled back" if harm else "passed",
                middle_and_late(tally.requests.tolist()),
                middle_and_late(tally.minutes.tolist(), 1),
                share(before, runs),
            ]
        )
    return Table(
        "Guard on errors: canary requests to decide, 100 requests/s, 5 % canary",
        ["base error, harm", "decision", "canary requests", "minutes", "decided wrongly before"],
        rows,
        f"Median / 95th percentile of {runs:,} runs. Margin {100 * MARGIN:g} points; a look each "
        "10 s, that is, each 50 canary requests.",
    )


def _aims(tallies: dict[tuple[float, float], dict[str, Tally]]) -> list[Aim]:
    aims: list[Aim] = []
    for (base, harm), bound in AIMS.items():
        requests = tallies[base, harm][OURS].requests
        late = float(np.quantile(requests, 0.95, method="higher")) / one_look(base, harm)
        what = f"+{100 * harm:g} points at {percent(base)}"
        aims.append(
            Aim(f"median canary requests to roll back {what}", float(np.median(requests)), bound)
        )
        aims.append(Aim(f"95th percentile of {what} over one look's requests", late, 2.0))
    return aims


def one_look(base: float, harm: float) -> float:
    """Canary requests of a test that looks once: one-sided 5 %, 95 % power, 19 baseline ones each.

    The normal approximation for two proportions (Fleiss, Levin & Paik, 2003, section 4.2).
    """
    bad = base + harm
    pooled = (19 * base + bad) / 20
    under_null = pooled * (1 - pooled) * (1 + 1 / 19)
    under_harm = bad * (1 - bad) + base * (1 - base) / 19
    return (1.644854 * (math.sqrt(under_null) + math.sqrt(under_harm)) / harm) ** 2
