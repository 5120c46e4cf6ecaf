"""How often fixed-sample intervals hold the truth, over a grid of truths and sample sizes."""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.streams import Array
from benchmarks.decisions.tables import Aim, Part, Table, percent, share
from benchmarks.decisions.tasks import SEED, together
from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.proportions import clopper_pearson, clopper_pearson_ends

CONFIDENCE = 0.95
ROWS = (10, 30, 100, 300, 1_000, 10_000)
MEAN_ROWS = (10, 100, 1_000, 10_000)
PROPORTIONS = np.concatenate(
    [[1e-4, 3e-4, 1e-3, 3e-3], np.arange(0.01, 1.0, 0.01), [0.997, 0.999, 0.9997, 0.9999]]
)


def _ones(rate: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda chance, rows: (chance.random(rows) < rate).astype(np.float64)


def _beta(a: float, b: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda chance, rows: chance.beta(a, b, rows)


DISTRIBUTIONS = {
    "ones, 1 %": (_ones(0.01), 0.01),
    "ones, 10 %": (_ones(0.1), 0.1),
    "ones, 50 %": (_ones(0.5), 0.5),
    "uniform": (_beta(1, 1), 0.5),
    "beta(10, 30)": (_beta(10, 30), 0.25),
    "beta(0.1, 0.9)": (_beta(0.1, 0.9), 0.1),
    "beta(30, 1)": (_beta(30, 1), 30 / 31),
}


def run(length: Length) -> Part:
    """Clopper-Pearson exactly, the hedged-capital interval by simulation."""
    exact = {rows: clopper_pearson_coverage(rows) for rows in ROWS}
    exact_rows = [
        [f"{rows:,}", *(percent(float(part)) for part in (of.min(), np.median(of), of.max()))]
        for rows, of in exact.items()
    ]
    tasks = [
        (name, rows, length.coverage, (SEED, 700, place, rows))
        for rows in reversed(MEAN_ROWS)
        for place, name in enumerate(DISTRIBUTIONS)
    ]
    found = together("coverage of the bounded mean", _hedged, tasks)
    held = {task[:2]: answer for task, answer in zip(tasks, found, strict=True)}
    mean_rows = [
        [
            name,
            *(f"{share(held[name, rows][0], length.coverage)} × {held[name, rows][1]:.2f}"
              for rows in MEAN_ROWS),
        ]
        for name in DISTRIBUTIONS
    ]  # fmt: skip
    lowest = 100 * float(min(of.min() for of in exact.values()))
    below = [
        clopper_pearson(count, length.coverage, confidence=0.95).high < CONFIDENCE
        for count, _ in held.values()
    ]
    return Part(
        "coverage",
        [
            Table("Coverage of Clopper-Pearson at 95 %", ["rows", "lowest", "median", "highest"],
                  exact_rows, f"Exact sums over {PROPORTIONS.size} proportions, 0.01 to 99.99 %."),
            Table("Coverage of the hedged-capital interval at 95 %",
                  ["values", *(f"{rows:,} rows" for rows in MEAN_ROWS)], mean_rows,
                  f"{length.coverage:,} samples a cell; share that held the mean (exact 95 % "
                  "interval) × median width over that of the normal interval with the true "
                  "deviation."),
        ],
        [
            Aim("Clopper-Pearson's lowest coverage", lowest, 95.0, "%", at_least=True),
            Aim("hedged capital: cells shown to be below 95 %", float(sum(below)), 0.0),
        ],
    )  # fmt: skip


def clopper_pearson_coverage(rows: int) -> Array:
    """float64 (proportions,): the probability that the interval holds the proportion."""
    successes = np.arange(rows + 1)
    low, high = clopper_pearson_ends(
        successes, np.full(rows + 1, rows), error_rate=(1 - CONFIDENCE) / 2
    )
    ways = gammaln(rows + 1) - gammaln(successes + 1) - gammaln(rows - successes + 1)
    covered = np.empty(PROPORTIONS.size)
    for place, rate in enumerate(PROPORTIONS):
        masses = np.exp(ways + successes * np.log(rate) + (rows - successes) * np.log1p(-rate))
        covered[place] = masses[(low <= rate) & (rate <= high)].sum()
    return covered


def _hedged(name: str, rows: int, samples: int, seed: tuple[int, ...]) -> tuple[int, float]:
    draw, mean = DISTRIBUTIONS[name]
    chance = np.random.default_rng(seed)
    held, widths = 0, np.empty(samples)
    deviation = float(draw(np.random.default_rng(0), 200_000).std())
    for sample in range(samples):
        interval = hedged_interval(draw(chance, rows), confidence=CONFIDENCE)
        held += mean in interval
        widths[sample] = interval.width
    return held, float(np.median(widths) / (2 * 1.959964 * deviation / np.sqrt(rows)))
