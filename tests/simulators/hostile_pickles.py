"""Pickles that run code when they are opened, for tests of what holds them."""

import builtins
import pickle
from pathlib import Path


class Runs:
    """Pickles into a call of `exec` with the given code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return builtins.exec, (self.code, {})


def pickle_that_runs(path: Path, code: str) -> Path:
    """A pickle at `path` that runs `code`."""
    path.write_bytes(pickle.dumps(Runs(code)))
    return path
