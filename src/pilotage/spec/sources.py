"""Flags and variables, each read into the same shape as the file: a text with its place. Pure.

Nothing is given a meaning here; a source only knows which settings exist and whose turn it is.
`document` reads the file.
"""

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from typing import Final, Literal

from pilotage.contracts.limits import Limits
from pilotage.errors import PilotageError
from pilotage.spec.setting import PREFIX, Setting
from pilotage.spec.table import BY_FLAG, BY_NAME, BY_VARIABLE, OTHER_VARIABLES
from pilotage.spec.words import did_you_mean, nearest, shown

Source = Literal["flag", "variable", "file"]
SOURCES: Final[tuple[Source, ...]] = ("flag", "variable", "file")
"""Where settings come from, the strongest first."""

LISTED: Final = frozenset({"models", "guard"})
"""Settings of which a variable holds several, separated by commas."""

LIMIT_NAMES: Final = Limits.__struct_fields__


@dataclass(frozen=True, slots=True)
class Given:
    """One text that somebody gave, and where; `line` is 0 where it was in no file."""

    text: str
    where: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class GivenModel:
    """An entry of `models` in the file, with the settings it has for itself."""

    path: Given
    own: dict[str, Given]


@dataclass(slots=True)
class Reading:
    """What one source gave.

    Attributes:
        given: by a setting's name.
        limits: by a limit's name.
        models: entries of the file that are mappings or paths.
        errors: everything wrong with the words themselves.
        hints: what is right and could be better.
    """

    given: dict[str, list[Given]] = field(default_factory=dict[str, list[Given]])
    limits: dict[str, list[Given]] = field(default_factory=dict[str, list[Given]])
    models: list[GivenModel] = field(default_factory=list[GivenModel])
    errors: list[PilotageError] = field(default_factory=list[PilotageError])
    hints: list[str] = field(default_factory=list[str])

    def add(self, setting: Setting, text: str, where: str, line: int = 0) -> None:
        """One more text for a setting; a limit is taken apart into its name and value."""
        if setting.name == "limit":
            name, separator, value = text.partition("=")
            if not separator:
                self.errors.append(
                    PilotageError(
                        f"{shown(text)} is no limit",
                        where=where,
                        expected="NAME=VALUE",
                        fix="Write --limit body_bytes=16MiB, for example.",
                    )
                )
            else:
                self.add_limit(name.strip().replace("-", "_"), value.strip(), f"{where} {name}")
            return
        self.given.setdefault(setting.name, []).append(Given(text, where, line))

    def add_limit(self, name: str, text: str, where: str) -> None:
        """One more text for a limit."""
        if name not in LIMIT_NAMES:
            self.errors.append(unknown("limit", name, LIMIT_NAMES, where))
        else:
            self.limits.setdefault(name, []).append(Given(text, where))


def unknown(noun: str, word: str, valid: SequenceOf[str], where: str) -> PilotageError:
    """The error about a word that names nothing."""
    few = ", ".join(valid) if len(valid) <= 8 else ""
    return PilotageError(
        f"no {noun} is called {shown(word)}",
        where=where,
        expected=few,
        fix=did_you_mean(word, valid) or "`pilotage serve --help` lists them all.",
    )


# Flags


def read_flags(arguments: SequenceOf[str]) -> Reading:
    """The settings on a command line (without the command's own name)."""
    reading = Reading()
    rest = list(arguments)
    only_models = False
    while rest:
        word = rest.pop(0)
        if only_models or not word.startswith("-") or word == "-":
            reading.add(BY_NAME["models"], word, "MODEL")
        elif word == "--":
            only_models = True
        else:
            _read_flag(reading, word, rest)
    return reading


def _read_flag(reading: Reading, word: str, rest: list[str]) -> None:
    flag, separator, value = word.partition("=")
    setting = BY_FLAG.get(flag)
    negated = BY_FLAG.get("--" + flag[5:]) if flag.startswith("--no-") else None
    switch = setting if setting and not setting.kind.metavar else None
    if setting is None and negated is not None and not negated.kind.metavar:
        switch, setting = negated, negated
    if setting is None:
        _unknown_flag(reading, flag, separator, rest)
    elif switch is not None:
        if separator:
            reading.errors.append(
                PilotageError(f"{flag} takes no value", where=flag, fix=f"Write {flag} alone.")
            )
        else:
            reading.add(switch, "true" if BY_FLAG.get(flag) is switch else "false", flag)
    elif separator:
        reading.add(setting, value, flag)
    elif rest and not rest[0].startswith("--"):
        reading.add(setting, rest.pop(0), flag)
    else:
        reading.errors.append(
            PilotageError(
                f"{flag} has no value",
                where=flag,
                expected=setting.kind.expected,
                fix=f"Write {flag} {setting.example}.",
            )
        )


def _unknown_flag(reading: Reading, flag: str, separator: str, rest: list[str]) -> None:
    """Names the flag alone: what follows it may be a secret."""
    flags = [*BY_FLAG, "--help"]
    reading.errors.append(unknown("flag", flag, flags, "command line"))
    near = nearest(flag, flags)
    if not separator and rest and not rest[0].startswith("-"):
        setting = BY_FLAG.get(near or "")
        if setting is None or setting.kind.metavar:
            rest.pop(0)


# Variables

_FROM_KUBERNETES: Final = re.compile(
    r"PILOTAGE_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)\Z"
)
"""What Kubernetes sets in each pod for a Service that is called "pilotage"."""


def read_variables(environment: MappingOf[str, str]) -> Reading:
    """The settings among the variables that begin with `PREFIX`."""
    reading = Reading()
    for variable in sorted(name for name in environment if name.startswith(PREFIX)):
        text = environment[variable]
        setting = BY_VARIABLE.get(variable)
        limit = variable.removeprefix(PREFIX + "LIMIT_")
        if _FROM_KUBERNETES.match(variable) or re.match(r"(tcp|udp|sctp)://", text):
            reading.hints.append(
                f"{variable} was passed over: Kubernetes sets such variables for a Service that is "
                'called "pilotage". `enableServiceLinks: false` in the pod keeps them out.'
            )
        elif limit != variable:
            reading.add_limit(limit.lower(), text, variable)
        elif setting is None:
            if variable not in OTHER_VARIABLES:
                valid = [*BY_VARIABLE, *OTHER_VARIABLES]
                reading.errors.append(unknown("setting", variable, valid, "environment"))
        elif setting.name in LISTED:
            for part in text.split(","):
                reading.add(setting, part.strip(), variable)
        elif text:
            reading.add(setting, text, variable)
    return reading
