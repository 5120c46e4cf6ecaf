"""`kill -9` during a rollout: of the decider at each of its steps, of the others, of all at once.

The same command goes on where it was: at its stage, with its evidence, and with each entry of the
ledger written once. What was decided stays decided.
"""

import os
import signal
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import rollout_models as models
from pilotage.control.rollouts.steering_socket import socket_path
from pilotage.control.rollouts.view import RolloutView
from rollout_runs import QUICK, Trial, guard_of, rollout, told
from servers import children_of, until
from traffic import traffic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found through Linux's /proc"),
]

BAD = 0.5
"""Of the candidate's requests fail: one look with traffic decides."""
PER_S = 400.0
RESTARTS_S = 30.0
"""Until a decider that was killed before it could direct is back and does, at most: on a machine
that is as busy as it may be; a quiet one needs 2 s."""
STEPS = ["before_commit", "after_commit", "after_direction", "before_ledger", "after_ledger"]


def decider_of(trial: Trial) -> int:
    """The process that listens on the rollout's socket."""
    trial.ask()
    with socket.socket(socket.AF_UNIX) as ours:
        ours.connect(str(socket_path(trial.data, models.MODEL)))
        peer = ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", peer)[0])


def recorder_of(trial: Trial) -> int:
    """The child that neither serves nor decides."""
    others = {*trial.server.workers, decider_of(trial)}
    (recorder,) = set(children_of(trial.server.process.pid)) - others
    return recorder


def check_the_end(trial: Trial, *, verdicts: int | None = None) -> None:
    """Each entry stands once in the ledger, and every verdict comes out again."""
    keys = Counter(line.entry.key for line in trial.ledger())
    assert max(keys.values()) == 1, keys
    kinds = Counter(line.entry.kind for line in trial.ledger())
    assert kinds["started"] == kinds["ended"] == 1, kinds
    found = trial.check_verdicts()
    assert verdicts is None or len(found) == verdicts


class Armed:
    """The decider kills itself at a step, once the marker is away."""

    def __init__(self, folder: Path, step: str) -> None:
        self._marker = folder / "killed"
        self._marker.touch()
        self.environment = {"_PILOTAGE_KILL_AT": f"{step}:{self._marker}"}

    def arm(self) -> None:
        self._marker.unlink()

    def wait(self) -> None:
        until(self._marker.exists, "the decider's death")


@pytest.mark.parametrize("step", STEPS)
def test_a_decider_killed_while_it_decides_has_decided_once(tmp_path: Path, step: str) -> None:
    armed = Armed(tmp_path, step)
    wishes = [*QUICK, "--canary", "25%"]
    bad = models.failing(BAD)
    with rollout(tmp_path, models.baseline(), bad, *wishes, environment=armed.environment) as trial:
        first = decider_of(trial)
        until(lambda: trial.entries("started"), "the first entry")
        armed.arm()
        with traffic(trial.plan(per_s=PER_S, retries=0)) as load:
            armed.wait()
            view = trial.until_phase("rolled_back")
            answers = load.report.answers
            load.until(lambda report: report.answers > answers + 400, "answers of the baseline")
        assert decider_of(trial) != first
        (ended,) = trial.entries("ended")
        late_s = load.report.last_sent[view.candidate] - ended.entry.at
        print(f"\n{step}: {view.sentence} The last request it got came {late_s:+.2f} s from then.")
        assert late_s < RESTARTS_S
        assert view.baseline in load.report.answered
        check_the_end(trial, verdicts=1)


@pytest.mark.parametrize("step", STEPS)
def test_a_decider_killed_while_a_stage_changes_is_in_the_next_one(
    tmp_path: Path, step: str
) -> None:
    armed = Armed(tmp_path, step)
    wishes = [*QUICK, "--canary", "10%,50%", "--guard", "error_rate not_worse_by 3pp"]
    with (
        rollout(
            *(tmp_path, models.baseline(), models.equal()),
            *wishes,
            environment=armed.environment,
        ) as trial,
        traffic(trial.plan(per_s=1_000.0)),
    ):
        nearly = trial.until(lambda view: view.stages[0].seen_s > 1.2, "most of the first stage")
        assert nearly.stages[0].when == "now"
        armed.arm()
        armed.wait()
        again = trial.ask()
        assert again.elapsed_s >= nearly.elapsed_s
        assert guard_of(again, "error_rate").candidate_count >= (
            guard_of(nearly, "error_rate").candidate_count
        )
        trial.until_phase("live")
        changes = [line.entry.what for line in trial.entries("stage")]
        assert len(changes) == 1, changes
        check_the_end(trial)


