import pytest

from pilotage.errors import PilotageError
from pilotage.learn.progress import FILE, Begun, Progress, read_progress, write_progress


def test_what_was_written_is_read_again(tmp_path):
    home = tmp_path / "not" / "there"
    progress = Progress().having("one", Begun("/f", 1.0, 2.0)).having("two", Begun("/g", 3.0))
    write_progress(home, progress)
    assert read_progress(home) == progress
    assert read_progress(home).solved == {"one"}
    assert [file.name for file in home.iterdir()] == [FILE]


def test_nothing_is_known_where_there_is_no_file(tmp_path):
    assert read_progress(tmp_path) == Progress()


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\x00", b'{"projects": 3}', b"[]"])
def test_a_damaged_file_is_told_with_what_to_do_and_left_alone(tmp_path, text):
    (tmp_path / FILE).write_bytes(text)
    with pytest.raises(PilotageError, match="damaged") as refused:
        read_progress(tmp_path)
    assert f"mv {tmp_path / FILE}" in refused.value.fix
    assert (tmp_path / FILE).read_bytes() == text


def test_a_file_of_a_later_release_is_refused_and_fields_of_one_are_not(tmp_path):
    (tmp_path / FILE).write_text('{"format": 1, "projects": {}, "medals": 3}')
    assert read_progress(tmp_path) == Progress()
    (tmp_path / FILE).write_text('{"format": 2, "projects": {}}')
    with pytest.raises(PilotageError, match="later release"):
        read_progress(tmp_path)


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "home").write_text("a file, and no folder")
    with pytest.raises(PilotageError, match="cannot be written"):
        write_progress(tmp_path / "home", Progress())
