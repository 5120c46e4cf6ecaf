"""Rollouts of census models on the real server: a good candidate goes live, a bad one is out.

The whole way with nobody's help: traffic, records, guards, directions, ledger. Times are compressed
by settings that a user could give, and everything else is as it is in a day. Each test prints how
many requests the candidate got until it was out.
"""

import json
import time
from pathlib import Path

import pytest

import rollout_models as models
from pilotage.control.rollouts.view import RolloutView
from rollout_runs import QUICK, Trial, guard_of, rollout, told
from traffic import Report, traffic

pytestmark = [pytest.mark.slow, pytest.mark.serial]

UNTIL_OUT_S = 1.0
"""From the decision to the last request that is given to the candidate, at most."""


def out_in_time(trial: Trial, view: RolloutView, report: Report, after: str) -> None:
    """The candidate got nothing any more within a second; prints what it took."""
    (ended,) = trial.entries("ended")
    got = report.answered.get(view.candidate, 0)
    late_s = report.last_sent.get(view.candidate, ended.entry.at) - ended.entry.at
    counts = ", ".join(f"{each.candidate_count} {each.unit}s" for each in view.guards)
    print(
        f"\n{view.sentence}\n  out after {after}: {counts}, {got} answers of the candidate "
        f"in {view.elapsed_s:.1f} s; the last request it got was sent {late_s:+.2f} s from then"
    )
    assert late_s < UNTIL_OUT_S


def rolled_back(trial: Trial, metric: str, after: str, **plan: object) -> RolloutView:
    """Sends traffic until the candidate is out, for this metric's sake; checks what is written."""
    with traffic(trial.plan(**plan)) as load:
        view = trial.until_phase("rolled_back")
        answers = load.report.answers
        load.until(lambda report: report.answers > answers + 500, "answers of the baseline")
        time.sleep(UNTIL_OUT_S)
    report = load.report
    out_in_time(trial, view, report, after)
    guard = guard_of(view, metric)
    assert guard.share > 0.5, told(view)
    assert report.broken == 0
    trial.check_verdicts()
    return view


def test_an_equally_good_candidate_goes_live_by_itself(tmp_path: Path) -> None:
    wishes = ["--shadow", "2s", "--canary", "10%,50%"]
    for guard in (
        "error_rate not_worse_by 1pp",
        "disagreement at_most 8%",
        "engine_time not_worse_by 50%",
        "accuracy not_worse_by 5pp",
    ):
        wishes += ["--guard", guard]
    with rollout(tmp_path, models.baseline(), models.equal(), *QUICK, *wishes) as trial:
        outcomes = {"twice": 0.02, "corrected": 0.02, "late": 0.02, "unknown": 0.02}
        with traffic(trial.plan(per_s=800.0, outcomes=outcomes)) as load:
            view = trial.until_phase("live")
            live = trial.command("rollout", "status", "--json")
            before = load.report.answered.get(view.baseline, 0)
            load.until(lambda report: report.answered[view.candidate] > 5_000, "all traffic")
        took = load.report
        print(f"\n{view.sentence} ({view.elapsed_s:.1f} s) {took.answered}")
        assert json.loads(live.stdout)["phase"] == "live"
        assert took.answered[view.baseline] <= before + 100
        assert view.counts["outcomes duplicate"] > 0
        assert view.counts["outcomes corrected"] > 0
        assert all(guard.word == "passed" for guard in view.guards), told(view)
        assert took.broken == 0
        trial.check_verdicts()


def test_one_that_fails_on_two_percent_is_rolled_back(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "5%,25%"]
    with rollout(tmp_path, models.baseline(), models.failing(), *wishes) as trial:
        rolled_back(trial, "error_rate", "2 % of errors", per_s=800.0)


def test_one_that_fails_on_two_percent_is_rolled_back_for_users_who_stick(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "25%", "--sticky-by", "header:x-user-id"]
    with rollout(tmp_path, models.baseline(), models.failing(), *wishes) as trial:
        users = {"sticky": "x-user-id", "users": 3_000}
        rolled_back(trial, "error_rate", "2 % of errors", per_s=1_000.0, **users)


def test_one_that_is_three_points_less_accurate_is_rolled_back(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "50%", "--guard", "accuracy not_worse_by 1pp"]
    with rollout(tmp_path, models.baseline(), models.less_accurate(), *wishes) as trial:
        outcomes = {"twice": 0.02, "corrected": 0.02, "late": 0.02}
        rolled_back(trial, "accuracy", "3 points", per_s=1_200.0, outcomes=outcomes)


