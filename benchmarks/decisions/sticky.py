"""Users who stick to an arm, of whom a few cause the errors: judged by request and by user.

2,000 users, each with the same number of requests on average, 100 requests/s in all; 2 % of them
fail in 15 % of their requests, so that the error rate is 0.3 %. Each user stays in one arm all day.
"""

from typing import cast

import numpy as np

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.streams import LOOK_S, LOOKS_A_DAY, Array
from benchmarks.decisions.tables import Aim, Part, Table, percent, share
from benchmarks.decisions.tasks import SEED, together
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.sequential.units import Units, UnitsConfiguration

USERS = 2_000
FAILING = 0.02
FAILS = 0.15
"""Of a failing user's requests."""
REQUESTS_PER_S = 100.0
SHARES = (0.05, 0.25)
HARMS = (0.0, 0.005, 0.05)
CONFIGURATION = TwoArmsConfiguration(margin=0.005, baseline_rate=0.003)
TASK_RUNS = 200


def run(length: Length) -> Part:
    """Equal candidates, at the margin and much worse, by request and by user."""
    tasks = [
        (part, harm, min(TASK_RUNS, length.sticky - start), (SEED, 300 + place, start))
        for place, (part, harm) in enumerate((part, harm) for part in SHARES for harm in HARMS)
        for start in range(0, length.sticky, TASK_RUNS)
    ]
    found = together("sticky users", _days, tasks)
    counts = {
        cell: np.sum([f for task, f in zip(tasks, found, strict=True) if task[:2] == cell], axis=0)
        for cell in dict.fromkeys(task[:2] for task in tasks)
    }
    rows = [
        [
            f"{percent(part)} canary",
            "equal" if not harm else f"+{100 * harm:g} points",
            *(share(int(count), length.sticky) for count in counts[part, harm]),
        ]
        for part in SHARES
        for harm in HARMS
    ]
    wrongly = max(
        *(counts[part, 0.0][2] for part in SHARES), *(counts[part, 0.005][3] for part in SHARES)
    )
    table = Table(
        "Sticky users: 2,000, of whom 2 % cause the errors, 24 h",
        ["share", "harm", "by request: rolled back", "passed", "by user: rolled back", "passed"],
        rows,
        f"{length.sticky} days each. By user: one observation each, the mean of a user's requests "
        "in the 10 minutes (or 50 requests) after the first.",
    )
    wrong = 100 * int(wrongly) / length.sticky
    return Part("sticky", [table], [Aim("sticky users, by user: wrong at most", wrong, 5.0, "%")])


def _days(part: float, harm: float, runs: int, seed: tuple[int, ...]) -> Array:
    """int64 (4,): runs rolled back and passed by request, and by user."""
    chance = np.random.default_rng(seed)
    in_candidate = chance.random((runs, USERS)) < part
    return np.concatenate(
        [_by_request(chance, in_candidate, harm), _by_user(chance, in_candidate, harm)]
    )


def _by_request(chance: np.random.Generator, in_candidate: Array, harm: float) -> Array:
    guard = TwoArms(CONFIGURATION, in_candidate.shape[:1])
    failing = int(FAILING * USERS)
    # Users in each arm: those who fail, those who do not.
    bad: Array = in_candidate[:, :failing].sum(axis=1)
    good: Array = in_candidate[:, failing:].sum(axis=1)
    arms: tuple[tuple[Array, Array, float], ...] = (
        (failing - bad, USERS - failing - good, 0.0),
        (bad, good, harm),
    )
    each = REQUESTS_PER_S * LOOK_S / USERS
    for _ in range(LOOKS_A_DAY):
        counts: list[Array] = []
        for bad_users, good_users, more in arms:
            of_bad: Array = chance.poisson(each * bad_users)
            of_good: Array = chance.poisson(each * good_users)
            failed: Array = chance.binomial(of_bad, FAILS + more) + chance.binomial(of_good, more)
            counts += [of_bad + of_good, failed]
        guard.update(*counts)
        guard.close_block()
    return np.array([guard.failed().sum(), guard.passed().sum()])


def _by_user(chance: np.random.Generator, in_candidate: Array, harm: float) -> Array:
    blocks = [_blocks_of_units(chance, mine, harm) for mine in in_candidate]
    looks = max(len(each) for each in blocks)
    padded = np.zeros((looks, len(blocks), 4))
    for place, each in enumerate(blocks):
        padded[: len(each), place] = each
    guard = TwoArms(CONFIGURATION, in_candidate.shape[:1])
    for block in padded:
        guard.update(*block.T)
        guard.close_block()
    return np.array([guard.failed().sum(), guard.passed().sum()])


def _blocks_of_units(chance: np.random.Generator, in_candidate: Array, harm: float) -> Array:
    """float64 (blocks, 4): what the guard sees, until every user has counted."""
    configuration = UnitsConfiguration()
    units = Units(configuration)
    keys: list[bytes] = [user.to_bytes(8, "big") for user in range(USERS)]
    arms = np.where(in_candidate, "candidate", "baseline").tolist()
    rates = np.where(np.arange(USERS) < FAILING * USERS, FAILS, 0.0) + harm * in_candidate
    blocks: list[tuple[float, ...]] = []
    while units.counted() < USERS:
        start_s = len(blocks) * LOOK_S
        users = chance.integers(0, USERS, chance.poisson(REQUESTS_PER_S * LOOK_S))
        at_s = start_s + np.sort(chance.random(users.size)) * LOOK_S
        failed = chance.random(users.size) < rates[users]
        columns = (users.tolist(), at_s.tolist(), failed.astype(float).tolist())
        rows = cast(list[tuple[int, float, float]], list(zip(*columns, strict=True)))
        for user, second, wrong in rows:
            units.observe(keys[user], arms[user], wrong, at_s=second)
        blocks.append(units.take(start_s + LOOK_S))
    return np.array(blocks)
