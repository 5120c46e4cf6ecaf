import json

import pytest
from typer.testing import CliRunner

from pilotage.cli.learn import app, project_names, role_names
from pilotage.errors import PilotageError
from pilotage.learn.practice.shelf import PROJECTS
from pilotage.learn.progress import FILE, Begun, Progress, read_progress, write_progress
from pilotage.learn.roles import ROLES

NAME = "stop-the-unfair-model"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTAGE_DATA", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def run(*words: str, ok: int = 0):
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, PilotageError):
        raise result.exception
    assert result.exit_code == ok, result.output
    return result


def test_the_map_fits_eighty_columns_and_every_mark_is_a_word():
    lines = run().stdout.splitlines()
    assert max(map(len, lines)) <= 80
    marked = [line for line in lines if line[:2] in ("≡ ", "○ ", "· ", "– ", "▶ ", "✓ ")]
    words = {line[2:10].strip() for line in marked}
    assert {"read", "open", "next", "not yet"} <= words
    assert "\x1b" not in run().stdout


def test_the_map_says_what_to_type_next(home):
    assert f"pilotage learn start {NAME}" in run().stdout
    write_progress(home, Progress(projects={name: Begun("/f", 1.0, 2.0) for name in PROJECTS}))
    assert "Every project is solved." in run().stdout
    assert "✓ done" in run().stdout


@pytest.mark.parametrize("role", [role.key for role in ROLES])
def test_every_role_has_its_map(role):
    told = json.loads(run("--role", role, "--json").stdout)
    assert told["role"] == role
    assert told["skills"]
    assert all(role in skill["roles"] for skill in told["skills"])
    assert max(map(len, run("--role", role).stdout.splitlines())) <= 80


def test_a_role_that_there_is_not_is_told_with_the_nearest():
    with pytest.raises(PilotageError) as refused:
        run("--role", "mlops-enginer")
    assert refused.value.fix == "Did you mean mlops-engineer?"


def test_a_start_lays_down_the_files_and_says_what_to_type(home, tmp_path):
    said = run("start", NAME).stdout
    assert {file.name for file in (tmp_path / NAME).iterdir()} == set(PROJECTS[NAME].files)
    assert f"cd {NAME}" in said
    assert "pilotage evaluate unfair.onnx --gates gates.yaml" in said
    assert read_progress(home).projects[NAME].folder == str(tmp_path / NAME)
    with pytest.raises(PilotageError, match="something here already"):
        run("start", NAME)


def test_a_project_that_there_is_not_is_told_with_the_nearest():
    with pytest.raises(PilotageError) as refused:
        run("start", "stop-the-unfair-modl")
    assert refused.value.fix == f"Did you mean {NAME}?"


def test_a_check_of_what_was_never_started_says_how_to_start():
    for word in ("check", "reset"):
        with pytest.raises(PilotageError) as refused:
            run(word, NAME)
        assert f"pilotage learn start {NAME}" in refused.value.fix


def test_a_folder_that_moved_is_asked_for(tmp_path):
    run("start", NAME)
    (tmp_path / NAME).rename(tmp_path / "moved")
    with pytest.raises(PilotageError) as refused:
        run("check", NAME)
    assert "--folder FOLDER" in refused.value.fix


def test_a_missing_part_of_pilotage_is_told_kindly(monkeypatch):
    monkeypatch.setattr("pilotage.cli.learn.find_spec", lambda _: None)
    assert "pip install 'pilotage[evaluate]'" in run("start", NAME).stdout
    with pytest.raises(PilotageError) as refused:
        run("check", NAME)
    assert "pip install 'pilotage[evaluate]'" in refused.value.fix


def test_a_reset_keeps_what_was_changed_and_forgets_the_hints(home, tmp_path):
    run("start", NAME)
    gates = tmp_path / NAME / "gates.yaml"
    start = gates.read_text()
    gates.write_text("mine")
    progress = read_progress(home)
    begun = Begun(progress.projects[NAME].folder, 1.0, 2.0, {"fair-passes": 2})
    write_progress(home, progress.having(NAME, begun))
    assert "gates.yaml.old" in run("reset", NAME).stdout
    assert gates.read_text() == start
    assert gates.with_name("gates.yaml.old").read_text() == "mine"
    again = read_progress(home).projects[NAME]
    assert (again.solved_at, again.hints) == (None, {})


def test_a_damaged_progress_is_told_and_no_traceback(home):
    home.mkdir()
    (home / FILE).write_text("{")
    with pytest.raises(PilotageError, match="damaged"):
        run()


def test_names_are_completed():
    assert project_names("stop") == [NAME]
    assert role_names("ml-r") == ["ml-research-engineer"]
