"""Whether watched files changed, settled: a file that is still being written is not read yet."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from pilotage.errors import PilotageError
from pilotage.spec.settings import ServeSettings

Stamp = tuple[int, int, int]
"""Time of change in ns, size and inode: a file that is replaced gets another inode."""

GONE: Final[Stamp] = (0, 0, 0)


class Watch:
    """Says once for each change that what it watches changed.

    A change counts when two looks in a row see the same, so that a copy under way is waited for.

    Args:
        stamps: looks at the files.
    """

    def __init__(self, stamps: Callable[[], Mapping[str, Stamp]]) -> None:
        self._stamps = stamps
        self._told = self._last = stamps()

    def changed(self) -> bool:
        """True when the files differ from what was last told, and have settled."""
        now = self._stamps()
        settled = now == self._last
        self._last = now
        if now == self._told or not settled:
            return False
        self._told = now
        return True


def watch_settings(settings: ServeSettings, reread: Callable[[], ServeSettings]) -> Watch:
    """A watch on the models, the candidate, their samples and the configuration file.

    When the configuration file changed, the models that it names now are watched; while it is
    wrong, those it named before.
    """
    paths = _paths(settings)
    seen = _stamp(settings.config) if settings.config else GONE

    def stamps() -> Mapping[str, Stamp]:
        nonlocal paths, seen
        if settings.config and (now := _stamp(settings.config)) != seen:
            seen = now
            with suppress(PilotageError):  # the reload that follows tells it
                paths = _paths(reread())
        return {file: _stamp(file) for path in paths for file in _files(path)}

    return Watch(stamps)


def _paths(settings: ServeSettings) -> list[str]:
    models = [*settings.models, *([settings.candidate] if settings.candidate else [])]
    named = [settings.config, *(model.sample for model in models)]
    return [*(model.path for model in models), *(path for path in named if path)]


def _files(path: str) -> Iterable[str]:
    """The file itself, or the files in a folder."""
    try:
        with os.scandir(path) as entries:
            return [path, *sorted(entry.path for entry in entries)]
    except OSError:
        return [path]


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return GONE
    return found.st_mtime_ns, found.st_size, found.st_ino
