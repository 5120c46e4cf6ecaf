"""Makes each peer's own environment, since their pins clash."""

import subprocess
import sys
from pathlib import Path

from benchmarks.contenders import Contender
from benchmarks.places import ENVIRONMENTS
from pilotage.errors import PilotageError

_DONE = "packages.txt"


def prepare(contender: Contender) -> None:
    """Creates the environment unless it is there with these packages; uv makes it in seconds."""
    if not contender.packages:
        return
    folder = ENVIRONMENTS / contender.name
    wanted = "\n".join(contender.packages)
    mark = folder / _DONE
    if mark.exists() and mark.read_text() == wanted:
        return
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise PilotageError("uv is missing", where=str(uv), fix="Run: make setup")
    _run([str(uv), "venv", "-q", "--clear", "-p", sys.executable, str(folder)], contender)
    install = [str(uv), "pip", "install", "-q", "-p", str(contender.python)]
    _run([*install, *contender.packages], contender)
    mark.write_text(wanted)


def _run(command: list[str], contender: Contender) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise PilotageError(f"{contender.name} does not install", where=done.stderr.strip()[-500:])
