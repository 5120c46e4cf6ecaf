import json

import pytest
from typer.testing import CliRunner

from pilotage.cli.record import app, folder_of
from pilotage.errors import PilotageError
from simulators.record_folders import RecordFolder


@pytest.fixture
def server(tmp_path):
    server = RecordFolder(tmp_path / "records")
    yield server
    server.close()


def _run(server, *words: str, ok: int = 0):
    result = CliRunner().invoke(app, [*words, "--record", str(server.folder)])
    assert result.exit_code == ok, result.output
    return result


def test_a_prediction_is_found_by_its_id_and_shown(server):
    (prediction,) = server.answer()
    shown = _run(server, "find", prediction.hex()).stdout
    assert prediction.hex() in shown
    assert "iris" in shown
    assert "FP32 1×2  [0, 1]" in shown
    assert "['row 0']" in shown


def test_a_prediction_is_given_as_json(server):
    (prediction,) = server.answer()
    told = json.loads(_run(server, "find", prediction.hex(), "--json").stdout)
    assert told["id"] == prediction.hex()
    assert told["inputs"][0]["data"] == [0, 1]


def test_an_id_without_a_record_is_exit_code_1(server):
    result = _run(server, "find", "0" * 32, ok=1)
    assert not result.stdout
    assert "no record" in result.stderr


def test_what_is_no_id_is_an_error_of_the_caller(server):
    result = CliRunner().invoke(app, ["find", "xyz", "--record", str(server.folder)])
    assert isinstance(result.exception, PilotageError)


def test_the_last_predictions_are_listed(server):
    given = [each.hex() for _ in range(5) for each in server.answer()]
    shown = _run(server, "tail", "-n", "3").stdout
    assert [each in shown for each in given] == [False, False, True, True, True]
    lines = _run(server, "tail", "-n", "2", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == given[-2:]


def test_an_empty_folder_says_so(server):
    assert "no records" in _run(server, "tail").stderr


def test_predictions_are_exported(server, tmp_path):
    for endpoint in ("iris", "iris", "other"):
        server.answer((1, 2), endpoint=endpoint)
    out = tmp_path / "out.jsonl"
    result = _run(server, "export", "--out", str(out), "--endpoint", "iris", "--json")
    assert json.loads(result.stdout) == {"records": 4, "file": str(out), "damaged_bytes": 0}
    assert len(out.read_text().splitlines()) == 4


def test_a_span_of_time_is_exported(server, tmp_path):
    server.answer()
    out = tmp_path / "out.jsonl"
    for words, count in (
        (["--since", "2026-09-21"], 1),
        (["--since", "2027-09-21T12:00+02:00"], 0),
        (["--until", "2026-09-21"], 0),
        (["--since", "99999d"], 1),
    ):
        _run(server, "export", "--out", str(out), *words)
        assert len(out.read_text().splitlines()) == count


@pytest.mark.parametrize("text", ["yesterday", "5", "12w", "2026-13-01"])
def test_what_is_no_moment_is_an_error_of_the_caller(server, tmp_path, text):
    words = ["export", "--out", str(tmp_path / "a.jsonl"), "--since", text]
    result = CliRunner().invoke(app, [*words, "--record", str(server.folder)])
    assert isinstance(result.exception, PilotageError)
    assert result.exception.where == "--since"


def test_content_cannot_steer_the_terminal(server):
    server.answer(endpoint="\x1b[31mred[/]")
    shown = _run(server, "tail").stdout
    assert "\x1b" not in shown
    assert "\\x1b[31mred[/]" in shown


def test_the_folder_is_that_of_serve(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTAGE_DATA", str(tmp_path))
    monkeypatch.delenv("PILOTAGE_RECORD", raising=False)
    assert folder_of(None) == tmp_path / "records"
    monkeypatch.setenv("PILOTAGE_RECORD", str(tmp_path / "elsewhere"))
    assert folder_of(None) == tmp_path / "elsewhere"
    assert folder_of(tmp_path / "named") == tmp_path / "named"


def test_the_help_shows_examples():
    for command in ("find", "tail", "export"):
        shown = CliRunner().invoke(app, [command, "--help"]).stdout
        assert shown.count(f"pilotage record {command}") >= 2
