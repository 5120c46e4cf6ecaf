"""Somebody who learns: a home, an empty folder, and the public commands alone."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0


@dataclass
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        """What `--json` printed."""
        return json.loads(self.out)

    @property
    def flat(self) -> str:
        """What people read, without the breaks of lines."""
        return " ".join(self.out.split())


@dataclass
class Learner:
    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def type(self, *words: str, within: str = "", **environment: str) -> Said:
        """`pilotage WORDS`, in a folder below."""
        ran = subprocess.run(
            [sys.executable, "-m", "pilotage", *words],
            cwd=self.folder / within,
            env={**os.environ, "PILOTAGE_DATA": str(self.home), **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Said(ran.returncode, ran.stdout, ran.stderr)

    def start(self, project: str) -> Path:
        """The folder of a project that was just begun."""
        said = self.type("learn", "start", project)
        assert said.code == 0, said.err
        return self.folder / project

    def answers(self, project: str) -> dict[str, dict[str, Any]]:
        """Each check of `learn check --json`, by its name."""
        said = self.type("learn", "check", project, "--json")
        assert said.code in (0, 1), said.err
        return {each["name"]: each for each in said.told["checks"]}
