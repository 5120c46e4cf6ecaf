"""How often the guard on errors is wrong: false rollbacks and false passes in a day of looks."""

from dataclasses import replace

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.rollouts import MARGIN, OURS, PASSED, judge
from benchmarks.decisions.streams import Constant, Truth, daily, five_to_fifty, outages, rising
from benchmarks.decisions.tables import CONFIDENCE, Aim, Part, Table, percent, share
from benchmarks.decisions.tasks import SEED, chunks, together
from pilotage.statistics.fixed.proportions import clopper_pearson

BASES = (0.001, 0.003, 0.01, 0.1)
RATES = (100.0, 5.0)
CONDITIONS = (
    Truth("5 % canary", 0, 0, 0, Constant(0.05)),
    Truth("share 5, 25, 50 %", 0, 0, 0, five_to_fifty),
    Truth("5 % canary, errors × 3.3 over the day", 0, 0, 0, Constant(0.05), rising),
    Truth("share 5, 25, 50 %, errors × 3.3", 0, 0, 0, five_to_fifty, rising),
    Truth("5 % canary, daily wave ± 50 %", 0, 0, 0, Constant(0.05), daily),
    Truth("5 % canary, outages × 20 in both arms", 0, 0, 0, Constant(0.05), outages),
)
NULLS = ((0.0, "false rollback"), (MARGIN, "false pass"))

Cell = tuple[Truth, str]


def run(length: Length) -> Part:
    """The grid, and the two highest cells again with more runs and other seeds."""
    cells = [
        (replace(each, base=base, harm=harm, requests_per_s=rate), wrong)
        for rate in RATES
        for each in CONDITIONS
        for base in BASES
        for harm, wrong in NULLS
    ]
    counts = _count("guard errors", cells, length.guard, SEED)
    table = _grid(cells, counts, length.guard)
    highest = [
        max((c for c in cells if c[1] == wrong), key=lambda cell: counts[cells.index(cell)])
        for _, wrong in NULLS
    ]
    again = _count("highest cells again", highest, length.guard_again, SEED + 1)
    return Part(
        "guard",
        [table, _again_table(highest, again, length.guard_again)],
        _aims(again, length.guard_again),
    )


def _again_table(cells: list[Cell], counts: list[int], runs: int) -> Table:
    rows = [
        [wrong, truth.name, percent(truth.base), f"{truth.requests_per_s:g}", share(count, runs)]
        for (truth, wrong), count in zip(cells, counts, strict=True)
    ]
    return Table(
        "The guard's two highest cells, again",
        ["error", "condition", "base error", "requests/s", "rate (exact 95 %)"],
        rows,
        f"{runs:,} runs each, with seeds that did not choose them. At the margin the proof's 5 % "
        "are nearly reached, so that the aim asks whether the simulation shows more.",
    )


def _aims(counts: list[int], runs: int) -> list[Aim]:
    return [
        Aim(
            f"{wrong}, highest cell again: lower end of its exact 95 % interval",
            100 * clopper_pearson(count, runs, confidence=CONFIDENCE).low,
            5.0,
            "%",
        )
        for (_, wrong), count in zip(NULLS, counts, strict=True)
    ]


def _count(name: str, cells: list[Cell], runs: int, seed: int) -> list[int]:
    """How many runs of each cell went wrong; cells of the same base rate go side by side."""
    tasks = [
        (tuple(cell for cell in cells if cell[0].base == base), size, (seed, place, part))
        for place, base in enumerate(dict.fromkeys(truth.base for truth, _ in cells))
        for part, size in enumerate(chunks(runs, sum(truth.base == base for truth, _ in cells)))
    ]
    counts = dict.fromkeys(cells, 0)
    for (side_by_side, _, _), found in zip(tasks, together(name, _wrong, tasks), strict=True):
        for cell, count in zip(side_by_side, found, strict=True):
            counts[cell] += count
    return list(counts.values())


def _wrong(cells: tuple[Cell, ...], runs: int, seed: tuple[int, ...]) -> list[int]:
    tallies = judge([truth for truth, _ in cells], (), runs, seed)
    return [
        tally[OURS if wrong == "false rollback" else PASSED].happened
        for (_, wrong), tally in zip(cells, tallies, strict=True)
    ]


def _grid(cells: list[Cell], counts: list[int], runs: int) -> Table:
    found = {
        (truth.name, truth.requests_per_s, truth.base, wrong): count
        for (truth, wrong), count in zip(cells, counts, strict=True)
    }
    rows = [
        [
            condition.name, f"{rate:g}", wrong,
            *(share(found[condition.name, rate, base, wrong], runs) for base in BASES),
        ]
        for _, wrong in NULLS
        for rate in RATES
        for condition in CONDITIONS
    ]  # fmt: skip
    rows += [_all_cells(wrong, found, runs) for _, wrong in NULLS]
    return Table(
        "Guard on errors: how often wrong in 24 h, a look each 10 s",
        ["condition", "requests/s", "error", *(f"base {percent(base)}" for base in BASES)],
        rows,
        f"Nominal 5 %. {runs} runs a cell; exact 95 % interval of the rate. A false rollback: the "
        f"candidate is equal. A false pass: it is worse by exactly the margin of "
        f"{100 * MARGIN:g} points, whether or not it was rolled back before.",
    )


def _all_cells(wrong: str, found: dict[tuple[str, float, float, str], int], runs: int) -> list[str]:
    columns: list[str] = []
    for base in BASES:
        counts = [n for (_, _, b, w), n in found.items() if (b, w) == (base, wrong)]
        columns.append(share(sum(counts), runs * len(counts)))
    return ["all together", "", wrong, *columns]
