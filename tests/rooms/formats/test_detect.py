"""Formats are told by content, whatever the file is called."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
import zlib

import pytest

from pilotage.errors import PilotageError
from pilotage.formats.detect import SERVED, detect

# The smallest ONNX file that has what detection looks for: ir_version 8 and an empty graph.
ONNX = b"\x08\x08\x3a\x00"
PICKLE = pickle.dumps({"weights": [1, 2, 3]}, protocol=4)


def archive(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "{}")
    return buffer.getvalue()


SERVED_SAMPLES = {
    "onnx": [ONNX, b"\x08\x0a\x12\x02me\x3a\x02\x12\x00\x42\x02\x10\x12"],
    "skops": [archive("schema.json", "1.npy")],
    "joblib": [
        PICKLE,
        pickle.dumps({"weights": [1]}, protocol=2),
        pickle.dumps({"weights": [1]}, protocol=0),
        gzip.compress(PICKLE),
        bz2.compress(PICKLE),
        lzma.compress(PICKLE),
        lzma.compress(PICKLE, format=lzma.FORMAT_ALONE),
        zlib.compress(PICKLE),
        zlib.compress(PICKLE, 9),
        b"\x04\x22\x4d\x18" + bytes(20),
    ],
    "xgboost-json": [b'{"learner":{}}', b' {\n "learner": {}}'],
    "xgboost-ubj": [b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{"],
    "lightgbm": [b"tree\nversion=v4\nnum_class=1\n"],
}
KNOWN_SAMPLES = {
    "GGUF": b"GGUF\x03\x00\x00\x00",
    "safetensors": (30).to_bytes(8, "little") + b'{"weight": {"dtype": "F32"}}    ',
    "TorchScript": archive("model/data.pkl", "model/constants.pkl", "model/code/a.py"),
    ".pt2": archive("model/archive_format", "model/models/model.json"),
    "PyTorch checkpoint": archive("archive/data.pkl", "archive/data/0"),
    "Keras model": archive("metadata.json", "config.json", "model.weights.h5"),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "TensorFlow Lite": b"\x1c\x00\x00\x00TFL3" + bytes(20),
    r"\.ort": b"\x1c\x00\x00\x00ORTM" + bytes(20),
    "CatBoost": b"CBM1" + bytes(20),
    "older binary XGBoost": b"binf" + bytes(20),
    "LightGBM JSON": b'{"name": "tree", "tree_info": []}',
}


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, number) for kind, samples in SERVED_SAMPLES.items() for number in range(len(samples))],
)
def test_a_served_format_is_told_by_its_content(tmp_path, kind, number):
    path = tmp_path / "model.txt"
    path.write_bytes(SERVED_SAMPLES[kind][number])
    assert detect(path) == kind


def test_every_served_format_has_a_sample():
    assert set(SERVED_SAMPLES) == set(SERVED)


@pytest.mark.parametrize("kind", KNOWN_SAMPLES)
def test_a_known_format_is_named_with_what_to_do(tmp_path, kind):
    path = tmp_path / "model.onnx"
    path.write_bytes(KNOWN_SAMPLES[kind])
    with pytest.raises(PilotageError, match=f"recognised as .*{kind}") as caught:
        detect(path)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "kind"), [("MLmodel", "MLflow"), ("saved_model.pb", "TensorFlow SavedModel")]
)
def test_a_known_folder_is_named(tmp_path, name, kind):
    (tmp_path / name).write_text("x")
    with pytest.raises(PilotageError, match=kind):
        detect(tmp_path)


UNKNOWN_SAMPLES = [
    b"hello world, this is text",
    b"\x00" * 64,
    b"\x89PNG\r\n\x1a\n",
    json.dumps([1, 2]).encode(),
    gzip.compress(b"not a pickle at all"),
    b"(an ordinary remark)",
    b"case closed\n",
    archive("word/document.xml"),
    ONNX + b"\xff",
    b"\x3a\x00",
]


@pytest.mark.parametrize("number", range(len(UNKNOWN_SAMPLES)))
def test_anything_else_is_refused_with_what_is_served(tmp_path, number):
    path = tmp_path / "model.onnx"
    path.write_bytes(UNKNOWN_SAMPLES[number])
    with pytest.raises(PilotageError, match="format is not known") as caught:
        detect(path)
    assert all(name in caught.value.expected for name in SERVED.values())


def test_an_empty_file_an_absent_one_and_an_empty_folder_are_told_apart(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PilotageError, match="is empty"):
        detect(tmp_path / "empty")
    with pytest.raises(PilotageError, match="cannot be read"):
        detect(tmp_path / "absent")
    with pytest.raises(PilotageError, match="without a known model"):
        detect(tmp_path / "folder")
