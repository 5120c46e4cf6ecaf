"""What a person is told of a rollout before it begins."""

import io
import json

import pytest

from pilotage.cli.logs import Log
from pilotage.cli.rollout_terms import WIDTH, confidence_words, terms_lines
from pilotage.cli.serve_screen import Screen
from pilotage.spec.guards import read_guard
from pilotage.spec.rollouts import RolloutSpec, StageSpec
from pilotage.spec.settings import ModelSettings, ServeSettings

CANARY = StageSpec("canary", 50_000, 600.0, 500)
SHADOW = StageSpec("shadow", 0, 1800.0, 500)


def spec(*guards: str, **changes) -> RolloutSpec:
    read = tuple(read_guard(text) for text in guards or ("error_rate not_worse_by 0.5pp",))
    return RolloutSpec(**({"stages": (CANARY,), "guards": read} | changes))


def settings(rollout: RolloutSpec | None, candidate: str = "v2.onnx") -> ServeSettings:
    model = ModelSettings("m", "v1.onnx")
    tried = None if rollout is None else ModelSettings("m", candidate)
    return ServeSettings((model,), "d", None, candidate=tried, rollout=rollout)


def test_people_read_every_term_aligned():
    lines = terms_lines(settings(spec()), page="http://127.0.0.1:8090")
    assert lines == [
        "candidate   v2.onnx, on trial beside v1.onnx",
        "stages      canary 5 %, then live",
        "exposure    a canary lasts 10m and 500 candidate requests at least",
        "live        after the last stage, once every guard has passed",
        "guards      error_rate not_worse_by 0.5pp",
        "confidence  95 %: an equal candidate is rolled back in at most 5 % of rollouts;",
        "            one that is worse by a margin goes live in at most 5 %",
        "patience    24h, then hold: it stays in its stage until you promote it or roll",
        "            it back",
        "split       each request by itself",
        "page        http://127.0.0.1:8090",
        "steer       pilotage rollout status; pause, resume, promote, abort or rollback",
    ]


def test_shadow_sticky_users_and_outcomes_have_their_words():
    rollout = spec(
        "mean of stars between 1 and 5 not_worse_by 0.2 tolerating 0.1 optional",
        "accuracy not_worse_by 1pp",
        stages=(SHADOW, CANARY),
        sticky_by="header:x-user-id",
        then="rollback",
    )
    text = " ".join(" ".join(terms_lines(settings(rollout), page="")).split())
    assert "stages shadow, canary 5 %, then live" in text
    assert "the shadow lasts 30m and 500 copies at least" in text
    assert "500 candidate values of x-user-id" in text
    assert "once every guard has passed that is not optional" in text
    assert "POST /v1/outcomes, of kind label, stars" in text
    assert "its first 50 requests within 10m" in text
    assert "then roll back" in text
    assert "page" not in text


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        (spec(confidence=0.99), "99 %: an equal candidate is rolled back in at most 1 %"),
        (spec(confidence=0.9999), "goes live in at most 0.01 %"),
        (spec("disagreement at_most 5%"), "a candidate whose harms are all tolerated is"),
        (spec("engine_time not_worse_by 20%"), "an equal candidate, or one whose harms are"),
        (spec(promote_on="exposure"), "how many worse ones go live is not bounded"),
        (spec(then="promote"), "at most 5 %, unless patience ends first"),
        (
            spec("error_rate not_worse_by 1pp", "accuracy not_worse_by 1pp optional"),
            "worse by the margin of a guard that is not optional goes live",
        ),
    ],
)
def test_no_error_rate_is_promised_that_does_not_hold(rollout, said):
    assert said in confidence_words(rollout)


def test_every_line_fits_the_terminal_and_cannot_steer_it():
    rollout = spec(
        "mean of a_rather_long_kind_of_outcome between 0.000125 and 99999.5 not_worse_by 0.2 "
        "tolerating 0.0001 optional"
    )
    lines = terms_lines(settings(rollout, "v\x1b[31m2.onnx"), page="http://127.0.0.1:8090")
    assert max(len(line) for line in lines) <= WIDTH
    assert "\x1b" not in "".join(lines)


def test_files_of_one_name_are_told_apart_by_their_folders():
    model = ModelSettings("m", "old/model.onnx")
    tried = ModelSettings("m", "new/model.onnx")
    both = ServeSettings((model,), "d", None, candidate=tried, rollout=spec())
    assert "new/model.onnx, on trial beside old/model.onnx" in terms_lines(both, page="")[0]


def told(form, config):
    err = io.StringIO()
    Screen(Log(form, err, lambda: 0.0), io.StringIO()).rollout(config, page="http://here")
    return err.getvalue()


def test_programs_read_one_event_with_fields():
    (event,) = map(json.loads, told("json", settings(spec())).splitlines())
    assert event["event"] == "rollout"
    assert event["guards"] == [{"guard": "error_rate not_worse_by 0.5pp", "required": True}]
    assert [stage["name"] for stage in event["stages"]] == ["canary 5 %"]
    assert (event["confidence"], event["then"], event["page"]) == (0.95, "hold", "http://here")


def test_without_a_candidate_nothing_is_told():
    assert told("text", settings(None)) == told("json", settings(None)) == ""


@pytest.mark.parametrize(
    ("taken", "steer"),
    [("d", "pilotage rollout status; pause"), ("other", "pilotage rollout status --data d; pause")],
)
def test_the_command_to_steer_it_finds_the_folder_it_is_kept_in(monkeypatch, taken, steer):
    monkeypatch.setenv("PILOTAGE_DATA", taken)
    told = io.StringIO()
    Screen(Log("text", told, lambda: 0.0)).rollout(settings(spec()), page="")
    assert steer in " ".join(told.getvalue().split())
