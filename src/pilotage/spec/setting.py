"""One setting of `pilotage serve`: its name in every place, what it may say, what it does. Pure."""

from dataclasses import dataclass
from typing import Final

from pilotage.spec.kinds import Kind

PREFIX: Final = "PILOTAGE_"

MS: Final = 1_000_000
S: Final = 1_000 * MS
HOUR: Final = 3_600 * S
"""Nanoseconds, in which the settings' times are held."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Attributes:
        name: its name in code and in the file.
        kind: what its text may say.
        group: the heading it stands under in the help.
        help: what it does, in a sentence.
        default: the default as people read it; "" where there is none.
        example: a value to copy.
        many: may be given several times.
        secret: its text is never shown.
        flag: the flag; "" for the arguments that need none.
        in_file: the key in the file ("rollout.then" is `then` under `rollout`); "" for the file's
            own path.
    """

    name: str
    kind: Kind
    group: str
    help: str
    default: str
    example: str
    many: bool = False
    secret: bool = False
    flag: str = ""
    in_file: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that says the same; NAME stands for a limit's name."""
        return PREFIX + ("LIMIT_NAME" if self.name == "limit" else self.name.upper())


def setting(
    name: str,
    kind: Kind,
    group: str,
    help: str,
    default: str,
    example: str,
    *,
    many: bool = False,
    secret: bool = False,
    in_file: str | None = None,
) -> Setting:
    """A row, whose flag and key follow from its name; `in_file` where the key is another."""
    flag = "" if name == "models" else "--" + name.replace("_", "-")
    key = name if in_file is None else in_file
    return Setting(name, kind, group, help, default, example, many, secret, flag, key)
