"""What the pictures of "The statistics for engineers" show: seeded simulations, as rows. Pure.

Every procedure here is the one that Pilotage decides with, but for the two that the page warns of:
a z-test that is asked again and again, and a fixed interval that is looked at while rows arrive.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.statistics.fixed.proportions import clopper_pearson_ends
from pilotage.statistics.sequential.bounded_means import BoundedMean, BoundedMeanConfiguration
from pilotage.statistics.sequential.detectors import AlarmBudget, AlarmBudgetConfiguration, Monitor
from pilotage.statistics.sequential.floors import PerformanceFloor, PerformanceFloorConfiguration
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration

Array = np.ndarray[Any, np.dtype[Any]]
Rows = list[dict[str, float | str]]

LOOK_S: Final = 10
LOOKS_A_DAY: Final = 24 * 3600 // LOOK_S
MARGIN: Final = 0.005
BASE: Final = 0.01
SHARE: Final = 0.05
ERROR_RATE: Final = 0.05
Z_TWO_SIDED: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Look:
    """Requests and errors of both arms in one look: int64 (runs,) each."""

    baseline: Array
    baseline_errors: Array
    candidate: Array
    candidate_errors: Array


class Traffic:
    """A canary of 5 % (unless said) that errs `harm` more often than the baseline does."""

    def __init__(self, runs: int, seed: int, *, per_s: float = 100.0, harm: float = 0.0) -> None:
        self._chance = np.random.default_rng(seed)
        self._runs, self._expected, self._harm = runs, per_s * LOOK_S, harm

    def look(self, base: float = BASE, share: float = SHARE) -> Look:
        requests = self._chance.poisson(self._expected, self._runs)
        candidate = self._chance.binomial(requests, share)
        baseline = requests - candidate
        return Look(
            baseline,
            self._chance.binomial(baseline, base),
            candidate,
            self._chance.binomial(candidate, base + self._harm),
        )


class RepeatedTest:
    """A two-proportion z-test at 5 % of all requests so far: what the page warns of."""

    def __init__(self, runs: int) -> None:
        self._totals = np.zeros((4, runs))

    def add(self, look: Look) -> None:
        self._totals += np.stack(
            [look.baseline, look.baseline_errors, look.candidate, look.candidate_errors]
        )

    def finds_harm(self) -> Array:
        """bool (runs,): the candidate is worse, at p < 0.05."""
        n, k, m, j = self._totals
        pooled = (k + j) / (n + m)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        return j / m - k / n > Z_TWO_SIDED * spread


def guard(runs: int) -> TwoArms:
    return TwoArms(TwoArmsConfiguration(margin=MARGIN, baseline_rate=BASE), (runs,))


def see(arms: TwoArms, look: Look) -> None:
    arms.update(look.baseline, look.baseline_errors, look.candidate, look.candidate_errors)
    arms.close_block()


def peeking(runs: int = 400, seed: int = 1, looks: int = LOOKS_A_DAY) -> Rows:
    """The share of identical candidates that were rolled back so far, over a day."""
    traffic, test, ours = Traffic(runs, seed), RepeatedTest(runs), guard(runs)
    back = {"z-test every 10 s": 1, "z-test every hour": 360}
    stopped = {name: np.zeros(runs, bool) for name in back}
    found: Rows = []
    harm = np.zeros(runs, bool)
    for number in range(1, looks + 1):
        look = traffic.look()
        test.add(look)
        see(ours, look)
        harm = test.finds_harm()
        for name, every in back.items():
            if number % every == 0:
                stopped[name] |= harm
        if number % 60 == 0:
            hours = number * LOOK_S / 3600
            shares = {name: float(each.mean()) for name, each in stopped.items()}
            shares["Pilotage guard every 10 s"] = float(ours.failed().mean())
            found += [{"hours": hours, "procedure": n, "share": s} for n, s in shares.items()]
    found.append(
        {"hours": looks * LOOK_S / 3600, "procedure": "z-test once", "share": float(harm.mean())}
    )
    return found


def wealth(runs: int = 10, seed: int = 7, looks: int = 360) -> Rows:
    """The wealth of bets against "not worse": equal candidates, and some worse by half a point."""
    found: Rows = []
    for harm, name in ((0.0, "equal"), (0.005, "half a point worse")):
        traffic, ours = Traffic(runs, seed, harm=harm), guard(runs)
        for number in range(1, looks + 1):
            see(ours, traffic.look())
            if number % 3 == 0:
                minutes = number * LOOK_S / 60
                evidence = np.exp(ours.log_evidence_fail())
                found += [
                    {"minutes": minutes, "candidate": name, "run": run, "wealth": value}
                    for run, value in enumerate(evidence.round(4).tolist())
                ]
    return found


def sequence(seed: int = 39, rate: float = 0.1, rows: int = 20_000) -> Rows:
    """An interval that holds at every look beside one that holds at one look, as rows arrive."""
    values = np.random.default_rng(seed).random(rows) < rate
    both = BoundedMean(
        BoundedMeanConfiguration(error_rate_pass=ERROR_RATE / 2, error_rate_fail=ERROR_RATE / 2)
    )
    found: Rows = []
    seen = 0
    low, high = 0.0, 1.0
    for upto in looked_at(rows):
        ones = int(values[seen:upto].sum())
        both.update_counts(ones, upto - seen - ones)
        both.close_block()
        seen = upto
        now_low, now_high = (float(end) for end in both.bounds())
        low, high = max(low, now_low), min(high, now_high)
        fixed = _fixed(int(values[:upto].sum()), upto)
        found.append({"rows": upto, "interval": "holds at every look", "low": low, "high": high})
        found.append(
            {"rows": upto, "interval": "holds at one look", "low": fixed[0], "high": fixed[1]}
        )
    return found


def looked_at(rows: int) -> list[int]:
    """Where one looks: 40 times for each ten times as many rows."""
    steps = np.round(10 ** np.arange(1, math.log10(rows) + 1e-9, 1 / 40)).astype(int)
    return list(dict.fromkeys(steps.tolist()))


def _fixed(ones: int, rows: int) -> tuple[float, float]:
    low, high = clopper_pearson_ends(ones, rows, error_rate=ERROR_RATE / 2)
    return float(low), float(high)


def ever_missed(runs: int = 2_000, seed: int = 5, rate: float = 0.1, rows: int = 20_000) -> Rows:
    """How often each of the two ever leaves out the truth, over all looks."""
    chance = np.random.default_rng(seed)
    both = BoundedMean(
        BoundedMeanConfiguration(error_rate_pass=ERROR_RATE / 2, error_rate_fail=ERROR_RATE / 2),
        (runs,),
    )
    missed = {name: np.zeros(runs, bool) for name in ("every look", "one look")}
    ones, seen = np.zeros(runs, np.int64), 0
    for upto in looked_at(rows):
        new = chance.binomial(upto - seen, rate, runs)
        both.update_counts(new, upto - seen - new)
        both.close_block()
        ones, seen = ones + new, upto
        low, high = clopper_pearson_ends(ones, np.full(runs, seen), error_rate=ERROR_RATE / 2)
        missed["one look"] |= (rate < low) | (rate > high)
        low, high = both.bounds()
        missed["every look"] |= (rate < low) | (rate > high)
    return [{"interval": name, "missed": float(each.mean())} for name, each in missed.items()]


HARMS: Final = (0.0025, 0.005, 0.01, 0.02, 0.05)


def requests_to_decide(runs: int = 400, seed: int = 11, looks: int = 5 * LOOKS_A_DAY) -> Rows:
    """Canary requests until the guard fails a candidate, by how much worse it is."""
    found: Rows = []
    for place, harm in enumerate(HARMS):
        seen = first_true(
            runs, Traffic(runs, seed + place, harm=harm), lambda arms: arms.failed(), looks
        )
        for name, share in (("half of the runs", 0.5), ("95 % of the runs", 0.95)):
            requests = float(np.quantile(seen, share, method="higher"))
            found.append({"harm": harm, "procedure": name, "requests": requests})
        found.append(
            {"harm": harm, "procedure": "one look, 95 % power", "requests": one_look(harm)}
        )
    return found


def requests_to_pass(runs: int = 400, seed: int = 17, looks: int = 5 * LOOKS_A_DAY) -> Rows:
    """Canary requests until an equal candidate has passed below the margin."""
    seen = first_true(runs, Traffic(runs, seed), lambda arms: arms.passed(), looks)
    return [
        {"share": share, "requests": float(np.quantile(seen, share, method="higher"))}
        for share in (0.5, 0.95)
    ]


def first_true(runs: int, traffic: Traffic, of: Callable[[TwoArms], Array], looks: int) -> Array:
    """float64 (runs,): candidate requests when it first was true; infinite where it never was."""
    arms = guard(runs)
    requests, first = np.zeros(runs), np.full(runs, np.inf)
    for _ in range(looks):
        look = traffic.look()
        see(arms, look)
        requests += look.candidate
        first[of(arms) & np.isinf(first)] = requests[of(arms) & np.isinf(first)]
        if np.isfinite(first).all():
            break
    return first


def one_look(harm: float) -> float:
    """Canary requests of one z-test at 5 % with 95 % power, its size fixed beforehand."""
    quantile = 1.644854
    ratio = SHARE / (1 - SHARE)
    pooled = SHARE * (BASE + harm) + (1 - SHARE) * BASE
    under_equal = math.sqrt(pooled * (1 - pooled) * (1 + ratio))
    worse = BASE + harm
    under_harm = math.sqrt(worse * (1 - worse) + ratio * BASE * (1 - BASE))
    return math.ceil((quantile * (under_equal + under_harm) / harm) ** 2)


def pot(seed: int = 3, days: int = 240, changes: int = 180, labels: int = 500) -> Rows:
    """A monitor's pot, day by day: 15 % wrong, allowed are 16 %; at last 18 % are wrong."""
    chance = np.random.default_rng(seed)
    floor = PerformanceFloor(PerformanceFloorConfiguration(limit=0.16))
    stakes = len(floor.log_factors())
    budget = AlarmBudget(AlarmBudgetConfiguration((Monitor("errors", 365.0, stakes),), 1.0))
    found: Rows = []
    for day in range(1, days + 1):
        wrong = int(chance.binomial(labels, 0.15 if day <= changes else 0.18))
        floor.update_counts(wrong, labels - wrong)
        floor.close_block()
        budget.update("errors", floor.log_factors())
        budget.close_block()
        alarmed = bool(budget.alarmed())
        level = 1.0 if alarmed else float(budget.level())
        found.append({"day": day, "share wrong": wrong / labels, "level": level})
        if alarmed:
            break
    return found


