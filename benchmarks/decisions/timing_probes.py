"""Paired timing probes of arms that share an engine: noise, spikes, cold caches, slow periods."""

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.streams import Array
from benchmarks.decisions.tables import Aim, Part, Table, middle_and_late, share
from benchmarks.decisions.tasks import SEED, together
from pilotage.statistics.sequential.paired import PairedConfiguration
from pilotage.statistics.sequential.probe_tails import ProbeTails
from pilotage.statistics.sequential.probes import Probes, ProbesConfiguration

PROBES = 2_000
NOISE, SPIKES, SPIKE = 0.05, 0.01, 3.0
COLD = 1.1
"""What runs first in a probe takes so many times as long."""
RATIOS = (1.0, 1.05, 1.1, 1.2, 1.3)
TAIL_BLOCK = 20
TAILS = (0.0, 0.01, 0.05)
"""How much larger the candidate's share of slow probes is."""


def run(length: Length) -> Part:
    """Medians (a look at each probe) and tails (a look at each 20)."""
    runs = length.probes
    ratios = [
        (r, slow, runs, (SEED, 500, i)) for i, r in enumerate(RATIOS) for slow in (False, True)
    ]
    tails = [(more, max(2, runs // 5), (SEED, 501, i)) for i, more in enumerate(TAILS)]
    by_ratio = together("timing probes", _ratio, ratios)
    by_tail = together("probe tails", _tail, tails)
    rows = [
        _row(f"median × {ratio:g}" + (", slow periods" if slow else ""), answer)
        for (ratio, slow, _, _), answer in zip(ratios, by_ratio, strict=True)
    ]
    tail_rows = [
        _row("slow probes " + (f"+{100 * more:g} points" if more else "as often"), answer)
        for (more, _, _), answer in zip(tails, by_tail, strict=True)
    ]
    columns = ["candidate", "failed", "probes to fail", "passed", "probes to pass"]
    noise = (
        "5 % noise, 1 % of times tripled, what runs first 10 % slower, order by a coin; in slow "
        "periods 30 % of the probes take twice as long"
    )
    edge = [a for (r, _, _, _), a in zip(ratios, by_ratio, strict=True) if r == 1.05]
    margin = [a for (r, _, _, _), a in zip(ratios, by_ratio, strict=True) if r == 1.2]
    return Part(
        "probes",
        [
            Table("Timing probes: the median ratio, tolerated 5 %, margin 20 %", columns, rows,
                  f"{runs} runs of {PROBES:,} probes; {noise}; a look at each probe."),
            Table("Timing probes: the tail, margin 1 point", columns, tail_rows,
                  f"{max(2, runs // 5)} runs of {PROBES:,} probes; a look at each {TAIL_BLOCK}."),
        ],
        [
            Aim("probes at the tolerated edge failed", 100 * _worst(edge, 0), 5.0, "%"),
            Aim("probes at the margin passed", 100 * _worst(margin, 1), 5.0, "%"),
            Aim("slow probes as often, failed", 100 * _worst(by_tail[:1], 0), 5.0, "%"),
            Aim("slow probes at the margin, passed", 100 * _worst(by_tail[1:2], 1), 5.0, "%"),
        ],
    )  # fmt: skip


def _worst(answers: list[tuple[Array, Array]], which: int) -> float:
    return max(float(np.isfinite(answer[which]).mean()) for answer in answers)


def _row(name: str, answer: tuple[Array, Array]) -> list[str]:
    cells = [name]
    for probes in answer:
        reached = probes[np.isfinite(probes)]
        cells += [share(reached.size, probes.size), middle_and_late(probes.tolist())]
    return cells


def _times(chance: np.random.Generator, shape: tuple[int, int], slow: bool) -> tuple[Array, Array]:
    """Candidate's and baseline's times of `shape` probes of one version."""
    pair: list[Array] = []
    # A slow period hits whole probes, and what runs second in a probe a little less.
    period = np.where(chance.random(shape) < 0.3, 2.0, 1.0) if slow else np.ones(shape)
    candidate_first = chance.random(shape) < 0.5
    for candidate in (True, False):
        times = 0.01 * np.exp(NOISE * chance.standard_normal(shape))
        times = times * np.where(chance.random(shape) < SPIKES, SPIKE, 1.0)
        first, second = COLD * period, 1.0 + 0.9 * (period - 1.0)
        pair.append(times * np.where(candidate_first == candidate, first, second))
    return pair[0], pair[1]


def _ratio(ratio: float, slow: bool, runs: int, seed: tuple[int, ...]) -> tuple[Array, Array]:
    """float64 (runs,) twice: probes until failed and until passed, infinite for never."""
    chance = np.random.default_rng((*seed, slow))
    probes = Probes(ProbesConfiguration(margin=0.2, tolerated=0.05), (runs,))
    failed, passed = np.full(runs, np.inf), np.full(runs, np.inf)
    for number in range(PROBES):
        candidate, baseline = _times(chance, (runs, 1), slow)
        probes.update(ratio * candidate, baseline)
        probes.close_block()
        failed[probes.failed() & np.isinf(failed)] = number + 1
        passed[probes.passed() & np.isinf(passed)] = number + 1
    return failed, passed


def _tail(more: float, runs: int, seed: tuple[int, ...]) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    tails = ProbeTails(PairedConfiguration(margin=0.01, unit="probe"), (runs,))
    failed, passed = np.full(runs, np.inf), np.full(runs, np.inf)
    shape = (runs, TAIL_BLOCK)
    # Spikes of five times, so that none is by chance below the limit of three.
    for start in range(0, PROBES, TAIL_BLOCK):
        times = [0.01 * np.exp(NOISE * chance.standard_normal(shape)) for _ in range(2)]
        slow = [chance.random(shape) < SPIKES + each for each in (more, 0.0)]
        candidate, baseline = (t * np.where(s, 5.0, 1.0) for t, s in zip(times, slow, strict=True))
        tails.update(candidate, baseline, np.full(shape, 8))
        tails.close_block()
        failed[tails.failed() & np.isinf(failed)] = start + TAIL_BLOCK
        passed[tails.passed() & np.isinf(passed)] = start + TAIL_BLOCK
    return failed, passed
