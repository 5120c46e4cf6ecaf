"""Whole rollouts on the real server, many times: how often is the decision wrong?

Equal candidates (half of them with a guard on engine time too) that are rolled back, and
candidates at the margin that go live (half of them where all that harm is tolerated). How a run
is made is told in `tests/rollout_trials.py`, of which the suite runs a few.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.decisions.lengths import Length
from benchmarks.decisions.tables import Aim, Part, Table, middle_and_late, share
from benchmarks.decisions.tasks import Progress
from benchmarks.places import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests"))

from rollout_trials import (
    AT_THE_MARGIN,
    BASE,
    MARGIN,
    PER_S,
    REQUESTS_EACH,
    Kind,
    Ran,
    side_by_side,
)

SERVERS = 2 * (os.cpu_count() or 1)
"""Side by side: so the machine is about 80 % busy."""
MOST_WRONG = 34
"""Of 400: a rule that is wrong in 5 % has more less than once in 900."""
FIRST_SEED = 20_000
"""Seeds begin here, apart from those of the suite."""


def run(length: Length) -> Part:
    """So many rollouts of equal candidates, and as many at the margin."""
    import rollout_models

    rollout_models.people()
    runs = length.running
    kinds: list[Kind] = ["equal", "equal, timed too", *AT_THE_MARGIN]
    asked = [(kinds[number % 4], FIRST_SEED + number) for number in range(2 * runs)]
    progress = Progress("running rollouts", len(asked))
    ran: list[Ran] = []
    with tempfile.TemporaryDirectory(prefix="pilotage-rollouts-") as folder:
        for each in side_by_side(Path(folder), asked, SERVERS):
            ran.append(each)
            progress.step()
    equal = [each for each in ran if each.kind not in AT_THE_MARGIN]
    margin = [each for each in ran if each.kind in AT_THE_MARGIN]
    rows = [_row(kind, [each for each in ran if each.kind == kind]) for kind in kinds]
    table = Table(
        "Rollouts that ran: whole servers, sticky users, a rising error rate, 5 → 25 %",
        ["candidate", "rolled back", "went live", "held", "units", "a z-test rolls back"],
        rows,
        f"{runs} of each two kinds, {SERVERS} servers side by side. {PER_S:g} requests/s, "
        f"{REQUESTS_EACH:g} a user, a tenth of the users causes all errors, {100 * BASE[0]:g} → "
        f"{100 * BASE[1]:g} % of requests, sent again once; margin {100 * MARGIN:g} points; blocks "
        "of 0.2 s, windows of 1 s, 3 s a stage, patience 9 s. The z-test looks at requests each "
        "0.2 s, one-sided 5 %.",
    )
    allowed = MOST_WRONG * runs / 400
    return Part(
        "running",
        [table],
        [
            Aim("rollouts that ran, equal: rolled back", _in(equal, "rolled_back"), allowed),
            Aim("rollouts that ran, at the margin: went live", _in(margin, "live"), allowed),
        ],
    )


def _in(ran: list[Ran], phase: str) -> int:
    return sum(each.phase == phase for each in ran)


def _row(kind: str, ran: list[Ran]) -> list[str]:
    phases = [share(_in(ran, phase), len(ran)) for phase in ("rolled_back", "live", "held")]
    units = middle_and_late([each.candidate_units for each in ran])
    return [kind, *phases, units, share(sum(each.z_test for each in ran), len(ran))]
