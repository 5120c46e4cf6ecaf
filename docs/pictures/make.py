"""Draws the pictures of "The statistics for engineers".

    python docs/pictures/make.py            draw simulated.json again
    python docs/pictures/make.py --simulate make simulated.json first

Each picture has a ground of its own and takes the reader's light or dark colours.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import vl_convert

HERE: Final = Path(__file__).parent
SIMULATED: Final = HERE / "simulated.json"
Spec = dict[str, Any]
Rows = list[dict[str, Any]]

LIGHT: Final = {
    "card": "#ffffff",
    "ink": "#16191d",
    "muted": "#545c68",
    "grid": "#e6e9ed",
    "ours": "#1f57c3",
    "theirs": "#b3261e",
    "other": "#7d5700",
}
DARK: Final = {
    "card": "#181c22",
    "ink": "#e9ecf0",
    "muted": "#a4adba",
    "grid": "#272d36",
    "ours": "#86aefc",
    "theirs": "#ff8f84",
    "other": "#eab84a",
}
OURS, THEIRS, OTHER, INK, MUTED, GRID, CARD = (
    f"var(--{name})" for name in ("ours", "theirs", "other", "ink", "muted", "grid", "card")
)
WIDTH: Final = 620
PERCENT: Final = "format(datum.value * 100, '~g') + ' %'"
CONFIG: Final[Spec] = {
    "aria": False,
    "background": CARD,
    "font": "sans-serif",
    "padding": 16,
    "view": {"stroke": None},
    "axis": {
        "domainColor": MUTED,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": 12,
        "ticks": False,
        "labelPadding": 6,
        "labelFlush": False,
        "titleColor": MUTED,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 0,
        "orient": "top",
        "symbolSize": 300,
        "symbolType": "stroke",
        "symbolStrokeWidth": 2.5,
        "columnPadding": 24,
        "title": None,
    },
}


def peeking(rows: Rows) -> Spec:
    """How many identical candidates were rolled back, hour by hour."""
    rows = [row for row in rows if row["procedure"] != "z-test once"]
    names = ["Pilotage guard every 10 s", "z-test every 10 s", "z-test every hour"]
    lines = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": _number("hours", "hours since the start", values=list(range(0, 25, 4))),
            "y": _number("share", "identical candidates rolled back", labelExpr=PERCENT),
            **_named("procedure", names, [OURS, THEIRS, OTHER]),
        },
    }
    return _layers(
        [_rule("y", 0.05), lines, _text(0.3, 0.05, "hours", "share", "5 %", dy=-8)], height=280
    )


def sequence(rows: Rows) -> Spec:
    """Two intervals as rows arrive."""
    names = ["holds at every look", "holds at one look"]
    band = {
        "data": {"values": rows},
        "encoding": {
            "x": {
                **_number("rows", "rows seen"),
                "scale": {"type": "log", "domain": [10, 20_000], "nice": False},
                "axis": {"values": [10, 100, 1_000, 10_000], "format": ",d"},
            },
            **_named("interval", names, [OURS, THEIRS]),
        },
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2, "clip": True},
                "encoding": {
                    "y": {**_number(end, "share of ones", labelExpr=PERCENT), "scale": SHARES}
                },
            }
            for end in ("low", "high")
        ],
    }
    truth = _text(10.5, 0.1, "rows", "low", "the truth", dy=-8)
    return _layers([_rule("y", 0.1), band, truth], height=300)


SHARES: Final[Spec] = {"domain": [0, 0.3]}


def wealth(rows: Rows) -> Spec:
    """Paths of wealth; what leaves the picture is cut at its edge."""
    most, least = 1e4, 1e-3
    rows = [{**row, "wealth": min(max(row["wealth"], least), most)} for row in rows]
    names = ["half a point worse", "equal"]
    paths = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 1.5, "opacity": 0.85, "clip": True},
        "encoding": {
            "x": _number("minutes", "minutes since the start"),
            "y": {
                **_number("wealth", "wealth of the bets that it is worse"),
                "scale": {"type": "log", "domain": [least, most], "nice": False},
                "axis": {"values": [0.001, 0.01, 0.1, 1, 10, 100, 1_000], "format": "~g"},
            },
            "detail": [{"field": "run"}, {"field": "candidate"}],
            **_named("candidate", names, [THEIRS, OURS]),
        },
    }
    label = _text(59.5, 20, "minutes", "wealth", "20: rolled back", dy=-8, align="right")
    return _layers([_rule("y", 20), paths, label], height=320)


def requests(rows: Rows) -> Spec:
    """Canary requests to a verdict, by how much worse the candidate is."""
    names = ["half of the runs", "95 % of the runs", "one look, 95 % power"]
    points = {
        "data": {"values": [{**row, "harm": row["harm"] * 100} for row in rows]},
        "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 50}},
        "encoding": {
            "x": {
                **_number("harm", "how much worse the candidate is, in points of error rate"),
                "scale": {"type": "log", "nice": False},
                "axis": {"values": [0.25, 0.5, 1, 2, 5], "format": "~g"},
            },
            "y": {
                **_number("requests", "canary requests until it is shown"),
                "scale": {"type": "log", "nice": False, "domain": [50, 60_000]},
                "axis": {"values": [100, 1_000, 10_000], "format": ",d"},
            },
            **_named("procedure", names, [OURS, MUTED, OTHER]),
        },
    }
    return _layers([points], height=300)


def pot(rows: Rows) -> Spec:
    """The level of a monitor's pot, day by day, and the day on which things went wrong."""
    level = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2, "color": OURS},
        "encoding": {
            "x": {**_number("day", "days", tickCount=10), "scale": {"domain": [0, 200]}},
            "y": {
                **_number("level", "level of the pot"),
                "scale": {"type": "log", "domain": [1e-4, 2], "nice": False},
                "axis": {"values": [0.0001, 0.001, 0.01, 0.1, 1], "format": "~g"},
            },
        },
    }
    marks = [
        _text(1, 1, "day", "level", "1: alarm", dy=-8),
        _text(177, 0.3, "day", "level", "18 % are wrong from here on", align="right"),
    ]
    return _layers([_rule("y", 1), _rule("x", 180), level, *marks], height=260)


