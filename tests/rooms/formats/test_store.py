"""Artifacts lie under their digest, whole, once."""

import hashlib

import pytest
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.formats import store


class Note(Struct):
    text: str


def test_one_file_lies_under_its_own_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"weights")
    digest, folder = store.add_files(tmp_path / "store", {"model.onnx": tmp_path / "a"})
    assert digest == hashlib.sha256(b"weights").hexdigest()
    assert folder == tmp_path / "store" / digest[:2] / digest
    assert (folder / "model.onnx").read_bytes() == b"weights"


def test_several_files_share_a_digest_that_each_of_them_and_its_name_changes(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"3")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (tmp_path / name for name in "abc")
    digests = [
        store.digest_of({"m": a, "w": b}),
        store.digest_of({"m": a, "w": c}),
        store.digest_of({"m": a, "v": b}),
        store.digest_of({"m": b, "w": a}),
    ]
    assert len(set(digests)) == 4


def test_the_same_artifact_is_stored_once_and_leaves_nothing_half_done(tmp_path):
    (tmp_path / "a").write_bytes(b"weights")
    first = store.add_files(tmp_path / "store", {"model.onnx": tmp_path / "a"})
    assert store.add_files(tmp_path / "store", {"model.onnx": tmp_path / "a"}) == first
    assert [path.name for path in (tmp_path / "store").iterdir()] == [first[0][:2]]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(PilotageError, match="cannot be stored: No such file"):
        store.add_files(tmp_path / "store", {"model.onnx": tmp_path / "absent"})


def test_a_stage_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), store.staging(tmp_path / "store"):
        raise RuntimeError
    assert list((tmp_path / "store").iterdir()) == []


def test_what_was_kept_is_read_back_and_what_is_damaged_is_as_if_it_were_not_there(tmp_path):
    store.keep(tmp_path, "note.json", Note("hello"))
    assert store.kept(tmp_path, "note.json", Note) == Note("hello")
    assert store.kept(tmp_path, "absent.json", Note) is None
    (tmp_path / "note.json").write_bytes(b'{"text": 3}')
    assert store.kept(tmp_path, "note.json", Note) is None
