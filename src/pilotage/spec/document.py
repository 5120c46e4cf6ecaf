"""The configuration file's tree, read into the same shape as flags and variables. Pure.

Nothing is given a meaning here; the file only knows which keys there are and where they belong.
"""

from typing import Final

from pilotage.errors import PilotageError
from pilotage.spec import kinds
from pilotage.spec.files import Mapping, Node, Scalar, Sequence
from pilotage.spec.guard_words import OPTIONAL
from pilotage.spec.setting import Setting
from pilotage.spec.sources import Given, GivenModel, Reading, unknown
from pilotage.spec.table import BY_KEY, BY_NAME, BY_ROLLOUT_KEY, PER_MODEL
from pilotage.spec.words import shown

ROLLOUT: Final = "rollout"
"""The key of the block with a rollout's settings."""
_GUARD_KEYS: Final = {"guard": "a guard, on one line", "required": "true or false"}


def read_document(document: Mapping, file: str) -> Reading:
    """The settings in a file's tree."""
    reading = Reading()
    for key, node in document.items:
        word = key.text or ""
        setting = BY_KEY.get(word)
        if word == ROLLOUT:
            _read_rollout(reading, node, file)
        elif setting is None:
            place = f"{file}:{key.line}:{key.column}"
            reading.errors.append(_unknown_key(word, place))
        elif setting.name == "models":
            _read_models(reading, node, file)
        elif setting.name == "limit":
            _read_limits(reading, node, file)
        else:
            _read_setting(reading, setting, node, file, word)
    return reading


def _unknown_key(word: str, where: str) -> PilotageError:
    error = unknown("setting", word, [*BY_KEY, ROLLOUT], where)
    if word in BY_ROLLOUT_KEY:
        error.fix = f"It belongs under `{ROLLOUT}:`."
    return error


def _read_setting(reading: Reading, setting: Setting, node: Node, file: str, path: str) -> None:
    """One text, or a list of them where there may be many."""
    if not (setting.many and isinstance(node, Sequence)):
        _read_scalar(reading, setting, node, file, path)
        return
    for item in node.items:
        _read_scalar(reading, setting, item, file, path)


# The rollout


def _read_rollout(reading: Reading, node: Node, file: str) -> None:
    if not isinstance(node, Mapping):
        reading.errors.append(
            PilotageError(
                "no mapping where a rollout's settings belong",
                where=_place(node, file, ROLLOUT),
                expected='one setting a line, such as "candidate: v2.onnx"',
            )
        )
        return
    for key, value in node.items:
        word = key.text or ""
        setting = BY_ROLLOUT_KEY.get(word)
        if setting is None:
            place = f"{file}:{key.line}:{key.column} ({ROLLOUT})"
            error = unknown("setting of a rollout", word, list(BY_ROLLOUT_KEY), place)
            if word in BY_KEY:
                error.fix = "It belongs at the top of the file."
            reading.errors.append(error)
        elif setting.many and isinstance(value, Sequence) and not value.items:
            reading.errors.append(
                PilotageError(
                    "an empty list",
                    where=_place(value, file, f"{ROLLOUT}.{word}"),
                    expected=f"at least one, such as {setting.example}",
                    fix=f"Leave {word} out for the default: {setting.default}.",
                )
            )
        elif setting.name == "guard":
            _read_guards(reading, setting, value, file)
        else:
            _read_setting(reading, setting, value, file, f"{ROLLOUT}.{word}")


def _read_guards(reading: Reading, setting: Setting, node: Node, file: str) -> None:
    """A list of texts, or of mappings that say too whether the guard must pass."""
    entries = node.items if isinstance(node, Sequence) else (node,)
    for index, entry in enumerate(entries):
        path = f"{ROLLOUT}.guards[{index}]" if isinstance(node, Sequence) else f"{ROLLOUT}.guards"
        if isinstance(entry, Mapping):
            _read_guard(reading, setting, entry, file, path)
        else:
            _read_scalar(reading, setting, entry, file, path)


