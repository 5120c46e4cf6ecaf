import json

import pytest
from typer.testing import CliRunner

from pilotage.cli.ledger import app, ledger_of
from pilotage.control.ledger.lines import Entry
from pilotage.errors import PilotageError
from simulators.decided_rollout import DecidedRollout


@pytest.fixture
def rollout(tmp_path):
    rollout = DecidedRollout(tmp_path / "data")
    yield rollout
    rollout.close()


def _run(rollout, *words: str, ok: int = 0):
    result = CliRunner().invoke(app, [*words, "--data", str(rollout.data)])
    assert result.exit_code == ok, result.output
    return result


def test_what_happened_is_listed_in_words(rollout):
    rollout.seal()
    lines = _run(rollout, "show").stdout.splitlines()[1:]
    assert len(lines) == 4
    for line, words in zip(
        lines,
        (
            "v2.onnx against v1.onnx",
            "rollout: failed: ",
            "rolled back: ",
            "1 segment under verdict ",
        ),
        strict=True,
    ):
        assert words in line
    assert "2026-09-21 14:13:20" in lines[0]
    assert rollout.verdict.id in lines[1]


def test_the_last_lines_are_shown_and_as_json_they_are_those_of_the_file(rollout):
    whole = (rollout.data / "ledger.jsonl").read_text().splitlines()
    assert _run(rollout, "show", "--json").stdout.splitlines() == whole
    assert _run(rollout, "show", "--json", "--last", "1").stdout.splitlines() == whole[-1:]
    assert len(_run(rollout, "show", "--last", "2").stdout.splitlines()) == 3


def test_a_line_of_a_later_release_is_shown_as_such(rollout):
    rollout.ledger.append([Entry("k", "approved", 1.0, "iris", "r", {"by": "ada"})])
    rollout.ledger.append([Entry("l", "ended", 1.0, "iris", "r", {"by": "ada"})])
    *_, first, second = _run(rollout, "show").stdout.splitlines()
    assert "of a later release" in first
    assert "written by another release" in second


def test_text_in_the_ledger_does_not_steer_the_terminal(rollout):
    what = {"verb": "pause", "by": "ada\x1b[31m[bold]"}
    rollout.ledger.append([Entry("k", "steered", 1.0, "iris", "r", what)])
    last = _run(rollout, "show").stdout.splitlines()[-1]
    assert "\x1b" not in last
    assert "[bold]" in last


def test_lines_that_cannot_be_read_are_counted(rollout):
    with (rollout.data / "ledger.jsonl").open("ab") as file:
        file.write(b"no line\n{")
    result = _run(rollout, "show")
    assert "2 lines cannot be read" in result.stderr
    assert len(result.stdout.splitlines()) == 4


def test_an_empty_ledger_says_so(tmp_path):
    result = CliRunner().invoke(app, ["show", "--data", str(tmp_path)])
    assert result.exit_code == 0
    assert "nothing" in result.stderr


def test_a_whole_ledger_is_verified_with_its_last_digest(rollout):
    shown = _run(rollout, "verify").stdout
    digest = shown.split()[-1]
    assert shown.startswith("3 lines, each as it was written\n")
    told = json.loads(_run(rollout, "verify", "--json", "--expect", digest).stdout)
    assert told == {"whole": True, "lines": 3, "last": digest, "faults": []}


def test_a_line_that_was_changed_is_exit_code_1_and_named(rollout):
    path = rollout.data / "ledger.jsonl"
    path.write_text(path.read_text().replace('"word":"failed"', '"word":"passed"'))
    result = _run(rollout, "verify", ok=1)
    assert result.stdout.startswith("line 2: it was changed")
    assert "not as it was written" in result.stderr
    told = json.loads(_run(rollout, "verify", "--json", ok=1).stdout)
    assert (told["whole"], told["faults"][0]["line"]) == (False, 2)


def test_an_end_that_was_cut_off_is_told_by_the_digest_that_is_expected(rollout):
    digest = _run(rollout, "verify").stdout.split()[-1]
    path = rollout.data / "ledger.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    assert _run(rollout, "verify").exit_code == 0
    assert "the end was cut off" in _run(rollout, "verify", "--expect", digest, ok=1).stdout


@pytest.mark.parametrize("words", [["verify", "--expect", "abc"], ["verify"]])
def test_what_cannot_be_verified_is_an_error_of_the_caller(tmp_path, words):
    if "--expect" in words:
        (tmp_path / "ledger.jsonl").touch()
    result = CliRunner().invoke(app, [*words, "--data", str(tmp_path)])
    assert isinstance(result.exception, PilotageError)


def test_the_ledger_is_that_of_serve_in_the_same_environment(tmp_path, monkeypatch):
    assert ledger_of(tmp_path) == tmp_path / "ledger.jsonl"
    monkeypatch.setenv("PILOTAGE_DATA", "/somewhere")
    assert str(ledger_of(None)) == "/somewhere/ledger.jsonl"
    monkeypatch.delenv("PILOTAGE_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    assert str(ledger_of(None)) == "/xdg/pilotage/ledger.jsonl"
