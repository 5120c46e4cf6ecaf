"""Lines for a terminal: spans of text with a style, cut, padded, coloured or plain. Pure.

Colour never carries meaning alone: the same text is read where there is none.
"""

import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from pilotage.spec.words import printable

Style = Literal["", "bold", "dim", "good", "bad", "open"]

_CODES: Final[dict[Style, str]] = {
    "": "",
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "1;31",
    "open": "33",
}
"""Parameters of SGR. Source: ECMA-48, 8.3.117."""

_PLAIN_SIGNS: Final = {
    **dict(zip("▁▂▃▄▅▆▇█", ".:-=+*%#", strict=True)),
    **dict(zip("─━●┊┃┿╋", "-=o:|:|", strict=True)),
    **dict(zip("✓✗▸·–−…∞", "+x>.--~?", strict=True)),
}
"""One plain character for each of ours, so that nothing moves."""
_TABLE: Final = str.maketrans(_PLAIN_SIGNS)


class Span(NamedTuple):
    """Text in one style."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


def line_of(*parts: Span | str) -> Line:
    """A line; text without a style is plain. What could steer a terminal is written out."""
    spans = (part if isinstance(part, Span) else Span(part) for part in parts)
    return tuple(Span(_harmless(span.text), span.style) for span in spans if span.text)


def _harmless(text: str) -> str:
    return printable(text.replace("\u202f", " ").replace("\u00a0", " "))


def cells(text: str) -> int:
    """The columns that the text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width_of(line: Line) -> int:
    """The columns that the line takes."""
    return sum(cells(span.text) for span in line)


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns; "…" says that there was more."""
    text = _harmless(text)
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells_of(character)
        if used > width:
            break
        kept += character
    return f"{kept}…" if width > 0 else ""


def fitted(line: Line, width: int) -> Line:
    """The line in at most `width` columns."""
    spans: list[Span] = []
    left = width
    for span in line:
        text = cut(span.text, left)
        spans.append(Span(text, span.style))
        left -= cells(text)
        if text != span.text:
            break
    return tuple(spans)


def left(text: str, width: int) -> str:
    """The text in exactly `width` columns, at their left."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """The text in exactly `width` columns, at their right."""
    text = cut(text, width)
    return " " * (width - cells(text)) + text


def between(start: Line, end: Line, width: int, *, fill: str = " ") -> Line:
    """Start at the left, end at the right, and at least one `fill`, dim, between them."""
    end = fitted(end, width - 1)
    start = fitted(start, width - 1 - width_of(end))
    gap = width - width_of(start) - width_of(end)
    return (*start, Span(fill * gap, "dim"), *end)


def wrapped(text: str, width: int, *, at_most: int = 0, style: Style = "") -> list[Line]:
    """The text in lines, broken between words; `at_most` so many of them, if given."""
    lines = textwrap.wrap(_harmless(text), max(width, 1))
    if at_most and len(lines) > at_most:
        lines = [*lines[: at_most - 1], cut(" ".join(lines[at_most - 1 :]), width)]
    return [(Span(line, style),) for line in lines]


def text_of(line: Line, *, colour: bool, encoding: str = "utf-8") -> str:
    """The line as it is written, without its end."""
    text = "".join(
        f"\x1b[{_CODES[span.style]}m{span.text}\x1b[0m" if colour and span.style else span.text
        for span in line
    )
    try:
        text.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return text.translate(_TABLE).encode("ascii", "backslashreplace").decode()
    return text


def texts_of(lines: Iterable[Line], *, colour: bool, encoding: str = "utf-8") -> list[str]:
    """`text_of` of every line. Where one needs plain signs, all have them."""
    lines = list(lines)
    whole = "".join(span.text for line in lines for span in line)
    try:
        whole.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        encoding = "ascii"
    return [text_of(line, colour=colour, encoding=encoding) for line in lines]
