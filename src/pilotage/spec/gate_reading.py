"""A file of gates, read: bytes in, a `GateFile` or every error at once out. Pure."""

import re
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from typing import Any, Final, Literal

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec import gate_keys, kinds, shares
from pilotage.spec.files import Mapping, Node, Sequence, read_yaml
from pilotage.spec.gate_conditions import read_gate
from pilotage.spec.gate_words import METRICS, REFUSED, MetricWord, custom_word
from pilotage.spec.gates import DataSettings, Gate, GateFile
from pilotage.spec.trees import Found, Reader
from pilotage.spec.words import shown

LISTS: Final = "pilotage schema gates"
METRIC_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
FUNCTION: Final = re.compile(r"[^\0:]+\.py:[A-Za-z_][A-Za-z0-9_]*\Z")
"""FILE.py:FUNCTION"""

_CONFIDENCE: Final = shares.confidence()
_UNDECIDED: Final = kinds.choice("fail", "warn")
_SCORE: Final = shares.number(-1e300, 1e300, of="a score", example="0.5")


def read_gates(
    data: bytes, file: str, *, metrics: MappingOf[str, MetricWord] = METRICS
) -> GateFile:
    """What the file of gates in `data` asks; `file` is its name for messages.

    Paths in it stay as they are written.

    Raises:
        PilotageErrors: everything that is wrong, each with its line and column, what was expected
            and, where one is near, the valid word.
    """
    try:
        tree = read_yaml(data, file)
    except PilotageError as error:
        raise PilotageErrors([error]) from None
    reader = Reader(file, LISTS)
    read = _read(tree, reader, metrics)
    if reader.noted:
        raise PilotageErrors(reader.errors)
    return read


def read_confidence(text: str, where: str) -> float:
    """A confidence that was typed: `95%`.

    Raises:
        PilotageError: it is none, or outside of what is allowed.
    """
    try:
        read: Any = _CONFIDENCE.read(text)
    except kinds.Wrong as wrong:
        raise PilotageError(
            f"{shown(text)} is not {_CONFIDENCE.noun}",
            where=where,
            expected=_CONFIDENCE.expected,
            fix=wrong.fix,
        ) from None
    return float(read)


def belongs() -> dict[str, str]:
    """Every key with where it belongs, for one that stands elsewhere."""
    return {
        **{key.name: "under `under:` of a gate" for key in gate_keys.UNDER_KEYS},
        **{key.name: "into a gate" for key in gate_keys.GATE_KEYS},
        **{key.name: "under `data:`" for key in gate_keys.DATA_KEYS},
        **{key.name: "at the top of the file" for key in gate_keys.FILE_KEYS},
    }


def names(keys: tuple[gate_keys.Key, ...]) -> list[str]:
    """The names of a table's keys."""
    return [key.name for key in keys]


def _keys(
    reader: Reader, node: Node, path: str, table: tuple[gate_keys.Key, ...]
) -> dict[str, Found]:
    found = reader.keys(
        *(node, path, names(table)),
        also_called=gate_keys.ALSO_CALLED,
        elsewhere=belongs(),
    )
    return found or {}


def _read(tree: Mapping, reader: Reader, metrics: MappingOf[str, MetricWord]) -> GateFile:
    top = _keys(reader, tree, "", gate_keys.FILE_KEYS)
    functions = _functions(reader, top["metrics"], metrics) if "metrics" in top else ()
    words = {**metrics, **{name: custom_word(name) for name, _ in functions}}
    confidence = reader.float(top["confidence"], _CONFIDENCE) if "confidence" in top else None
    undecided: Any = reader.value(top["undecided"], _UNDECIDED) if "undecided" in top else None
    policy: Literal["fail", "warn"] = undecided or "fail"
    data = _data(reader, top["data"]) if "data" in top else DataSettings()
    return GateFile(
        gates=_gates(reader, tree, top.get("gates"), words),
        data=data,
        confidence=0.95 if confidence is None else confidence,
        undecided=policy,
        metrics=functions,
    )


def _data(reader: Reader, found: Found) -> DataSettings:
    keys = _keys(reader, found.node, found.path, gate_keys.DATA_KEYS)
    read: dict[str, Any] = {}
    for key in gate_keys.DATA_KEYS:
        if key.name not in keys:
            continue
        inner = keys[key.name]
        if key.form == "columns":
            read[key.name] = reader.texts(inner, "a column, or a list of columns") or ()
        elif key.form == "number":
            read[key.name] = reader.float(inner, _SCORE)
        else:
            read[key.name] = reader.text(inner, f"a text, such as {key.example}")
    return DataSettings(**read)


def _functions(
    reader: Reader, found: Found, metrics: MappingOf[str, MetricWord]
) -> tuple[tuple[str, str], ...]:
    """Names of custom metrics with FILE.py:FUNCTION each."""
    kept: list[tuple[str, str]] = []
    for inner, text in reader.pairs(found, "NAME: FILE.py:FUNCTION") or ():
        name = inner.key.text or ""
        if name in metrics or name in REFUSED:
            reader.wrong(
                *(inner.key, inner.path, f"{shown(name)} is the name of a known metric"),
                fix="Choose another name.",
            )
        elif not METRIC_NAME.match(name):
            reader.wrong(
                *(inner.key, inner.path, f"{shown(name)} is no name of a metric"),
                expected="lower-case letters, digits and underscores, at most 64, a letter first",
            )
        elif not FUNCTION.match(text):
            reader.wrong(
                *(inner.node, inner.path, f"{shown(text)} names no function"),
                expected="FILE.py:FUNCTION, such as costs.py:cost_of_error",
            )
        else:
            kept.append((name, text))
    return tuple(kept)


def _gates(
    reader: Reader, tree: Mapping, found: Found | None, words: MappingOf[str, MetricWord]
) -> tuple[Gate, ...]:
    wanted = "a list of gates, such as - {metric: accuracy, at_least: 80%}"
    if found is None:
        reader.wrong(tree, "gates", "the file asks nothing", expected=wanted)
        return ()
    if not isinstance(found.node, Sequence) or not found.node.items:
        reader.wrong(found.node, found.path, "no list of gates", expected=wanted)
        return ()
    kept: list[Gate] = []
    for index, node in enumerate(found.node.items):
        path = f"{found.path}[{index}]"
        keys = _keys(reader, node, path, gate_keys.GATE_KEYS)
        before = len(reader.noted)
        gate = read_gate(reader, node, path, keys, words) if isinstance(node, Mapping) else None
        if gate is None or len(reader.noted) > before:
            continue
        same = next((one for one in kept if replace(one, line=gate.line) == gate), None)
        if same is not None:
            reader.wrong(
                *(node, path, f"the same gate as on line {same.line}"), fix="Keep one of them."
            )
        kept.append(gate)
    return tuple(kept)
