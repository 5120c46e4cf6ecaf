"""Artifacts: the files we run, kept under their own digest and never changed.

A folder `<root>/<first two hex digits>/<digest>/` holds one artifact; what was learned about it
(`inspection.json`, `proof.json`) lies beside its files. Folders appear whole, by one rename, so
that a reader never sees half an artifact and two writers of the same one do no harm.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError

Kept = TypeVar("Kept", bound=Struct)


def digest_of(files: Mapping[str, Path]) -> str:
    """SHA-256 in hex: of the file itself where there is one, else over all names and digests.

    Args:
        files: name inside the artifact to where the file is now.
    """
    digests = {name: _digest_file(path) for name, path in files.items()}
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def folder_of(root: Path, digest: str) -> Path:
    """Where the artifact with this digest lies, or would."""
    return root / digest[:2] / digest


def add_files(root: Path, files: Mapping[str, Path]) -> tuple[str, Path]:
    """Copies files into the store, unless they are there; returns their digest and folder.

    Raises:
        PilotageError: a file cannot be read, changed while it was read, or there is no space.
    """
    with _readable_errors(root):
        digest = digest_of(files)
        target = folder_of(root, digest)
        if target.is_dir():
            return digest, target
        with staging(root) as stage:
            for name, path in files.items():
                copy = stage / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            if digest_of({name: stage / name for name in files}) != digest:
                raise PilotageError(
                    "the model changed while it was read",
                    where=str(next(iter(files.values()))),
                    fix="Try again when it is written whole.",
                )
            publish(stage, target)
        return digest, target


@contextmanager
def staging(root: Path) -> Generator[Path]:
    """An empty folder inside the store, gone afterwards unless it was published."""
    root.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".staging-", dir=root))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def publish(stage: Path, target: Path) -> None:
    """Moves a staged folder to its place; when the place is taken, what is there stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    stage.chmod(0o755)
    try:
        stage.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def keep(folder: Path, name: str, value: Struct) -> None:
    """Writes what was learned about an artifact beside it, whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2))
    os.replace(temporary, folder / name)


def kept(folder: Path, name: str, kind: type[Kept]) -> Kept | None:
    """What `keep` wrote; None where there is nothing, or nothing that this release can read."""
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _readable_errors(root: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise PilotageError(
            f"the model cannot be stored: {error.strerror or error}",
            where=str(error.filename or root),
            fix="Check that the file can be read and that the data folder has space.",
        ) from error
