"""The pictures of a run as plain Vega-Lite, and as SVG. Pure but for the renderer that it calls."""

import json
from typing import Any

import vl_convert  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.decisions.rollouts import OURS

WIDTH = 640
NAMED = 0.01
"""The least share at the end of the day that gives a line its name."""
OUR_COLOUR, OTHER_COLOUR = "#c2410c", "#64748b"
Points = list[dict[str, float | str]]
Chart = dict[str, Any]

_COLOUR = {
    "condition": {"test": f"datum.procedure == '{OURS}'", "value": OUR_COLOUR},
    "value": OTHER_COLOUR,
}


def false_rollbacks(points: Points) -> Chart:
    """Share of equal candidates rolled back as a day goes on, one line a procedure."""
    last = {str(point["procedure"]): point for point in points}
    named = [p for name, p in last.items() if name == OURS or float(p["share"]) >= NAMED]
    # Ours is drawn last, above the others.
    points = sorted(points, key=lambda point: point["procedure"] == OURS)
    lines = {
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after"},
        "encoding": {
            "x": {
                "field": "hours", "type": "quantitative", "title": "time of looking",
                "scale": {"type": "log", "domain": [1 / 60, 24], "nice": False},
                "axis": {
                    "values": [1 / 60, 5 / 60, 15 / 60, 1, 4, 24],
                    "labelExpr": "datum.value < 1 ? round(60 * datum.value) + ' min'"
                                 " : datum.value + ' h'",
                },
            },
            "y": {
                "field": "share", "type": "quantitative",
                "title": "equal candidates rolled back", "axis": {"format": "%"},
                "scale": {"domain": [0, 1]},
            },
            "detail": {"field": "procedure", "sort": None},
            "color": _COLOUR,
        },
    }  # fmt: skip
    names = {
        "data": {"values": _apart(named)},
        "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 11, "clip": False},
        "encoding": {
            "x": {"field": "hours", "type": "quantitative"},
            "y": {"field": "place", "type": "quantitative"},
            "text": {"field": "procedure"},
            "color": _COLOUR,
        },
    }
    nominal = {
        "data": {"values": [{"share": 0.05}]},
        "mark": {"type": "rule", "strokeDash": [4, 4], "color": OTHER_COLOUR},
        "encoding": {"y": {"field": "share", "type": "quantitative"}},
    }
    return _chart(
        "Equal candidates rolled back within a day",
        "0.3 % errors in both arms, 100 requests/s, 5 % canary; dashed: 5 %",
        {"layer": [nominal, lines, names], "height": 380},
    )


def _apart(ends: Points) -> Points:
    """Where the names go: at the ends of their lines, but not on each other."""
    step = 0.045
    placed: Points = []
    place = 2.0
    for point in sorted(ends, key=lambda each: -float(each["share"])):
        place = min(float(point["share"]), place - step)
        placed.append({**point, "place": place})
    # What was pushed below the picture goes up again, and pushes others up.
    lowest = 0.0
    for point in reversed(placed):
        point["place"] = max(float(point["place"]), lowest)
        lowest = float(point["place"]) + step
    return placed


def canary_requests(points: Points) -> Chart:
    """Canary requests until +0.5 points are rolled back, and what that costs in false alarms."""
    shown = [
        {**point, "wrong": f"{100 * float(point['false']):.3g} %"}
        for point in points
    ]  # fmt: skip
    order = [p["procedure"] for p in sorted(shown, key=lambda each: float(each["median"]))]
    y = {
        "field": "procedure", "type": "nominal", "title": None, "sort": order,
        "axis": {"labelLimit": 320},
    }  # fmt: skip
    scale = {"type": "log"}
    bars = {
        "mark": {"type": "rule", "strokeWidth": 3},
        "encoding": {
            "x": {
                "field": "early", "type": "quantitative", "scale": scale,
                "title": "canary requests until rolled back (median, 5 % to 95 %)",
                "axis": {"tickCount": 4, "format": ","},
            },
            "x2": {"field": "late"},
            "y": y,
            "color": _COLOUR,
        },
    }  # fmt: skip
    middles = {
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {
            "x": {"field": "median", "type": "quantitative", "scale": scale},
            "y": y,
            "color": _COLOUR,
        },
    }
    wrong = {
        "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 11},
        "encoding": {
            "x": {"field": "late", "type": "quantitative", "scale": scale},
            "y": y,
            "text": {"field": "wrong"},
            "color": _COLOUR,
        },
    }
    return _chart(
        "Half a point of harm: canary requests until rolled back",
        "0.3 % errors in the baseline, 0.8 % in the candidate; at the right: how many equal "
        "candidates are rolled back in a day",
        {"data": {"values": shown}, "layer": [bars, middles, wrong], "height": {"step": 26}},
    )


def svg(chart: Chart) -> str:
    """The chart as SVG text."""
    return str(vl_convert.vegalite_to_svg(json.dumps(chart)))


def _chart(title: str, subtitle: str, body: Chart) -> Chart:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "subtitle": subtitle, "anchor": "start", "fontSize": 15},
        "width": WIDTH,
        "padding": 10,
        "autosize": {"type": "pad"},
        "config": {"view": {"stroke": None}, "font": "sans-serif", "background": "white"},
        **body,
    }
