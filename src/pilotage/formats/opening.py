"""Opens a model file: recognised, checked, put into the artifact store, and ready to serve.

The steps, in order: its format by content (`detect`), for a pickle a scan and the user's word,
for everything but ONNX a conversion with its proof in a host (`converting`), then a copy under
its digest (`store`), an inspection in a throwaway process (`onnx_probe`), and the signature.
"""

import mmap
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pilotage.contracts.signature import Signature
from pilotage.errors import PilotageError
from pilotage.formats import detect, onnx_probe, pickles, store
from pilotage.formats.describing import described
from pilotage.formats.findings import Finding
from pilotage.formats.onnx_file import OnnxFile, read_onnx
from pilotage.isolation.conversion import Proof
from pilotage.isolation.forked import call_in_fork
from pilotage.isolation.limits import WITHOUT, Protection
from pilotage.isolation.runtime import onnxruntime as load_onnxruntime

if TYPE_CHECKING:
    from pilotage.formats.converting import Kept

INSPECT_S: Final = 120.0
"""Seconds that loading and trying a model may take."""

MODEL_FILE: Final = "model.onnx"
INSPECTION_FILE: Final = "inspection.json"
SHOWN_COLUMNS: Final = 20

Progress = Callable[[str], None]


class OpenedModel(Struct, frozen=True):
    """A model that can be served.

    Attributes:
        name: the given one, else made from the file's.
        format: a key of `detect.SERVED`.
        digest: SHA-256 of the artifact in hex; path: its main file in the store.
        source: the file that was opened.
        memory_bytes: private memory that loading took; 0 when unknown.
        findings: to be shown, the worst first.
        proof: of a converted model; None for one that was ONNX already.
        missing: protections that the kernel did not allow while the model was converted.
        settings: the engine's settings, part of the version's digest.
        columns: a converted model's columns, in the order of its values; () when unknown.
        classes: a converted classifier's labels, in the order of its probabilities.
    """

    name: str
    format: str
    digest: str
    path: Path
    source: Path
    signature: Signature
    memory_bytes: int
    findings: tuple[Finding, ...] = ()
    proof: Proof | None = None
    missing: tuple[Protection, ...] = ()
    settings: dict[str, str | int | float | bool] = {}
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def open_model(
    path: Path,
    *,
    artifacts: Path,
    name: str | None = None,
    trust: bool = False,
    sample: Path | None = None,
    progress: Progress | None = None,
) -> OpenedModel:
    """The model at `path`, ready to serve.

    Args:
        artifacts: the root of the artifact store; made when it is not there.
        name: the name it is served under; made from the file's name when None.
        trust: the user's word that a pickle may be opened.
        sample: rows (CSV, JSON lines or Parquet) on which a conversion is proven as well.
        progress: told in a sentence what takes long.

    Raises:
        PilotageError: it cannot be read, is not served, not trusted, or not proven.
    """
    path = path.expanduser().absolute()
    kind = detect.detect(path)
    served_as = name if name is not None else name_from(path)
    if kind == "onnx":
        return _open_onnx(path, served_as, artifacts, sample=sample)
    if sample is not None and not sample.is_file():
        raise PilotageError("the sample cannot be read: no such file", where=str(sample))
    from pilotage.formats import converting  # 35 ms that an ONNX file need not wait for

    scanned = pickles.scan(path) if kind == "joblib" else ()
    if kind == "joblib" and not trust:
        raise _not_trusted(path, scanned)
    try:
        kept = converting.convert(
            path,
            kind,
            artifacts,
            trust=trust,
            sample=sample.absolute() if sample else None,
            progress=progress,
        )
    except PilotageError as error:
        raise _at(path, error) from error
    return _converted(path, served_as, kind, artifacts, kept, scanned)


def _not_trusted(path: Path, scanned: tuple[Finding, ...]) -> PilotageError:
    """The refusal of a pickle, with what the scan found."""
    found = "; ".join(f"{finding.severity}: {finding.what}" for finding in scanned)
    return PilotageError(
        f"a pickle runs code when it is opened; the scan found {found or 'nothing'}",
        where=str(path),
        expected="a format that carries no code: skops, ONNX",
        fix="Save the model with skops, or say --trust if you trust whoever made the file; it is"
        " then opened in a host without network, secrets or write access.",
    )


def _at(path: Path, error: PilotageError) -> PilotageError:
    where = error.where or str(path)
    return PilotageError(error.what, where=where, expected=error.expected, fix=error.fix)


