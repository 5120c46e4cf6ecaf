"""Turns a model of another framework into a proven ONNX artifact, in a host, once.

What came of it is kept under the digests of the source and the sample and the versions of the
converters, so a second start needs no host. A conversion that is not proven is refused with the
numbers and leaves nothing behind.
"""

import hashlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.formats import store
from pilotage.isolation.conversion import Conversion, Converted, OutputProof, Proof
from pilotage.isolation.host import run_in_host
from pilotage.isolation.limits import HostLimits, Protection

FORMAT: Final = 1
"""Grows when an older conversion may no longer be used."""

ADAPTERS: Final = {
    "skops": "sklearn",
    "joblib": "sklearn",
    "xgboost-json": "xgboost",
    "xgboost-ubj": "xgboost",
    "lightgbm": "lightgbm",
}
PACKAGES: Final = {
    "sklearn": ("scikit-learn", "skl2onnx", "skops", "joblib"),
    "xgboost": ("xgboost-cpu", "xgboost", "onnxmltools", "skl2onnx"),
    "lightgbm": ("lightgbm", "onnxmltools", "skl2onnx"),
}
MODEL_FILE: Final = "model.onnx"
PROOF_FILE: Final = "proof.json"
KEPT_FOLDER: Final = "conversions"
MODEL_BYTES: Final = 2 * 1024**3
"""The longest ONNX file that is taken from a host."""


class Kept(Struct, frozen=True):
    """One conversion: what the host answered, and where its model went."""

    digest: str
    converted: Converted
    missing: tuple[Protection, ...]


def convert(
    path: Path,
    kind: str,
    artifacts: Path,
    *,
    trust: bool,
    sample: Path | None,
    progress: Callable[[str], None] | None,
    limits: HostLimits | None = None,
) -> Kept:
    """The conversion of the model at `path`: kept from an earlier time, or made now.

    Raises:
        PilotageError: it does not load or convert, or the proof refuses it.
    """
    key = _key(path, kind, trust=trust, sample=sample)
    kept_in = artifacts / KEPT_FOLDER
    known = store.kept(kept_in, f"{key}.json", Kept)
    if known is not None and (store.folder_of(artifacts, known.digest) / MODEL_FILE).is_file():
        return known
    with store.staging(artifacts) as stage:
        answered = run_in_host(
            ADAPTERS[kind],
            Conversion(str(path), kind, trust, str(sample) if sample else ""),
            Converted,
            folder=stage,
            readable=[path, *([sample] if sample else [])],
            limits=limits,
            progress=progress,
        )
        converted = answered.answer
        if converted.proof.verdict != "proven":
            raise not_proven(path, converted)
        digest, folder = store.add_files(artifacts, {MODEL_FILE: made_by_host(stage)})
    store.keep(folder, PROOF_FILE, converted.proof)
    kept = Kept(digest, converted, answered.missing)
    kept_in.mkdir(exist_ok=True)
    store.keep(kept_in, f"{key}.json", kept)
    return kept


def not_proven(path: Path, converted: Converted) -> PilotageError:
    """The refusal, with the numbers and the worst row."""
    proof = converted.proof
    said = "; ".join(
        _said(output, proof) for output in proof.outputs if output.outside_rows or _few(proof)
    )
    return PilotageError(
        f"the converted {converted.kind} does not answer as the original does: {said}",
        where=str(path),
        expected=f"|difference| <= {proof.absolute:g} + {proof.relative:g} * |original| on each of"
        f" {proof.rows} rows, and equal labels",
        fix="This kind of model cannot be served by conversion; train another kind, or export it"
        " to ONNX yourself.",
    )


def _said(output: OutputProof, proof: Proof) -> str:
    if _few(proof):
        return f"only {proof.rows} rows were compared"
    probes = proof.rows - proof.sample_rows
    if output.row < probes:
        row = f"on the row ({', '.join(proof.worst_row)})"
    else:
        row = f"on row {output.row - probes + 1} of the sample"
    share = f"{output.outside_rows} of {proof.rows} rows"
    return (
        f"{output.name} differs on {share}, by {output.largest_difference:.6g} at most; {row} it"
        f" is {output.converted} and should be {output.original}"
    )


def _few(proof: Proof) -> bool:
    return not any(output.outside_rows for output in proof.outputs)


def made_by_host(stage: Path) -> Path:
    """The file that the host wrote: a plain file, since a link could lead anywhere."""
    made = stage / MODEL_FILE
    if made.is_symlink() or not made.is_file() or made.stat().st_nlink != 1:
        raise PilotageError("the host of the model's code left no ONNX file")
    if made.stat().st_size > MODEL_BYTES:
        raise PilotageError(
            f"the converted model has {made.stat().st_size} bytes",
            expected=f"at most {MODEL_BYTES} bytes",
        )
    return made


def _key(path: Path, kind: str, *, trust: bool, sample: Path | None) -> str:
    """What a conversion depends on, as one digest."""
    parts = [f"format {FORMAT}", kind, f"trust {trust}", store.digest_of({"source": path})]
    parts.append(store.digest_of({"sample": sample}) if sample else "no sample")
    packages = (*PACKAGES[ADAPTERS[kind]], "onnx", "onnxruntime", "numpy")
    parts += [f"{package} {_version(package)}" for package in packages]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"