def _layers(layers: list[Spec], height: int) -> Spec:
    return {"width": WIDTH, "height": height, "layer": layers}


def _number(field: str, title: str, **axis: Any) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        **({"axis": axis} if axis else {}),
    }


def _named(field: str, names: list[str], colours: list[str]) -> Spec:
    """Colour and dash by name, so that nobody needs the colour."""
    styles = {OURS: [1, 0], THEIRS: [7, 3], OTHER: [2, 3], MUTED: [7, 3]}
    dashes = [styles[colour] for colour in colours]
    return {
        "color": {"field": field, "type": "nominal", "scale": {"domain": names, "range": colours}},
        "strokeDash": {
            "field": field,
            "type": "nominal",
            "scale": {"domain": names, "range": dashes},
        },
    }


def _rule(axis: str, value: float) -> Spec:
    return {
        "data": {"values": [{"at": value}]},
        "mark": {"type": "rule", "color": MUTED, "strokeDash": [4, 4]},
        "encoding": {axis: {"field": "at", "type": "quantitative"}},
    }


def _text(x: float, y: float, x_field: str, y_field: str, text: str, **mark: Any) -> Spec:
    return {
        "data": {"values": [{x_field: x, y_field: y}]},
        "mark": {
            "type": "text", "text": text, "color": MUTED, "fontSize": 12, "align": "left", **mark
        },
        "encoding": {
            "x": {"field": x_field, "type": "quantitative"},
            "y": {"field": y_field, "type": "quantitative"},
        },
    }  # fmt: skip


PICTURES: Final = {
    "peeking": peeking,
    "sequence": sequence,
    "wealth": wealth,
    "requests": requests,
    "pot": pot,
}
_HEAD = re.compile(r"<svg [^>]*>")
_ATTRIBUTE = re.compile(r' (?:role|aria-\w+|class|pointer-events)="[^"]*"')
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>')


def drawn(spec: Spec) -> str:
    """A picture as SVG, with the colours of both grounds in it."""
    svg = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, allowed_base_urls=[])
    svg = _EMPTY.sub("", _ATTRIBUTE.sub("", svg))
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in colours.items())
        for colours in (LIGHT, DARK)
    )
    style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    return _HEAD.sub(lambda head: head[0] + style, svg, count=1) + "\n"


def pictures(simulated: dict[str, Rows]) -> dict[str, str]:
    """Every picture as text, by the name of its file."""
    return {f"{name}.svg": drawn(draw(simulated[name])) for name, draw in PICTURES.items()}


def main() -> None:
    if "--simulate" in sys.argv:
        from simulated import all_of_them

        lines = [
            f"{json.dumps(name)}: {json.dumps(_columns(rows), separators=(',', ':'))}"
            for name, rows in all_of_them().items()
        ]
        SIMULATED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for name, text in pictures(simulated_before()).items():
        (HERE / name).write_text(text, encoding="utf-8")


def simulated_before() -> dict[str, Rows]:
    """What the last simulation found."""
    found: dict[str, dict[str, list[Any]]] = json.loads(SIMULATED.read_text(encoding="utf-8"))
    return {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in found.items()
    }


def _columns(rows: Rows) -> dict[str, list[Any]]:
    return {key: [_rounded(row[key]) for row in rows] for key in rows[0]}


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
