"""Guards on what callers report: a rate and a mean of their own, through the running server."""

import json
import random
from pathlib import Path

import pytest

import rollout_models as models
from rollout_runs import QUICK, Trial, guard_of, rollout, told
from servers import Caller, infer_body

pytestmark = [pytest.mark.slow]

ASKED = 64
"""Requests between two looks at the rollout."""
MOST = 20_000


def converted(rng: random.Random, candidate: bool) -> bool:
    """A third of the baseline's callers buy, a tenth of the candidate's."""
    return rng.random() < (0.1 if candidate else 0.33)


def stars(rng: random.Random, candidate: bool) -> int:
    """The baseline's callers give 4 stars on average, the candidate's 3."""
    return rng.choice([2, 3, 4] if candidate else [3, 4, 5])


def asked_until_over(trial: Trial, kind: str, liked) -> None:
    """One caller after the other, each of whom tells how it went, until the rollout is over."""
    rng, people = random.Random(7), models.people()[0]
    baseline = trial.ask().baseline
    with Caller(trial.server.url) as caller:
        for number in range(MOST):
            body = infer_body({"person": people[number % len(people)][None]})
            answer = caller.call("POST", f"/v2/models/{models.MODEL}/infer", body)
            value = liked(rng, answer.json["model_version"] != baseline)
            outcome = {"prediction_id": answer.headers["pilotage-prediction-id"], "kind": kind}
            told_ = caller.call(
                "POST", "/v1/outcomes", json.dumps({**outcome, "value": value}).encode()
            )
            assert told_.status == 202, told_.body
            if number % ASKED == 0 and trial.ask().phase != "running":
                return


@pytest.mark.parametrize(
    ("guard", "metric", "kind", "liked", "says"),
    [
        ("rate of converted not_worse_by 5pp", "rate", "converted", converted, "“converted” is"),
        ("mean of stars between 1 and 5 not_worse_by 0.4", "mean", "stars", stars, "“stars” is"),
    ],
    ids=["rate", "mean"],
)
def test_a_candidate_that_callers_like_less_is_rolled_back(
    tmp_path: Path, guard, metric, kind, liked, says
) -> None:
    wishes = (*QUICK, "--guard", guard, "--canary", "30%")
    with rollout(tmp_path, models.baseline(), models.equal(), *wishes) as trial:
        asked_until_over(trial, kind, liked)
        view = trial.until_phase("rolled_back")
        seen = guard_of(view, metric)
        print(f"\n{view.sentence}")
        assert says in view.because
        assert seen.word == "failed", told(view)
        assert seen.candidate < seen.baseline
        trial.check_verdicts()


def test_numbers_that_differ_in_the_shadow_are_rolled_back_without_a_caller_noticing(
    tmp_path: Path,
) -> None:
    wishes = (*QUICK, "--shadow", "30s", "--guard", "difference beyond 0.2 at_most 3%")
    people = models.people()[0]
    with (
        rollout(tmp_path, models.baseline(), models.disagreeing(), *wishes) as trial,
        Caller(trial.server.url) as caller,
    ):
        baseline = trial.ask().baseline
        for number in range(MOST):
            body = infer_body({"person": people[number % len(people)][None]})
            answer = caller.call("POST", f"/v2/models/{models.MODEL}/infer", body)
            assert answer.json["model_version"] == baseline
            if number % ASKED == 0 and trial.ask().phase != "running":
                break
        view = trial.until_phase("rolled_back")
        print(f"\n{view.sentence}")
        assert "differs by more than 0.2" in view.because
        trial.check_verdicts()