def _read_guard(reading: Reading, setting: Setting, entry: Mapping, file: str, path: str) -> None:
    """`{guard: TEXT, required: no}` says what the word `optional` says at the end of the text."""
    found: dict[str, Given] = {}
    for key, value in entry.items:
        word = key.text or ""
        if word not in _GUARD_KEYS:
            place = f"{file}:{key.line}:{key.column} ({path})"
            reading.errors.append(unknown("key of a guard", word, list(_GUARD_KEYS), place))
            continue
        where = _place(value, file, f"{path}.{word}")
        text = _text_of(reading, value, _GUARD_KEYS[word], where)
        if text is not None:
            found[word] = Given(text, where, value.line)
    required = _required(reading, found.get("required"))
    guard = found.get("guard")
    if guard is None:
        if not any(key.text == "guard" for key, _ in entry.items):
            reading.errors.append(
                PilotageError(
                    "the guard says nothing",
                    where=_place(entry, file, path),
                    expected=f"guard: {setting.example}",
                )
            )
        return
    says_optional = guard.text.split()[-1:] == [OPTIONAL]
    if required is True and says_optional:
        reading.errors.append(
            PilotageError(
                "the guard is optional and required",
                where=found["required"].where,
                fix=f"Leave out required, or {OPTIONAL} at the end of the guard.",
            )
        )
        return
    text = guard.text if says_optional or required is not False else f"{guard.text} {OPTIONAL}"
    reading.add(setting, text, guard.where, guard.line)


def _required(reading: Reading, given: Given | None) -> bool | None:
    if given is None:
        return None
    try:
        return kinds.SWITCH.read(given.text) is True
    except kinds.Wrong:
        reading.errors.append(
            PilotageError(
                f"{shown(given.text)} is not {kinds.SWITCH.noun}",
                where=given.where,
                expected=kinds.SWITCH.expected,
            )
        )
        return None


def _place(node: Node, file: str, path: str) -> str:
    return f"{file}:{node.line}:{node.column} ({path})"


def _text_of(reading: Reading, node: Node, expected: str, where: str) -> str | None:
    """The text of a scalar; None, with an error noted, where the node holds none."""
    if isinstance(node, Scalar) and node.text is not None:
        return node.text
    came = "nothing" if isinstance(node, Scalar) else type(node).__name__.lower()
    reading.errors.append(
        PilotageError(f"{came} where a value belongs", where=where, expected=expected)
    )
    return None


def _read_scalar(reading: Reading, setting: Setting, node: Node, file: str, path: str) -> None:
    where = _place(node, file, path)
    text = _text_of(reading, node, setting.kind.expected, where)
    if text is not None:
        reading.add(setting, text, where, node.line)


def _read_limits(reading: Reading, node: Node, file: str) -> None:
    if not isinstance(node, Mapping):
        reading.errors.append(
            PilotageError(
                "no mapping where limits belong",
                where=_place(node, file, "limits"),
                expected='one limit a line, such as "body_bytes: 16MiB"',
            )
        )
        return
    for key, value in node.items:
        name = key.text or ""
        where = _place(value, file, f"limits.{name}")
        text = _text_of(reading, value, "a number or a size", where)
        if text is not None:
            reading.add_limit(name, text, where)


def _read_models(reading: Reading, node: Node, file: str) -> None:
    entries = node.items if isinstance(node, Sequence) else (node,)
    for index, entry in enumerate(entries):
        path = f"models[{index}]"
        if isinstance(entry, Mapping):
            _read_model(reading, entry, file, path)
            continue
        where = _place(entry, file, path)
        text = _text_of(reading, entry, "a path, or name and path", where)
        if text is not None:
            reading.models.append(GivenModel(Given(text, where), {}))


def _read_model(reading: Reading, entry: Mapping, file: str, path: str) -> None:
    own: dict[str, Given] = {}
    valid = ("path", *PER_MODEL)
    for key, value in entry.items:
        word = key.text or ""
        if word not in valid:
            place = f"{file}:{key.line}:{key.column} ({path})"
            reading.errors.append(unknown("setting of a model", word, valid, place))
            continue
        where = _place(value, file, f"{path}.{word}")
        expected = BY_NAME[word].kind.expected if word in BY_NAME else "a path"
        text = _text_of(reading, value, expected, where)
        if text is not None:
            own[word] = Given(text, where)
    found = own.pop("path", None)
    if found is not None:
        reading.models.append(GivenModel(found, own))
    elif not any(key.text == "path" for key, _ in entry.items):
        reading.errors.append(
            PilotageError(
                "the model has no path",
                where=_place(entry, file, path),
                expected="path: the model file",
                fix="Add a line such as path: iris.onnx.",
            )
        )
