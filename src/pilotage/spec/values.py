"""The texts of all sources, given their meaning; the strongest source of each setting wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Protocol, TypeVar

from pilotage.errors import PilotageError
from pilotage.spec.kinds import Kind, Wrong
from pilotage.spec.setting import Setting
from pilotage.spec.sources import SOURCES, Given, Reading, Source
from pilotage.spec.table import BY_NAME, SETTINGS, limit_kind
from pilotage.spec.words import shown

T = TypeVar("T")

READ_ELSEWHERE: Final = frozenset({"models", "key", "limit", "config", "guard"})
"""Settings whose texts need more than their kind to be understood."""


class Disk(Protocol):
    """What the loader asks of the file system."""

    def read(self, path: str, at_most: int) -> bytes:
        """The first `at_most + 1` bytes of a file. Raises OSError."""
        ...

    def is_there(self, path: str) -> bool:
        """True when the path is a file or a folder."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """A text with its meaning."""

    value: object
    given: Given
    source: Source


class Values:
    """The values of all settings, by name.

    Attributes:
        errors: what was wrong with single values; the bad ones are left out.
        bad: the names of settings with an error, so that no second error follows from the first.
    """

    def __init__(
        self, readings: Mapping[Source, Reading], environment: Mapping[str, str], config: str | None
    ) -> None:
        self._readings = readings
        self._home = environment.get("HOME", "")
        self._config = config
        self._values: dict[str, list[Value]] = {}
        self.errors: list[PilotageError] = []
        self.bad: set[str] = set()
        for setting in SETTINGS:
            if setting.name not in READ_ELSEWHERE:
                self._read(setting)

    def given(self, name: str) -> tuple[Source, list[Given]]:
        """The raw texts of the strongest source that has any."""
        for source in SOURCES:
            if texts := self._readings[source].given.get(name):
                return source, texts
        return "file", []

    def all(self, name: str) -> list[Value]:
        """The values of the strongest source; more than one only for a setting that may be many."""
        return self._values.get(name, [])

    def one(self, name: str, default: T) -> T:
        """The value, or `default` where there is none."""
        found = self._values.get(name)
        value = found[0].value if found else default
        return value if isinstance(value, type(default)) else default

    def text(self, name: str) -> str | None:
        """The value of a setting that is a text; None where there is none."""
        found = self._values.get(name)
        value = found[0].value if found else None
        return value if isinstance(value, str) else None

    def where(self, name: str) -> str:
        """Where the value was given; "" where there is none."""
        found = self._values.get(name)
        return found[0].given.where if found else ""

    def meaning(self, name: str, given: Given, kind: Kind | None = None) -> Value | None:
        """The value of one text; None, with an error noted, where it has none."""
        setting = BY_NAME.get(name)
        kind = kind or BY_NAME[name].kind
        try:
            return Value(kind.read(given.text.strip()), given, "file")
        except Wrong as wrong:
            example = f"For example: {setting.example}." if setting else ""
            self.errors.append(
                PilotageError(
                    f"{shown(given.text)} is not {kind.noun}",
                    where=given.where,
                    expected=kind.expected,
                    fix=wrong.fix or example,
                )
            )
            self.bad.add(name)
            return None

    def limits(self) -> dict[str, int | float]:
        """The limits that were given; durations in seconds."""
        chosen: dict[str, int | float] = {}
        for source in SOURCES:
            for name, texts in self._readings[source].limits.items():
                kind = limit_kind(name)
                values = [self.meaning(f"limits.{name}", given, kind) for given in texts]
                if len(values) > 1:
                    self._twice(f"the limit {name}", texts[-1])
                value = values[0].value if values[0] else None
                if isinstance(value, int):
                    number = value / 1_000_000_000 if name.endswith("_s") else value
                    chosen.setdefault(name, number)
        return chosen

    def path(self, path: str, source: Source) -> str:
        """A path in the file starts beside the file; others where the command runs."""
        if self._home and (path == "~" or path.startswith("~/")):
            return self._home + path[1:]
        if source == "file" and self._config:
            return str(PurePath(self._config).parent / path)
        return path

    def _read(self, setting: Setting) -> None:
        """Every text is read, the overridden ones too: a mistake should not wait for its turn."""
        for source in SOURCES:
            values: list[Value] = []
            for given in self._readings[source].given.get(setting.name, []):
                read = self.meaning(setting.name, given)
                if read is None:
                    continue
                value = read.value
                if setting.kind.metavar == "PATH" and isinstance(value, str):
                    value = self.path(value, source)
                values.append(Value(value, given, source))
            if len(values) > 1 and not setting.many:
                self._twice(setting.name, values[-1].given)
            if values:
                self._values.setdefault(setting.name, values)

    def _twice(self, what: str, given: Given) -> None:
        self.errors.append(
            PilotageError(f"{what} is given twice", where=given.where, fix="Keep one of them.")
        )
