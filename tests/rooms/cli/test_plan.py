import json

import pytest
from typer.testing import CliRunner

from pilotage.cli import app as entry
from pilotage.cli.app import app
from pilotage.contracts.records import Entry
from pilotage.contracts.signature import Signature
from pilotage.errors import PilotageError
from simulators.record_folders import TIMING, RecordFolder, origin

GIVEN = ("--rate", "100/s", "--error-rate", "0.3%")


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """Two files: a plan looks at neither, and a rollout of none would be a mistake."""
    monkeypatch.chdir(tmp_path)
    for name in ("v1.onnx", "v2.onnx"):
        (tmp_path / name).touch()


def _run(*words):
    result = CliRunner().invoke(app, ["plan", "v1.onnx", "v2.onnx", *words])
    if result.exception:
        raise result.exception
    return result.stdout


def _rows(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_each_guard_and_stage_says_how_long_either_answer_takes():
    lines = _run(*GIVEN).splitlines()
    assert lines[:2] == [
        "v2.onnx against v1.onnx",
        "At 100 requests a second, 0.3 % of them failing: as given.",
    ]
    at = lines.index("error_rate not_worse_by 0.5pp")
    assert lines[at + 1].split("  ")[0] == "stage"
    assert [line[:48].strip() for line in lines[at + 2 : at + 10]] == [
        "canary 5 %   worse by 0.5 pp        rolled back",
        "worse by 1 pp          rolled back",
        "worse by 2 pp          rolled back",
        "as good                passed",
        "canary 25 %  worse by 0.5 pp        rolled back",
        "worse by 1 pp          rolled back",
        "worse by 2 pp          rolled back",
        "as good                passed",
    ]
    assert "Its stages last 20 min at least, and its patience 24 h." in lines


def test_a_plan_fits_80_columns():
    guards = ("disagreement at_most 5%", "engine_time not_worse_by 20%")
    words = [word for guard in guards for word in ("--guard", guard)]
    text = _run(*GIVEN, "--shadow", "10m", "--canary", "5%", *words)
    assert max(map(len, text.splitlines())) <= 80
    assert "different on 10 %" in text
    assert "20 % slower" in text
    assert _rows(text, "every stage")


def test_larger_harm_and_larger_shares_are_found_earlier():
    rows = json.loads(_run(*GIVEN, "--json"))["rows"]
    small, large, *_ = [row["median_s"] for row in rows if row["stage"] == "canary 5 %"]
    (wide, *_) = [row["median_s"] for row in rows if row["stage"] == "canary 25 %"]
    assert large < small
    assert wide < small


def test_harms_to_look_for_can_be_named():
    text = _run(*GIVEN, "--canary", "5%", "--harm", "error_rate 3pp", "--harm", "error_rate 5pp")
    assert [line[13:36].strip() for line in text.splitlines() if "rolled back" in line] == [
        "worse by 3 pp",
        "worse by 5 pp",
    ]


def test_what_is_assumed_is_told():
    words = ("--guard", "error_rate not_worse_by 2pp", "--sticky-by", "header:x")
    told = " ".join(_run("--rate", "10/s", *words).split())
    assert "Assumed: 1 % of requests fail (--error-rate); each value of the sticky" in told
    assert "Assumed" not in _run(*GIVEN)


def test_what_takes_longer_than_the_patience_says_so():
    text = _run("--rate", "0.1/s", "--error-rate", "0.3%", "--patience", "1h", "--canary", "5%")
    assert text.count("> 60 min") >= 2
    told = " ".join(text.split())
    assert "Too slow: most candidates that are as good do not pass error_rate" in told
    assert "such a one is held then. What helps: a larger share in --canary" in told
    assert "Too slow" not in _run(*GIVEN)


def test_traffic_is_measured_where_none_is_given(tmp_path):
    server = RecordFolder(tmp_path / "records")
    for at in range(200):
        server.now_ms += 10
        (given,) = server.recording.ids.take(1, server.now_ms)[1]
        status = "engine_error" if at % 50 == 0 else "ok"
        entry = Entry(given, server.now_ms * 1_000_000, 1, 5, status=status)
        whole = origin("v1", Signature((), ()), inputs="none", outputs="none")
        server.recording.put(whole, [], [], [entry], TIMING)
    try:
        lines = " ".join(_run("--record", "records").split())
    finally:
        server.close()
    assert "At 101 requests a second, 2 % of them failing: measured on the last 200" in lines


def test_without_rate_and_records_it_says_what_to_give(tmp_path, capsys):
    (tmp_path / "records").mkdir()
    assert entry.main(["plan", "v1.onnx", "v2.onnx", "--record", "records"]) == 2
    assert "Give --rate, such as 100/s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rate", "100"], "Write 100/s"),
        (["--rate", "100/s", "--error-rate", "3"], "Write 3%"),
        (["--rate", "0/s"], "--rate"),
        ([*GIVEN, "--harm", "accuracy 1pp"], 'no guard of this rollout judges "accuracy"'),
        ([*GIVEN, "--harm", "error_rate"], "no amount"),
        ([*GIVEN, "--harm", "error_rate 1%"], "Write 1pp"),
        ([*GIVEN, "--guard", "errors not_worse_by 1pp"], "Write error_rate"),
        ([*GIVEN, "--canary", "500%"], "--canary"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_fix(words, told):
    with pytest.raises(PilotageError) as caught:
        _run(*words)
    assert told in str(caught.value)


def test_a_model_that_is_not_there_is_told():
    with pytest.raises(PilotageError, match="v3"):
        CliRunner().invoke(app, ["plan", "v1.onnx", "v3.onnx", *GIVEN], catch_exceptions=False)
