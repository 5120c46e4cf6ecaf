"""A YAML file as a tree of texts with their places. Pure: bytes in, tree out.

Values stay the text that was written ("010", "yes", "1.50"), and each setting's own parser gives
it a meaning, so that a file, a variable and a flag are read by the same rule.
"""

from dataclasses import dataclass
from typing import Any, Final

from pilotage.errors import PilotageError
from pilotage.spec.words import shown

FILE_BYTES: Final = 256 * 1024
"""The largest configuration file that is read."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, or `None` where the file says nothing or null; lines and columns count from 1."""

    text: str | None
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in order, no key twice."""

    items: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int


Node = Scalar | Sequence | Mapping


def read_yaml(data: bytes, file: str) -> Mapping:
    """The mapping in `data`; `file` is its name for messages. An empty file is an empty mapping.

    Raises:
        PilotageError: longer than `FILE_BYTES`, not UTF-8, not YAML, more than one document, a key
            twice, a key that is no text, an alias, or something else than a mapping at the top.
            A message shows keys, never values.
    """
    if len(data) > FILE_BYTES:
        raise PilotageError(
            f"the file has {len(data)} bytes",
            where=file,
            expected=f"at most {FILE_BYTES} bytes (256 KiB)",
            fix="Check that this is the configuration file.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PilotageError(
            "a byte is not UTF-8",
            where=f"{file}:{line}",
            expected="UTF-8 text",
            fix="Save the file as UTF-8.",
        ) from None
    root = _compose(text, file)
    if root is None:
        return Mapping((), 1, 1)
    tree = _Reader(file).node(root)
    if not isinstance(tree, Mapping):
        raise PilotageError(
            "the file holds no mapping",
            where=f"{file}:{tree.line}:{tree.column}",
            expected='settings, one a line, such as "port: 8080"',
        )
    return tree


def _compose(text: str, file: str) -> Any:
    """The node graph of ruamel.yaml, which keeps places; None for an empty file."""
    from ruamel.yaml import YAML  # 60 ms, paid only where a file is given
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML().compose(text)  # pyright: ignore[reportUnknownMemberType]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file  # pyright: ignore[reportUnknownMemberType]
        problem = str(error.problem or error.context or "cannot be read")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        raise PilotageError(
            f"not YAML: {problem}", where=where, expected="one YAML document"
        ) from None
    except YAMLError:
        raise PilotageError(
            "not YAML: it holds a control character", where=file, expected="one YAML document"
        ) from None
    except RecursionError:
        raise PilotageError(
            "lists or mappings are nested too deeply", where=file, expected="at most three levels"
        ) from None


class _Reader:
    """Turns ruamel's nodes into ours; a node met twice was reached through an alias."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[int] = set()

    def node(self, node: Any) -> Node:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if id(node) in self._seen:
            raise PilotageError(
                "an alias is used",
                where=f"{self._file}:{line}:{column}",
                expected="plain values",
                fix="Write the value out at each place.",
            )
        self._seen.add(id(node))
        if node.id == "scalar":
            return Scalar(_text(node), line, column)
        if node.id == "sequence":
            return Sequence(tuple(self.node(item) for item in node.value), line, column)
        return self._mapping(node, line, column)

    def _mapping(self, node: Any, line: int, column: int) -> Mapping:
        items: list[tuple[Scalar, Node]] = []
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self.node(key_node)
            where = f"{self._file}:{key.line}:{key.column}"
            if not isinstance(key, Scalar) or key.text is None:
                raise PilotageError("a key is no text", where=where, expected="a name")
            if key.text in lines:
                raise PilotageError(
                    f"{shown(key.text)} is given twice, first on line {lines[key.text]}",
                    where=where,
                    expected="each key once",
                    fix="Keep one of them.",
                )
            lines[key.text] = key.line
            items.append((key, self.node(value_node)))
        return Mapping(tuple(items), line, column)


def _text(node: Any) -> str | None:
    """The scalar's text; None where it is null (plain `null`, `~`, or nothing at all)."""
    plain = node.style not in ("'", '"', "|", ">")
    return None if plain and node.value in ("", "~", "null", "Null", "NULL") else str(node.value)
