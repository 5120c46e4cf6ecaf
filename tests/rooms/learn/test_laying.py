import pytest

from pilotage.errors import PilotageError
from pilotage.learn.laying import lay_down, lay_down_again
from pilotage.learn.projects import Project

PROJECT = Project("p", "P", 1, "", (), {"TASK.md": lambda: b"task", "a.txt": lambda: b"a"}, ())


def files_in(folder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_files_are_laid_down_in_a_new_or_an_empty_folder(tmp_path):
    for folder in (tmp_path / "new" / "er", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        lay_down(PROJECT, folder)
        assert files_in(folder) == {"TASK.md": b"task", "a.txt": b"a"}


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(PilotageError, match="something here already"):
        lay_down(PROJECT, tmp_path)
    with pytest.raises(PilotageError, match="something here already"):
        lay_down(PROJECT, tmp_path / "mine")
    assert files_in(tmp_path) == {"mine": b"mine"}


def test_a_reset_keeps_every_change(tmp_path):
    lay_down(PROJECT, tmp_path)
    kept = []
    for text in (b"first", b"second", b"a"):
        (tmp_path / "a.txt").write_bytes(text)
        kept += lay_down_again(PROJECT, tmp_path)
    assert kept == ["a.txt.old", "a.txt.old2"]
    assert files_in(tmp_path) == {
        "TASK.md": b"task",
        "a.txt": b"a",
        "a.txt.old": b"first",
        "a.txt.old2": b"second",
    }
