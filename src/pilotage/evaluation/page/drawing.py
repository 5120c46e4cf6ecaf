"""A Vega-Lite specification becomes an SVG that can stand inside a page.

Its colours are names of CSS variables, so that one drawing serves the light page, the dark page
and paper. It carries no address, no identifier and no role of its own: the page says what it shows.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from pilotage.errors import PilotageError

Spec = dict[str, Any]

INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
LINE: Final = "var(--line)"
GRID: Final = "var(--grid)"
CARD: Final = "var(--card)"
MODEL: Final = "var(--model)"
BASELINE: Final = "var(--baseline)"
TONES: Final = {
    "passed": "var(--passed)",
    "failed": "var(--failed)",
    "undecided": "var(--undecided)",
    "notable": INK,
    "plain": MODEL,
}
SHAPES: Final = {
    "passed": "circle",
    "failed": "diamond",
    "undecided": "circle",
    "notable": "diamond",
    "plain": "circle",
}
"""So that nobody needs the colour: a disc, a diamond, a ring."""

CONFIG: Final[Mapping[str, Any]] = {
    "aria": False,
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": LINE,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": 12,
        "labelPadding": 6,
        "tickColor": LINE,
        "ticks": False,
        "titleColor": MUTED,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    },
}
_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE = re.compile(
    r' (?:xmlns(?::\w+)?|role|aria-\w+|class|pointer-events|font-family|version)="[^"]*"'
)
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>')


def drawn(spec: Spec) -> str:
    """The SVG of a specification, without anything that the page says better itself.

    Errors:
        PilotageError: when the program that draws is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise PilotageError(
            "the pictures of a report cannot be drawn",
            expected="vl-convert-python",
            fix="Install it: pip install 'pilotage[evaluate]'",
        ) from error
    svg = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, allowed_base_urls=[])
    return _EMPTY.sub("", _TAG.sub(lambda tag: _ATTRIBUTE.sub("", tag[0]), svg))


def values(rows: list[dict[str, Any]]) -> Spec:
    """Rows as the data of a layer. What a user named stands in values, never in a field's name."""
    return {"values": rows}


def pixel(field: str) -> Spec:
    """A position that is already in pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}