def _converted(
    path: Path,
    name: str,
    kind: str,
    artifacts: Path,
    kept: "Kept",
    scanned: tuple[Finding, ...],
) -> OpenedModel:
    """A converted model, with what its framework knew of its columns and classes."""
    folder = store.folder_of(artifacts, kept.digest)
    head = _head_of(folder / MODEL_FILE)
    if head.external:
        raise PilotageError("the converted model refers to other files", where=str(path))
    inspection = inspected(folder, head)
    found = kept.converted
    columns = ", ".join(column.name for column in found.columns[:SHOWN_COLUMNS])
    rest = len(found.columns) - SHOWN_COLUMNS
    notes = [Finding("note", note) for note in found.notes]
    notes.append(Finding("note", f"{found.kind}, converted to ONNX and proven"))
    notes.append(Finding("note", f"columns: {columns}{f' and {rest} more' if rest > 0 else ''}"))
    notes += [
        Finding("warning", f"a protection is missing here: {WITHOUT[word]}")
        for word in kept.missing
    ]
    return OpenedModel(
        name=name,
        format=kind,
        digest=kept.digest,
        path=folder / MODEL_FILE,
        source=path,
        signature=described(inspection.signature, found),
        memory_bytes=inspection.memory_bytes,
        findings=_worst_first([*inspection.findings, *scanned, *notes]),
        proof=found.proof,
        missing=kept.missing,
        columns=tuple(column.name for column in found.columns),
        classes=found.classes,
    )


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    order = ("danger", "warning", "note")
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def name_from(path: Path) -> str:
    """A model name from a file's name: letters, digits, dot, dash and underscore."""
    stem = path.stem if path.suffix else path.name
    if stem.lower() in ("model", "pipeline", "estimator") and path.parent.name:
        stem = path.parent.name
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    return cleaned or "model"


def _open_onnx(
    path: Path, name: str, artifacts: Path, *, sample: Path | None = None
) -> OpenedModel:
    head = _head_of(path)
    digest, folder = store.add_files(artifacts, _files(path, head))
    try:
        inspection = inspected(folder, head)
    except PilotageError as error:
        raise _of_source(error, folder / MODEL_FILE, path) from error
    exporter = head.producer or "an exporter that gives no name"
    opset = head.opsets.get("", head.opsets.get("ai.onnx", 0))
    findings = [Finding("note", f"exported by {exporter}, opset {opset}")]
    if sample is not None:
        findings.append(Finding("note", "the sample is not used: ONNX is served as it is"))
    return OpenedModel(
        name=name,
        format="onnx",
        digest=digest,
        path=folder / MODEL_FILE,
        source=path,
        signature=inspection.signature,
        memory_bytes=inspection.memory_bytes,
        findings=_worst_first([*inspection.findings, *findings]),
    )


def inspected(folder: Path, head: OnnxFile) -> onnx_probe.Inspection:
    """The inspection of the artifact in `folder`: kept from last time, or made now."""
    onnxruntime = load_onnxruntime()
    known = store.kept(folder, INSPECTION_FILE, onnx_probe.Inspection)
    now = (onnx_probe.FORMAT, str(onnxruntime.__version__))
    if known is not None and (known.format, known.runtime) == now:
        return known
    made = call_in_fork(
        lambda: onnx_probe.inspect(folder / MODEL_FILE, head.unranked),
        onnx_probe.Inspection,
        what="reading the model",
        timeout_s=INSPECT_S,
    )
    store.keep(folder, INSPECTION_FILE, made)
    return made


def _of_source(error: PilotageError, stored: Path, source: Path) -> PilotageError:
    """The error as one of the file that its user knows, not of the copy that was read."""
    what, where = (text.replace(str(stored), str(source)) for text in (error.what, error.where))
    return PilotageError(what, where=where, expected=error.expected, fix=error.fix)


def _head_of(path: Path) -> OnnxFile:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        mentions = data.find(b"location") >= 0
        with memoryview(data) as view:
            return read_onnx(view, mentions_external=mentions)


def _files(path: Path, head: OnnxFile) -> dict[str, Path]:
    """Names inside the artifact and the files they come from, all inside the model's folder."""
    files = {MODEL_FILE: path}
    home = path.parent.resolve()
    for location in head.external:
        target = (home / location).resolve()
        if not location or Path(location).is_absolute() or not target.is_relative_to(home):
            raise PilotageError(
                "the model refers to weights outside its own folder",
                where=str(path),
                expected="weights beside the model file",
                fix="Export the model again with its weights beside it, or inside one file.",
            )
        if not target.is_file():
            raise PilotageError(
                "a file with weights of the model is missing",
                where=str(home / location),
                fix="Copy it beside the model file.",
            )
        files[str(Path(location))] = target
    return files
