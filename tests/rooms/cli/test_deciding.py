from typing import Any

import pytest

from pilotage.cli.deciding import Rollout
from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.store import Kept
from pilotage.control.rollouts.table import State
from simulators.rollouts import IDENTITY

BASELINE, CANDIDATE = IDENTITY.baseline.name, IDENTITY.candidate.name
STAGE = IDENTITY.spec.stages[0].name
UNUSED: Any = None


def standing(**where):
    state = State(**where)
    kept = Kept("rollout-1", 1, IDENTITY, "/records", 5.0, {}, 0, state, 0, None, 0, 0, History())
    return Rollout(kept, True, UNUSED, UNUSED).standing()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"elapsed_s": 44.0}, f"goes on: running, {STAGE}, after 44 s; --anew"),
        (
            {"phase": "paused", "elapsed_s": 44.0, "because": "asked for by ada"},
            f"goes on: paused, {STAGE}, after 44 s (asked for by ada); `pilotage rollout resume`",
        ),
        (
            {"phase": "live", "because": "every required guard passed"},
            f"is over: {CANDIDATE} is live and answers everything (every required guard passed); "
            "`pilotage rollout rollback` takes it out",
        ),
        (
            {"phase": "rolled_back", "because": "it fails"},
            f"is over: {CANDIDATE} was rolled back, {BASELINE} answers everything (it fails); "
            "--anew",
        ),
        (
            {"phase": "aborted", "because": "asked for by ada"},
            f"is over: {CANDIDATE} was taken out, {BASELINE} answers everything",
        ),
    ],
)
def test_a_rollout_that_was_begun_before_says_who_answers_and_what_can_be_done(where, told):
    hint = standing(**where)
    assert told in hint
    assert hint.endswith("--anew begins it again")
