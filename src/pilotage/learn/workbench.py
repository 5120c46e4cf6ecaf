"""A learner's folder, and the public commands that are run in it to see what they say."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilotage.errors import PilotageError
from pilotage.learn.projects import Ran

PATIENCE_S: Final = 120.0
"""How long one command may take."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """The real `projects.Bench`."""

    folder: Path
    scratch: Path

    def run(self, *words: str) -> Ran:
        """The command in a process of its own, as the learner would run it.

        Its home folder is in `scratch`, so that looking leaves no trace in the learner's.

        Raises:
            PilotageError: it took longer than `PATIENCE_S`.
        """
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pilotage", *words],
                cwd=self.folder,
                env={**os.environ, "PILOTAGE_DATA": str(self.scratch / "home")},
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PilotageError(
                f"a command did not end within {PATIENCE_S:.0f} s",
                where=f"pilotage {' '.join(words)}",
            ) from error
        return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def workbench(folder: Path) -> Generator[Workbench]:
    """A bench for one look; its scratch folder is removed afterwards.

    Raises:
        PilotageError: the learner's folder is not there.
    """
    if not folder.is_dir():
        raise PilotageError(
            "the folder of this project is not there",
            where=str(folder),
            fix="Say where it is now: add --folder FOLDER.",
        )
    with tempfile.TemporaryDirectory(prefix="pilotage-learn-") as scratch:
        yield Workbench(folder, Path(scratch))
