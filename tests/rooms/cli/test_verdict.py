import json
import mmap
import shutil

import pytest
from typer.testing import CliRunner

from pilotage.cli.verdict import app
from pilotage.errors import PilotageError
from pilotage.records.frames import segments_in
from simulators.decided_rollout import ABOUT, DecidedRollout


@pytest.fixture
def rollout(tmp_path):
    rollout = DecidedRollout(tmp_path / "data")
    yield rollout
    rollout.close()


def _run(rollout, *words: str, ok: int = 0):
    result = CliRunner().invoke(app, [*words, "--data", str(rollout.data)])
    assert result.exit_code == ok, result.output
    return result


def test_verdicts_are_listed_with_their_ids(rollout):
    (line,) = _run(rollout, "list").stdout.splitlines()[1:]
    assert rollout.verdict.id in line
    assert "failed" in line
    told = json.loads(_run(rollout, "list", "--json").stdout)
    assert told["id"] == rollout.verdict.id
    assert (told["of"], told["word"], told["endpoint"]) == ("rollout", "failed", "iris")
    assert "cuts" not in told


def test_where_nothing_was_decided_it_says_so(tmp_path):
    result = CliRunner().invoke(app, ["list", "--data", str(tmp_path)])
    assert result.exit_code == 0
    assert "no verdict" in result.stderr


def test_a_verdict_is_shown_with_its_numbers(rollout):
    shown = _run(rollout, "show", rollout.verdict.id[:8]).stdout
    for words in (
        "failed, of all guards together",
        "v2.onnx against v1.onnx",
        "canary 5 %",
        "error_rate not_worse_by 0.5pp",
        "not sealed yet",
        "0.5\u202fpp",
        rollout.verdict.digest,
    ):
        assert words in shown
    rollout.seal()
    again = _run(rollout, "show", rollout.verdict.id).stdout
    (segment, *_) = segments_in(rollout.records)
    assert segment.path.name in again
    assert "not sealed yet" not in again


def test_a_verdict_is_given_whole_as_json(rollout):
    told = json.loads(_run(rollout, "show", rollout.verdict.entry.key, "--json").stdout)
    assert told["digest"] == rollout.verdict.digest
    assert told["guards"] == rollout.verdict.entry.what["guards"]
    assert told["segments"] is None
    rollout.seal()
    told = json.loads(_run(rollout, "show", rollout.verdict.id, "--json").stdout)
    assert len(told["segments"][0]["digest"]) == 64


@pytest.mark.parametrize("name", ["ffffffff", "", f"{ABOUT.rollout}/1"])
def test_what_names_no_verdict_is_an_error_of_the_caller(rollout, name):
    for command in ("show", "recompute"):
        result = CliRunner().invoke(app, [command, name, "--data", str(rollout.data)])
        assert isinstance(result.exception, PilotageError)


@pytest.mark.parametrize(("errors", "word"), [(8, "failed"), (1, "undecided")])
def test_the_guards_say_the_same_from_the_records_alone(tmp_path, errors, word):
    rollout = DecidedRollout(tmp_path / "data", errors=errors)
    assert rollout.verdict.entry.what["word"] == word
    for segments in (None, 1):
        told = json.loads(_run(rollout, "recompute", rollout.verdict.id, "--json").stdout)
        assert (told["result"], told["segments"], told["ledger_faults"]) == ("same", segments, 0)
        if segments is None:
            rollout.seal()
    shown = _run(rollout, "recompute", rollout.verdict.id).stdout
    assert shown.startswith("Same: every number, from ")
    rollout.close()


def test_a_copy_of_the_records_serves_as_well(rollout, tmp_path):
    rollout.seal()
    copy = tmp_path / "copy"
    shutil.copytree(rollout.records, copy)
    shutil.rmtree(rollout.records)
    result = CliRunner().invoke(app, ["recompute", rollout.verdict.id, "--data", str(rollout.data)])
    assert isinstance(result.exception, PilotageError)
    _run(rollout, "recompute", rollout.verdict.id, "--record", str(copy))


def test_a_number_that_was_changed_is_exit_code_1_with_both(rollout):
    path = rollout.data / "ledger.jsonl"
    path.write_text(path.read_text().replace('"candidate_count":', '"candidate_count":1'))
    result = _run(rollout, "recompute", rollout.verdict.entry.key, ok=1)
    assert result.stdout.startswith("Different: ")
    assert "candidate_count: 1" in result.stdout
    assert "The ledger is not as it was written" in result.stderr


def test_records_that_were_changed_are_exit_code_1(rollout):
    rollout.seal()
    (path, *_) = [each.path for each in segments_in(rollout.records)]
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        data[500] ^= 1
    told = json.loads(_run(rollout, "recompute", rollout.verdict.id, "--json", ok=1).stdout)
    assert told["result"] == "different"
    assert told["differences"][0]["what"] == f"SHA-256 of {path.name}"


def test_records_that_are_gone_are_exit_code_1_with_their_places(rollout):
    rollout.seal()
    for each in segments_in(rollout.records):
        each.path.unlink()
    result = _run(rollout, "recompute", rollout.verdict.id, ok=1)
    assert result.stdout.startswith("Missing: ")
    assert "is not there" in result.stdout
    assert "block 1: 2 frames, within ring " in result.stdout


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [
        ("show", '"fail_evidence":', '"fail_evidence":"x","old":'),
        ("show", '"low":', '"lower":'),
        ("recompute", '"spec":{', '"spec":{"stages":5},"old":{'),
        ("recompute", '"begin":{', '"begin":{"no hex":5,'),
        ("recompute", '"seconds":[', '"seconds":["a",'),
        ("recompute", '"confidence":0.95,"cuts"', '"confidence":"x","cuts"'),
    ],
)
def test_what_is_damaged_in_the_ledger_is_an_error_and_no_fault(rollout, command, old, new):
    path = rollout.data / "ledger.jsonl"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    words = [command, rollout.verdict.id, "--data", str(rollout.data)]
    assert isinstance(CliRunner().invoke(app, words).exception, PilotageError)


def test_a_verdict_whose_beginning_is_gone_says_so(rollout):
    path = rollout.data / "ledger.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    result = CliRunner().invoke(app, ["recompute", rollout.verdict.id, "--data", str(rollout.data)])
    assert "how this rollout began" in result.exception.what
