"""What kind of model a file or folder holds, by content: the name is at most a hint.

Nothing here loads a model: first bytes, names inside archives and, for ONNX, its outermost fields.
"""

import mmap
import zipfile
from pathlib import Path
from typing import Final

from pilotage.errors import PilotageError
from pilotage.formats.onnx_file import looks_like_onnx
from pilotage.formats.pickles import first_bytes, starts_as_pickle

HEAD_BYTES: Final = 4096
"""Bytes at the start of a file by which a format is told."""

SERVED: Final = {
    "onnx": "ONNX",
    "skops": "scikit-learn saved by skops",
    "joblib": "scikit-learn saved by joblib or pickle",
    "xgboost-json": "XGBoost JSON",
    "xgboost-ubj": "XGBoost UBJ",
    "lightgbm": "LightGBM text",
}
"""Formats of this release, and what people call them."""

_ADVICE: Final = {
    "GGUF": "This release serves no LLM files.",
    "safetensors": "It holds weights without the model: export the model to ONNX.",
    "a PyTorch file (TorchScript or .pt2)": "Export it: torch.onnx.export(model, ..., dynamo=True)"
    " for modules and .pt2, dynamo=False for TorchScript.",
    "a PyTorch checkpoint": "Load it in PyTorch, then torch.onnx.export(model, ..., dynamo=True).",
    "TensorFlow Lite": "Export the original model to ONNX, for example with tf2onnx.",
    "a Keras model": 'With KERAS_BACKEND=torch: load it, then model.export("model.onnx", '
    'format="onnx").',
    "a TensorFlow SavedModel": "Convert it: python -m tf2onnx.convert --saved-model FOLDER"
    " --output model.onnx.",
    "an MLflow model": "Serve the model file inside the folder (see its MLmodel file).",
    "HDF5 (an older Keras model)": 'Load it in Keras, then model.export("model.onnx",'
    ' format="onnx").',
    "an ONNX Runtime (.ort) file": "Serve the ONNX file that it was made from.",
    "CatBoost": 'Export it: model.save_model("model.onnx", format="onnx").',
    "a LightGBM JSON dump": 'Save it as text: booster.save_model("model.txt").',
    "an older binary XGBoost model": "Load it in the XGBoost that wrote it, then"
    ' booster.save_model("model.ubj").',
}


_AT_START: Final = (
    (b"GGUF", "GGUF"),
    (b"\x89HDF", "HDF5 (an older Keras model)"),
    (b"CBM1", "CatBoost"),
    (b"binf", "an older binary XGBoost model"),
)
_AT_FOUR: Final = ((b"TFL3", "TensorFlow Lite"), (b"ORTM", "an ONNX Runtime (.ort) file"))


def detect(path: Path) -> str:
    """The format of the model at `path`: a key of `SERVED`.

    Raises:
        PilotageError: nothing is there, it is known but not served by this release, or unknown.
    """
    try:
        if path.is_dir():
            raise _not_served(path, _known_folder(path))
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise PilotageError(
            f"the model cannot be read: {error.strerror}",
            where=str(path),
            fix="Check the path and its permissions.",
        ) from error
    if not size:
        raise PilotageError("the file is empty", where=str(path), fix="Export the model again.")
    members = _members(path) if head.startswith(b"PK\x03\x04") else frozenset[str]()
    found = _served(path, head, members)
    if found is None:
        raise _not_served(path, _known(head, members))
    return found


def _served(path: Path, head: bytes, members: frozenset[str]) -> str | None:
    """The key of `SERVED`, from the surest sign to the least sure."""
    if "schema.json" in members:
        return "skops"
    if head.startswith(b"{L") and b"learner" in head[:64]:
        return "xgboost-ubj"
    if head.lstrip().startswith(b"{") and b'"learner"' in head:
        return "xgboost-json"
    if head.startswith(b"tree\n") and b"\nversion=" in head:
        return "lightgbm"
    if starts_as_pickle(first_bytes(path, HEAD_BYTES)):
        return "joblib"
    return "onnx" if _is_onnx(path) else None


def _is_onnx(path: Path) -> bool:
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        return looks_like_onnx(view)


def _members(path: Path) -> frozenset[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return frozenset()


def _known(head: bytes, members: frozenset[str]) -> str:
    """What else it is, as a key of `_ADVICE`; "" where it is not known."""
    if members:
        return _known_archive(members)
    for sign, kind in _AT_START:
        if head.startswith(sign):
            return kind
    for sign, kind in _AT_FOUR:
        if head[4:8] == sign:
            return kind
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**27:
        return "safetensors"
    if head.lstrip().startswith(b"{") and b'"tree_info"' in head:
        return "a LightGBM JSON dump"
    return ""


def _known_archive(members: frozenset[str]) -> str:
    names = {name.rsplit("/", 1)[-1] for name in members}
    if "model.weights.h5" in names:
        return "a Keras model"
    if "constants.pkl" in names or {"archive_format", "archive_version"} & names:
        return "a PyTorch file (TorchScript or .pt2)"
    if "serialized_exported_program.json" in names:
        return "a PyTorch file (TorchScript or .pt2)"
    return "a PyTorch checkpoint" if "data.pkl" in names else ""


def _known_folder(path: Path) -> str:
    if (path / "MLmodel").is_file():
        return "an MLflow model"
    return "a TensorFlow SavedModel" if (path / "saved_model.pb").is_file() else ""


def _not_served(path: Path, kind: str) -> PilotageError:
    if kind:
        return PilotageError(
            f"recognised as {kind}; not served by this release",
            where=str(path),
            fix=_ADVICE[kind],
        )
    what = "a folder without a known model" if path.is_dir() else "the format is not known"
    return PilotageError(
        what,
        where=str(path),
        expected="one of " + ", ".join(SERVED.values()),
        fix="Export the model to ONNX, or save it in one of these formats.",
    )
