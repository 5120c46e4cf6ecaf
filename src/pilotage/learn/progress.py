"""How far somebody is: one file in the home folder, replaced whole.

A damaged file is told and never overwritten unseen: it is put aside by its owner.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from pilotage.errors import PilotageError

FILE: Final = "learn.json"
FORMAT: Final = 1


class Begun(Struct, frozen=True):
    """A project that was started. Times are seconds since the epoch; `hints` counts, for each
    check, how many hints were asked."""

    folder: str
    started_at: float
    solved_at: float | None = None
    hints: dict[str, int] = field(default_factory=dict[str, int])


class Progress(Struct, frozen=True):
    format: int = FORMAT
    projects: dict[str, Begun] = field(default_factory=dict[str, Begun])

    @property
    def solved(self) -> frozenset[str]:
        """Names of the projects that were solved."""
        return frozenset(name for name, one in self.projects.items() if one.solved_at is not None)

    def having(self, name: str, begun: Begun) -> "Progress":
        """The same with one project as it is now."""
        return Progress(self.format, {**self.projects, name: begun})


def read_progress(home: Path) -> Progress:
    """What the home folder remembers; nothing where there is no file.

    Raises:
        PilotageError: the file cannot be read, is damaged, or is of a later release.
    """
    file = home / FILE
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        raise PilotageError(
            f"the progress cannot be read: {error.strerror}", where=str(file)
        ) from error
    try:
        progress = msgspec.json.decode(text, type=Progress)
    except msgspec.MsgspecError as error:
        raise PilotageError(
            "the file of your progress is damaged",
            where=str(file),
            expected="the JSON that `pilotage learn` writes",
            fix=f"Put it aside and begin a new one: mv {file} {file}.damaged "
            "(the folders of your projects stay as they are).",
        ) from error
    if progress.format > FORMAT:
        raise PilotageError(
            f"the progress is of format {progress.format}, of a later release",
            where=str(file),
            expected=f"format {FORMAT}",
            fix="Use the newer Pilotage.",
        )
    return progress


def write_progress(home: Path, progress: Progress) -> None:
    """Replaces the file as a whole: a crash leaves the old one or the new one.

    Raises:
        PilotageError: the folder cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(progress), indent=2) + b"\n"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=home)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, home / FILE)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PilotageError(
            f"the progress cannot be written: {error.strerror}",
            where=str(home / FILE),
            fix="Name a folder that you may write to: PILOTAGE_DATA=FOLDER.",
        ) from error
