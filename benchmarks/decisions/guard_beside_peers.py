"""The guard on errors beside the rules of other tools, all on the same streams of a day."""

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.peers import Kayenta, Msprt, Threshold, documented
from benchmarks.decisions.rollouts import OURS, PASSED, Tally, judge, merged
from benchmarks.decisions.streams import Constant, Truth
from benchmarks.decisions.tables import Aim, Part, Table, percent, share
from benchmarks.decisions.tasks import SEED, together

BASES = (0.003, 0.01)
RATES = (100.0, 5.0)
HARMS = (0.0, 0.005, 0.02)
FINDS = 0.5
"""A setting finds a harm if it rolls back at least this share of the runs that have it."""
TASK_RUNS = 150
"""Of each harm."""

Cell = tuple[float, float, float]
Tallies = dict[Cell, dict[str, Tally]]


def run(length: Length) -> Part:
    """Both traffics, both base rates, equal and two harms."""
    tasks = [
        (rate, base, min(TASK_RUNS, length.beside - start), (SEED, 200 + place, start))
        for place, (rate, base) in enumerate((rate, base) for rate in RATES for base in BASES)
        for start in range(0, length.beside, TASK_RUNS)
    ]
    found = together("guard beside peers", _days, tasks)
    tallies: Tallies = {}
    for rate in RATES:
        for base in BASES:
            mine = [f for task, f in zip(tasks, found, strict=True) if task[:2] == (rate, base)]
            for place, harm in enumerate(HARMS):
                tallies[rate, base, harm] = merged([by_harm[place] for by_harm in mine])
    tables = [_table(tallies, rate, base) for rate in RATES for base in BASES]
    return Part("peers", tables, _aims(tallies), _curves(tallies))


def _days(rate: float, base: float, runs: int, seed: tuple[int, ...]) -> list[dict[str, Tally]]:
    truths = [Truth("beside", base, harm, rate, Constant(0.05)) for harm in HARMS]
    return judge(truths, documented(), runs, seed)


def _table(tallies: Tallies, rate: float, base: float) -> Table:
    equal, small, large = (tallies[rate, base, harm] for harm in HARMS)
    rows = [
        [
            name,
            share(equal[name].happened, equal[name].runs),
            percent(1 - small[name].happened / small[name].runs),
            percent(1 - large[name].happened / large[name].runs),
            _median(small[name].minutes),
            _median(large[name].minutes),
            _median(small[name].requests, "{:,.0f}"),
        ]
        for name in equal
        if name != PASSED
    ]
    passed = share(equal[PASSED].happened, equal[PASSED].runs)
    wrongly = int((small[PASSED].minutes < small[OURS].minutes).sum())
    return Table(
        f"Beside other tools: base error {percent(base)}, {rate:g} requests/s, 5 % canary, 24 h",
        [
            "procedure", "equal, rolled back", "+0.5 missed", "+2 missed",
            "min to +0.5", "min to +2", "canary requests to +0.5",
        ],
        rows,
        f"{equal[OURS].runs} runs of each; medians over all runs, those that missed included as "
        f"never. Ours passed {passed} of the equal ones, and "
        f"{share(wrongly, small[OURS].runs)} of those worse by half a point before it rolled back.",
    )  # fmt: skip


def _median(values: np.ndarray, form: str = "{:,.1f}") -> str:
    middle = float(np.quantile(values, 0.5, method="lower"))
    return "never" if np.isinf(middle) else form.format(middle)


def _aims(tallies: Tallies) -> list[Aim]:
    fast = RATES[0]
    fewer: list[float] = []
    msprt: list[float] = []
    kayenta: list[float] = []
    for base in BASES:
        equal, small = tallies[fast, base, 0.0], tallies[fast, base, 0.005]
        # One more than was seen, so that no false rollback among few runs is no infinite ratio.
        ours = (equal[OURS].happened + 1) / equal[OURS].runs
        for peer in documented():
            finds = small[peer.name].happened >= FINDS * small[peer.name].runs
            if isinstance(peer, Threshold) and finds:
                fewer.append(equal[peer.name].happened / equal[peer.name].runs / ours)
        middle = float(np.median(small[OURS].requests))
        msprt.append(float(np.median(small[Msprt.name].requests)) / middle)
        kayenta.append(float(np.median(small[Kayenta.name].requests)) / middle)
    slow = [tallies[RATES[1], base, 0.02][OURS] for base in BASES]
    missed = max(1 - tally.happened / tally.runs for tally in slow)
    return [
        Aim(
            "times fewer false rollbacks than each threshold that finds +0.5 points",
            min(fewer, default=0.0), 10.0, at_least=True,
        ),
        Aim("times faster than mSPRT at +0.5 points", min(msprt), 1.6, at_least=True),
        Aim("times faster than Kayenta at +0.5 points", min(kayenta), 6.0, at_least=True),
        Aim("+2 points missed at 5 requests/s", 100 * missed, 0.0, "%"),
    ]  # fmt: skip


def _curves(tallies: Tallies) -> dict[str, list[dict[str, float | str]]]:
    equal, small = tallies[RATES[0], BASES[0], 0.0], tallies[RATES[0], BASES[0], 0.005]
    rolled_back: list[dict[str, float | str]] = [
        {
            "procedure": name,
            "hours": minutes / 60,
            "share": float((tally.minutes <= minutes).mean()),
        }
        for name, tally in equal.items()
        if name != PASSED
        for minutes in (1, 2, 5, 10, 15, 20, 30, 45, *range(60, 24 * 60 + 1, 30))
    ]
    requests: list[dict[str, float | str]] = [
        {
            "procedure": name,
            "false": float(np.isfinite(equal[name].minutes).mean()),
            **{
                word: float(np.quantile(tally.requests, level, method="higher"))
                for word, level in (("early", 0.05), ("median", 0.5), ("late", 0.95))
            },
        }
        for name, tally in small.items()
        if name != PASSED and np.isfinite(tally.requests).mean() >= 0.95
    ]
    return {"false rollbacks": rolled_back, "canary requests": requests}
