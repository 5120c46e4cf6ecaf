"""Many whole rollouts on real servers, side by side: equal candidates, and ones at the margin.

Each has a server of its own: users stick to an arm, a tenth of them causes all errors, the error
rate of both arms triples while the share goes from 5 to 25 %, periods of large requests slow both
arms, and clients send again what failed. Blocks, windows and exposures are short, so that half a
day's decisions take seconds. A z-test on the same requests, looked at as often, shows what such
traffic does to a decision that does not mind how often one looks, or who asks.
"""

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import rollout_models as models
from pilotage.records.store import Query
from rollout_runs import OVER, Trial, guard_of, rollout
from traffic import traffic

Kind = Literal["equal", "equal, timed too", "at the margin", "at the margin, tolerated"]
AT_THE_MARGIN: Final = ("at the margin", "at the margin, tolerated")
"""What is tolerated is rolled back late or never, and so has longer to be promoted wrongly."""

MARGIN: Final = 0.06
BASE: Final = (0.03, 0.09)
"""The error rate of both arms, at the start and after `RISES_S`."""
RISES_S: Final = 8.0
FAILS: Final = 0.068
"""Of the candidate at the margin: of the requests that would not have failed anyhow, so that it
adds at least the margin, also where the error rate of both arms is highest."""
PER_S: Final = 800.0
REQUESTS_EACH: Final = 2.5
BLOCK_S: Final = 0.2
WISHES: Final = (
    *("--canary", "5%,25%", "--exposure", "3s", "--exposure-units", "40"),
    *("--sticky-by", "header:x-user-id", "--window", "1s", "--window-requests", "20"),
    *("--block", "200ms", "--patience", "9s", "--then", "hold"),
)
ERRORS: Final = f"error_rate not_worse_by {100 * MARGIN:g}pp"
TOLERATED: Final = f"{ERRORS} tolerating {100 * MARGIN:g}pp"
TIMED: Final = ("--guard", "engine_time not_worse_by 50%")
Z: Final = 1.645
"""5 % in a look, on one side."""


@dataclass(frozen=True)
class Ran:
    """One rollout that is over.

    Attributes:
        phase: as it ended; `because` is why.
        elapsed_s: of the rollout's own clock.
        baseline_units, candidate_units: that the error guard counted.
        z_test: whether a z-test on the requests would have rolled back at some look.
    """

    seed: int
    kind: Kind
    phase: str
    because: str
    elapsed_s: float
    baseline_units: int
    candidate_units: int
    answers: int
    z_test: bool


def run(folder: Path, kind: Kind, seed: int) -> Ran:
    """One rollout, from the start of its server to its end; the folder is taken away."""
    candidate = models.failing(FAILS) if kind in AT_THE_MARGIN else models.equal()
    guard = TOLERATED if kind == "at the margin, tolerated" else ERRORS
    wishes = [*WISHES, "--guard", guard, *(TIMED if kind == "equal, timed too" else ())]
    users = {"sticky": "x-user-id", "requests_each": REQUESTS_EACH, "troubled_users": 0.1}
    rates = {"trouble": ((0.0, BASE[0]), (RISES_S, BASE[1])), "slow": ((1.0, 1.5), (4.5, 5.0))}
    with (
        rollout(folder, models.baseline(), candidate, *wishes) as trial,
        traffic(trial.plan(per_s=PER_S, seed=seed, slow_rows=32, **users, **rates)) as load,
    ):
        view = trial.until_over()
        answers = load.report.answers
    errors = guard_of(view, "error_rate")
    ran = Ran(
        seed=seed,
        kind=kind,
        phase=view.phase,
        because=view.because,
        elapsed_s=view.elapsed_s,
        baseline_units=errors.baseline_count,
        candidate_units=errors.candidate_count,
        answers=answers,
        z_test=_z_test(trial),
    )
    assert ran.phase in OVER
    shutil.rmtree(folder)
    return ran


def side_by_side(folder: Path, asked: Sequence[tuple[Kind, int]], servers: int) -> Iterator[Ran]:
    """Every rollout asked for, so many at a time; in the order of asking."""
    with ThreadPoolExecutor(servers) as pool:
        futures = []
        for kind, seed in asked:
            futures.append(
                pool.submit(run, folder / f"{kind}-{seed}".replace(" ", "-"), kind, seed)
            )
            if len(futures) <= servers:
                time.sleep(0.2)  # so that they do not all start, and end, at once
        for future in futures:
            yield future.result()


def _z_test(trial: Trial) -> bool:
    """Whether the candidate's requests fail more often, z above 1.645, at the end of any block."""
    looks: dict[int, list[int]] = {}
    for record in trial.server.store().records(Query(), []):
        counts = looks.setdefault(int(record.received_ns / (BLOCK_S * 1e9)), [0, 0, 0, 0])
        place = 2 if record.arm == "candidate" else 0
        counts[place] += 1
        counts[place + 1] += record.status == "invalid_output"
    total = [0, 0, 0, 0]
    for look in sorted(looks):
        total = [sum(each) for each in zip(total, looks[look], strict=True)]
        baseline, baseline_errors, candidate, candidate_errors = total
        if not baseline or not candidate:
            continue
        pooled = (baseline_errors + candidate_errors) / (baseline + candidate)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / baseline + 1 / candidate))
        harm = candidate_errors / candidate - baseline_errors / baseline
        if harm > Z * spread:
            return True
    return False