def test_one_that_disagrees_on_ten_percent_is_rolled_back_in_shadow(tmp_path: Path) -> None:
    wishes = [*QUICK, "--shadow", "20s", "--guard", "disagreement at_most 5%"]
    with rollout(tmp_path, models.baseline(), models.disagreeing(), *wishes) as trial:
        view = rolled_back(trial, "disagreement", "10 % of labels", per_s=300.0)
        assert view.stages[0].kind == "shadow"
        assert view.stages[0].seen_units > 0
        assert view.stages[1].seen_units == 0


def test_one_that_is_thirty_percent_slower_is_rolled_back(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "25%", "--guard", "engine_time not_worse_by 20%"]
    with rollout(tmp_path, models.heavy(), models.slower(), *wishes) as trial:
        rolled_back(trial, "engine_time", "30 % of time", per_s=300.0)


def test_one_that_fails_on_every_request_is_out_after_a_few(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "5%"]
    with rollout(tmp_path, models.baseline(), models.failing(1.0), *wishes) as trial:
        view = rolled_back(trial, "error_rate", "100 % of errors", per_s=300.0, retries=0)
        assert guard_of(view, "error_rate").candidate_count < 200


def test_a_stage_without_traffic_is_held_undecided(tmp_path: Path) -> None:
    wishes = [*QUICK, "--patience", "3s"]
    with rollout(tmp_path, models.baseline(), models.equal(), *wishes) as trial:
        view = trial.until_phase("held")
        print("\n" + view.sentence)
        assert "undecided" in view.because
        assert guard_of(view, "error_rate").because == "no_data"
        (verdict,) = trial.check_verdicts()
        assert verdict.entry.what["word"] == "undecided"


def test_outcomes_for_nobody_leave_a_guard_without_labels(tmp_path: Path) -> None:
    wishes = [*QUICK, "--canary", "50%", "--patience", "5s", "--guard", "accuracy not_worse_by 3pp"]
    with rollout(tmp_path, models.baseline(), models.equal(), *wishes) as trial:
        nobody = {"share": 0.0}
        with traffic(trial.plan(per_s=300.0, outcomes=nobody)):
            body = json.dumps({"key": "nobody", "kind": "label", "value": 1})
            reply = trial.server.call("POST", "/v1/outcomes", body.encode())
            assert reply.status // 100 == 2, reply.body
            view = trial.until_phase("held")
        assert guard_of(view, "accuracy").because == "no_labels"
        trial.check_verdicts()


def test_a_person_pauses_resumes_and_promotes(tmp_path: Path) -> None:
    with rollout(tmp_path, models.baseline(), models.equal(), *QUICK) as trial:
        with traffic(trial.plan(per_s=200.0)) as load:
            first = trial.ask()
            for verb, phase in (("pause", "paused"), ("resume", "running"), ("promote", "live")):
                sure = ["--yes"] if verb == "promote" else []
                done = trial.command("rollout", verb, *sure)
                assert done.returncode == 0, done.stderr
                assert trial.ask().phase == phase
            seen = load.report.answered.get(first.candidate, 0)
            load.until(lambda r: r.answered.get(first.candidate, 0) > seen + 200, "live traffic")
            too_late = trial.command("rollout", "pause")
        assert too_late.returncode == 1
        assert "cannot pause" in too_late.stderr
        assert [line.entry.what["verb"] for line in trial.entries("steered")] == [
            *("pause", "resume", "promote"),
        ]


@pytest.mark.parametrize(
    ("candidate", "wishes", "words"),
    [
        (models.other_signature, [], ["person", "features"]),
        (models.not_loading, [], ["ForestOfAnotherWorld"]),
        (models.equal, ["--canary", "25%,5%"], ["--canary"]),
        (models.equal, ["--guard", "eror_rate not_worse_by 1pp"], ["error_rate"]),
        (models.equal, ["--guard", "disagreement at_most 5%"], ["--shadow"]),
        (models.equal, ["--no-record"], ["record"]),
    ],
    ids=["signature", "broken", "shares fall", "guard", "no shadow", "no record"],
)
def test_what_cannot_be_a_rollout_ends_at_once_in_a_clear_message(
    tmp_path: Path, candidate, wishes: list[str], words: list[str]
) -> None:
    ended = pytest.raises(AssertionError, match="exit code 2 before ready")
    with ended as refused, rollout(tmp_path, models.baseline(), candidate(), *QUICK, *wishes):
        pass
    said = str(refused.value)
    print(said)
    assert "Traceback" not in said
    for word in words:
        assert word in said