def pooled_over_time(runs: int = 400, seed: int = 23) -> Rows:
    """Identical candidates while the share rises 5 to 50 % and the base rate 0.3 to 1 %."""
    traffic, test, ours = Traffic(runs, seed), RepeatedTest(runs), guard(runs)
    for number in range(LOOKS_A_DAY // 4):
        done = number / (LOOKS_A_DAY // 4)
        look = traffic.look(base=0.003 + 0.007 * done, share=0.05 + 0.45 * done)
        test.add(look)
        see(ours, look)
    once = float(test.finds_harm().mean())
    return [
        {"procedure": "z-test of the totals, asked once at the end", "share": once},
        {"procedure": "Pilotage guard at every look", "share": float(ours.failed().mean())},
    ]


def by_user(runs: int = 1_000, seed: int = 29, users: int = 2_000, broken: float = 0.02) -> Rows:
    """Identical candidates where users stick to an arm and 2 % of them cause all errors.

    Judged by requests, in looks of ten minutes over a day; and with each user counted once, by the
    share of errors among the first thirty requests, in the look in which these are there.
    """
    chance = np.random.default_rng(seed)
    ill, well = round(users * broken), round(users * (1 - broken))
    arms = np.stack([chance.binomial(ill, SHARE, runs), chance.binomial(well, SHARE, runs)])
    counts = {"candidate": arms, "baseline": np.array([[ill], [well]]) - arms}
    requests, once = guard(runs), guard(runs)
    for _ in range(144):
        seen: list[Array] = []
        for arm in ("baseline", "candidate"):
            of_ill, of_well = chance.poisson(30.0 * counts[arm])
            seen += [of_ill + of_well, chance.binomial(of_ill, 0.5)]
        see(requests, Look(*seen))
    left: dict[str, Array] = dict(counts)
    for look in range(60):
        seen = []
        for arm in ("baseline", "candidate"):
            new = chance.binomial(left[arm], 1 / (60 - look))
            left[arm] = left[arm] - new
            seen += [new.sum(axis=0), chance.binomial(30 * new[0], 0.5) / 30]
        see(once, Look(*seen))
    return [
        {"counted": "each request", "share": float(requests.failed().mean())},
        {"counted": "each user once", "share": float(once.failed().mean())},
    ]


def all_of_them() -> dict[str, Rows]:
    """Every simulation at its full size: some minutes."""
    return {
        "peeking": peeking(),
        "sequence": sequence(),
        "ever missed": ever_missed(),
        "wealth": wealth(),
        "requests": requests_to_decide(),
        "requests to pass": requests_to_pass(),
        "pot": pot(),
        "pooled": pooled_over_time(),
        "users": by_user(),
    }
