"""A file's tree taken apart key by key, with every error noted and its place. Pure."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field

from pilotage.errors import PilotageError
from pilotage.spec.files import Mapping, Node, Scalar, Sequence
from pilotage.spec.kinds import Kind, Wrong
from pilotage.spec.words import did_you_mean, shown


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the key it stands behind and its path from the top ("gates[0].at_least")."""

    key: Scalar
    node: Node
    path: str


@dataclass(slots=True)
class Reader:
    """Reads nodes of one file. What is wrong is noted, and None comes back for it.

    Attributes:
        file: its name for messages.
        lists: the command that lists all keys, for a word that is near none.
    """

    file: str
    lists: str
    noted: list[tuple[int, int, PilotageError]] = field(
        default_factory=list[tuple[int, int, PilotageError]]
    )

    @property
    def errors(self) -> list[PilotageError]:
        """All that was noted, in the order of the file."""
        return [error for _, _, error in sorted(self.noted, key=lambda each: each[:2])]

    def wrong(self, node: Node, path: str, what: str, *, expected: str = "", fix: str = "") -> None:
        """Notes an error at a node."""
        where = f"{self.file}:{node.line}:{node.column} ({path})"
        error = PilotageError(what, where=where, expected=expected, fix=fix)
        self.noted.append((node.line, node.column, error))

    def keys(
        self,
        node: Node,
        path: str,
        known: SequenceOf[str],
        *,
        also_called: MappingOf[str, str],
        elsewhere: MappingOf[str, str],
    ) -> dict[str, Found] | None:
        """The known keys of a mapping; the others are noted with the nearest.

        Args:
            also_called: words that people try, with the key to advise.
            elsewhere: keys of other mappings, with where they belong.
        """
        if not isinstance(node, Mapping):
            self.wrong(node, path, f"{_kind(node)} where keys belong", expected=", ".join(known))
            return None
        found: dict[str, Found] = {}
        for key, value in node.items:
            word = key.text or ""
            inner = f"{path}.{word}" if path else word
            if word in known:
                found[word] = Found(key, value, inner)
                continue
            advised = also_called.get(word.lower())
            fix = f"Write {advised}." if advised in known else did_you_mean(word, known)
            if not fix and word in elsewhere:
                fix = f"It belongs {elsewhere[word]}."
            few = ", ".join(known) if len(known) <= 8 else ""
            self.wrong(
                *(key, path or "the top", f"no key here is called {shown(word)}"),
                expected=few,
                fix=fix or f"`{self.lists}` lists them all.",
            )
        return found

    def text(self, found: Found, expected: str) -> str | None:
        """The text of a scalar."""
        return self._text(found.node, found.path, expected)

    def value(self, found: Found, kind: Kind) -> object | None:
        """The meaning of a text, by its kind."""
        text = self.text(found, kind.expected)
        if text is None:
            return None
        try:
            return kind.read(text.strip())
        except Wrong as wrong:
            self.wrong(
                *(found.node, found.path, f"{shown(text)} is not {kind.noun}"),
                expected=kind.expected,
                fix=wrong.fix,
            )
            return None

    def float(self, found: Found, kind: Kind) -> float | None:
        """The number that a text means."""
        value = self.value(found, kind)
        return float(value) if isinstance(value, int | float) else None

    def texts(self, found: Found, expected: str) -> tuple[str, ...] | None:
        """One text, or a list of them without repetition."""
        node = found.node
        if not isinstance(node, Sequence):
            text = self.text(found, expected)
            return None if text is None else (text,)
        read = [
            self._text(item, f"{found.path}[{index}]", expected)
            for index, item in enumerate(node.items)
        ]
        texts = [text for text in read if text is not None]
        twice = next((text for text in texts if texts.count(text) > 1), None)
        if twice is not None:
            self.wrong(node, found.path, f"{shown(twice)} is named twice", fix="Name it once.")
            return None
        if not read:
            self.wrong(node, found.path, "an empty list", expected=expected)
        return tuple(texts) if read and len(texts) == len(read) else None

    def pairs(self, found: Found, expected: str) -> tuple[tuple[Found, str], ...] | None:
        """The keys of a mapping with a text each."""
        node = found.node
        if not isinstance(node, Mapping):
            self.wrong(node, found.path, f"{_kind(node)} where keys belong", expected=expected)
            return None
        pairs: list[tuple[Found, str]] = []
        for key, value in node.items:
            inner = Found(key, value, f"{found.path}.{key.text}")
            if (text := self.text(inner, expected)) is not None:
                pairs.append((inner, text))
        return tuple(pairs) if len(pairs) == len(node.items) else None

    def _text(self, node: Node, path: str, expected: str) -> str | None:
        if isinstance(node, Scalar) and node.text is not None and node.text.strip():
            return node.text
        self.wrong(node, path, f"{_kind(node)} where a value belongs", expected=expected)
        return None


def _kind(node: Node) -> str:
    """What came, in a word."""
    if isinstance(node, Scalar):
        return "a text" if node.text and node.text.strip() else "nothing"
    return "a list" if isinstance(node, Sequence) else "a mapping"
