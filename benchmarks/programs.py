"""Compiles the two C programs of a run: the floor and the open-loop load."""

import subprocess
from pathlib import Path

from benchmarks.load import tool
from benchmarks.places import BUILD, HERE
from pilotage.errors import PilotageError


def compile_program(name: str) -> Path:
    """The program made from `NAME.c`, compiled anew when its source is newer."""
    source, program = HERE / f"{name}.c", BUILD / "programs" / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        command = [tool("gcc", "gcc libc6-dev"), "-O2", "-Wall", "-Wextra"]
        command += ["-o", str(program), str(source), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PilotageError(f"{name}.c does not compile", where=done.stderr[-500:])
    return program