def test_a_decider_killed_before_its_first_look_begins_as_if_nothing_was(tmp_path: Path) -> None:
    armed = Armed(tmp_path, "before_commit")
    armed.arm()
    bad = models.failing(BAD)
    with rollout(tmp_path, models.baseline(), bad, *QUICK, environment=armed.environment) as trial:
        armed.wait()
        with traffic(trial.plan(per_s=PER_S, retries=0)):
            trial.until_phase("rolled_back")
        check_the_end(trial, verdicts=1)


@pytest.mark.parametrize("whom", ["decider", "recorder", "worker"])
def test_a_process_killed_in_the_middle_costs_no_evidence(tmp_path: Path, whom: str) -> None:
    find: dict[str, Callable[[Trial], int]] = {
        "decider": decider_of,
        "recorder": recorder_of,
        "worker": lambda trial: trial.server.workers[0],
    }
    wishes = [*QUICK, "--canary", "50%", "--guard", "error_rate not_worse_by 1pp"]
    with (
        rollout(tmp_path, models.baseline(), models.equal(), *wishes) as trial,
        traffic(trial.plan(per_s=600.0)),
    ):
        before = trial.until(lambda view: view.elapsed_s > 1.0, "some looks")
        os.kill(find[whom](trial), signal.SIGKILL)
        view = trial.until_phase("live")
        assert view.rollout == before.rollout
        assert view.elapsed_s > before.elapsed_s
        check_the_end(trial)


def test_a_server_killed_whole_resumes_at_its_stage_with_its_evidence(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "10%,50%", "--guard", "error_rate not_worse_by 1pp"]
    arguments = (tmp_path, models.baseline(), models.equal(), *wishes)
    with rollout(*arguments) as trial, traffic(trial.plan(per_s=800.0)):
        before = trial.until(lambda view: view.stages[1].seen_s > 0.4, "the second stage")
        trial.server.kill()
    with rollout(*arguments) as trial:
        again = trial.ask()
        assert_goes_on(before, again)
        with traffic(trial.plan(per_s=800.0, seed=2)):
            trial.until_phase("live")
        check_the_end(trial)
    # Once more, after the end: it stays as it ended, and the candidate answers.
    with rollout(*arguments) as trial, traffic(trial.plan(per_s=200.0, seed=3)) as load:
        load.until(lambda report: report.answers > 200, "answers")
        view = trial.ask()
        assert view.phase == "live"
        assert set(load.report.answered) == {view.candidate}
        check_the_end(trial)


def assert_goes_on(before: RolloutView, again: RolloutView) -> None:
    """The same rollout, with all that was seen before."""
    assert again.rollout == before.rollout
    assert [stage.when for stage in again.stages] == [stage.when for stage in before.stages]
    assert again.elapsed_s >= before.elapsed_s
    for after, earlier in zip(again.guards, before.guards, strict=True):
        assert after.candidate_count >= earlier.candidate_count, told(again)
        assert after.baseline_count >= earlier.baseline_count, told(again)


def test_a_worker_that_dies_of_its_own_fault_takes_the_candidate_out(tmp_path: Path) -> None:
    with rollout(tmp_path, models.baseline(), models.equal(), *QUICK) as trial:
        with traffic(trial.plan(per_s=200.0)) as load:
            trial.until(lambda view: view.elapsed_s > 0.4, "a look")
            os.kill(trial.server.workers[0], signal.SIGSEGV)
            view = trial.until_phase("rolled_back")
            answers = load.report.answers
            load.until(lambda report: report.answers > answers + 200, "answers of the baseline")
        print("\n" + view.sentence)
        assert "SIGSEGV" in view.because
        kinds = Counter(line.entry.kind for line in trial.ledger())
        assert kinds["ended"] == 1
