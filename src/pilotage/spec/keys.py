"""The keys of callers, from texts and files. No message here shows a secret."""

import hashlib
import shlex
from typing import Final

from pilotage.errors import PilotageError
from pilotage.spec.secrets import PRINCIPAL, CallerKey, Secret, is_sendable, split_name
from pilotage.spec.sources import Given, Source
from pilotage.spec.values import Disk, Values

KEY_FILE_BYTES: Final = 256 * 1024
"""The largest key file that is read."""

SHELL_KEY: Final = "$PILOTAGE_KEY"
"""What stands for a secret in commands that people copy."""


def read_keys(
    values: Values, disk: Disk
) -> tuple[tuple[CallerKey, ...], list[PilotageError], list[str]]:
    """The keys of the strongest source that has any; errors; hints.

    A text is SECRET, NAME=SECRET, @FILE or NAME=@FILE. A file holds SECRET or NAME=SECRET a line;
    empty lines and those that begin with # are passed over; under NAME=@FILE it holds one secret.
    """
    source, texts = values.given("key")
    keys: list[CallerKey] = []
    errors: list[PilotageError] = []
    for given in texts:
        text = given.text.strip()
        name, secret = split_name(text)
        if secret.startswith("@"):
            path = values.path(secret[1:], source)
            keys += _from_file(path, name, given.where, disk, errors)
        elif key := _key(text, given.where, SHELL_KEY, errors):
            keys.append(key)
    errors += _clashes(keys, texts)
    plain = any(not split_name(given.text.strip())[1].startswith("@") for given in texts)
    return tuple(keys), errors, [_hint(source)] if plain and source != "variable" else []


def _hint(source: Source) -> str:
    if source == "flag":
        return (
            "A secret on the command line can be read by every user of this machine in the list of "
            "processes; --key @FILE or the variable PILOTAGE_KEY keeps it out."
        )
    return (
        "A secret in the configuration file is read by whoever reads the file; @FILE keeps it out."
    )


def _key(text: str, where: str, shell: str, errors: list[PilotageError]) -> CallerKey | None:
    name, secret = split_name(text)
    if not is_sendable(secret):
        errors.append(
            PilotageError(
                "the secret is empty, too long, or holds a space or another character that a "
                "header cannot carry",
                where=where,
                expected="at most 512 visible ASCII characters",
                fix="Make one with: openssl rand -hex 32.",
            )
        )
        return None
    return CallerKey(name or _principal(secret), Secret(secret), shell)


def _principal(secret: str) -> str:
    """A name that stays the same wherever the key stands in a list: 24 bits of its digest."""
    return "key-" + hashlib.sha256(secret.encode()).hexdigest()[:6]


def _from_file(
    path: str, name: str, where: str, disk: Disk, errors: list[PilotageError]
) -> list[CallerKey]:
    try:
        data = disk.read(path, KEY_FILE_BYTES)
        lines = data.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        errors.append(
            PilotageError(
                f"the key file {path} cannot be read: {reason}",
                where=where,
                expected="a text file with a key a line",
                fix="Check the path and who may read it.",
            )
        )
        return []
    if len(data) > KEY_FILE_BYTES:
        errors.append(
            PilotageError(
                f"the key file {path} is too long", where=where, expected="at most 256 KiB"
            )
        )
        return []
    numbered = [
        (number, line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered or (name and len(numbered) > 1):
        errors.append(
            PilotageError(
                f"the key file {path} holds {len(numbered)} keys",
                where=where,
                expected="one key" if name else "at least one key, one a line",
                fix="Make one with: openssl rand -hex 32.",
            )
        )
        return []
    bare = len(lines) == 1 and not split_name(numbered[0][1])[0]
    shell = f"$(cat {shlex.quote(path)})" if bare else SHELL_KEY
    found = [
        _key(f"{name}={line}" if name else line, f"{path}:{number}", shell, errors)
        for number, line in numbered
    ]
    return [key for key in found if key]


def _clashes(keys: list[CallerKey], texts: list[Given]) -> list[PilotageError]:
    where = texts[0].where if texts else ""
    errors: list[PilotageError] = []
    if len({key.secret for key in keys}) < len(keys):
        errors.append(
            PilotageError(
                "a secret is given twice",
                where=where,
                expected="a secret of its own for each key",
                fix="Remove one of them.",
            )
        )
    names = [key.principal for key in keys if PRINCIPAL.match(key.principal)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and not errors:
        errors.append(
            PilotageError(
                f"two keys are called {', '.join(twice)}",
                where=where,
                expected="a name for each key",
                fix="Choose another name for one of them.",
            )
        )
    return errors
