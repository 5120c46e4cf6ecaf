import json
import re
import stat
from pathlib import Path

import pytest

from pilotage.cli.failures import EXIT_FAULT, EXIT_INTERRUPTED, EXIT_WRONG, guarded
from pilotage.errors import PilotageError, PilotageErrors

BOTH = PilotageErrors(
    [PilotageError("no x", where="--x", expected="an x", fix="Give one."), PilotageError("no y")]
)


def raising(error):
    def command() -> int:
        raise error

    return command


def test_several_errors_are_blocks_with_a_count(capsys):
    assert guarded(raising(BOTH)) == EXIT_WRONG
    assert capsys.readouterr().err == (
        "error: no x\n  at        --x\n  expected  an x\n  fix       Give one.\n\n"
        "error: no y\n\n2 errors.\n"
    )


def test_as_json_they_are_one_object(capsys):
    assert guarded(raising(BOTH), as_json=True) == EXIT_WRONG
    told = json.loads(capsys.readouterr().err)["errors"]
    assert told[0] == {"what": "no x", "where": "--x", "expected": "an x", "fix": "Give one."}
    assert len(told) == 2


def test_what_steers_a_terminal_is_escaped(capsys):
    guarded(raising(PilotageError("a\x1b[31mb", where="c\nd")))
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert told.count("\n") == 2


def test_a_fault_is_one_line_and_its_details_are_in_a_private_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("PILOTAGE_DEBUG", raising=False)
    assert guarded(raising(RuntimeError("odd"))) == EXIT_FAULT
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    kept = Path(re.search(r"are in (\S+)\. ", told)[1])
    assert "RuntimeError: odd" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("PILOTAGE_DEBUG", "1")
    assert guarded(raising(RuntimeError("odd"))) == EXIT_FAULT
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("outcome", "code"), [(KeyboardInterrupt(), EXIT_INTERRUPTED)])
def test_an_interruption_has_its_own_code(outcome, code):
    assert guarded(raising(outcome)) == code


def test_a_command_that_works_keeps_its_code():
    assert guarded(lambda: 1) == 1
