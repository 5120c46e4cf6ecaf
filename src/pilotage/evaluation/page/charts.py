"""Curves and the confusion table as Vega-Lite specifications: one function a picture.

Each takes what the report holds and the width in pixels, and is pure. What does not fit is left to
the JSON: the limits are here, and the caption says how many more there are.
"""

from typing import Any, Final

from pilotage.evaluation.page.confusing import Cells
from pilotage.evaluation.page.drawing import (
    BASELINE,
    INK,
    MODEL,
    MUTED,
    Spec,
    pixel,
    values,
)
from pilotage.evaluation.page.forest import CHARACTER, shortened
from pilotage.evaluation.page.numbers import count
from pilotage.evaluation.report import Curve

CURVE_POINTS: Final = 120
"""Points of a curve that are drawn; more lie closer than a pixel."""
AXIS_SIDE: Final = 84
"""Room for the axis left of a square picture, and right of it, in pixels."""
TILTED: Final = 80
"""Room for the name of a class that leans, in pixels."""
LEVEL_NAMES_FROM: Final = 60
"""Pixels of a cell from which the name above it is set level."""
TWO_TEXTS_FROM: Final = 44
"""Pixels of a cell from which its count stands above its share."""


def roc(curves: list[Curve], width: int) -> Spec:
    """True positives against false positives with a pointwise band; the diagonal is chance."""
    square = width - AXIS_SIDE
    x = _share("x", "false positives among the negatives", square)
    y = _share("y", "true positives among the positives", square)
    layers: list[Spec] = [_diagonal(x, y)]
    layers += [_band(curve, index, x, y) for index, curve in enumerate(curves) if curve.low]
    layers += [_curve(curve, index, x, y) for index, curve in enumerate(curves)]
    return _square(layers, width, square)


def calibration(curves: list[Curve], width: int) -> Spec:
    """The share that is true against what was predicted, per bin; on the diagonal is right."""
    square = width - AXIS_SIDE
    x = _share("x", "predicted probability", square)
    y = _share("y", "share that is true", square)
    layers: list[Spec] = [_diagonal(x, y)]
    for index, curve in list(enumerate(curves))[::-1]:
        points = values(_points(curve))
        colour = MODEL if index == 0 else BASELINE
        if index == 0 and curve.low:
            layers.append(
                {
                    "data": points,
                    "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round",
                             "stroke": colour, "opacity": 0.45},
                    "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
                }
            )  # fmt: skip
        layers.append(_curve(curve, index, x, y))
        dot: Spec = {"type": "point", "filled": True, "fill": colour, "opacity": 1, "size": 46,
                     "shape": "circle" if index == 0 else "square"}  # fmt: skip
        layers.append({"data": points, "mark": dot, "encoding": {"x": x, "y": y}})
    return _square(layers, width, square)


def confusion(cells: Cells, width: int) -> Spec:
    """The table of truth and answer: a cell is shaded by its share of the row."""
    size = len(cells.names)
    left = min(140, round(width * 0.28))
    side = min((width - left - 8) / size, 112.0 if size <= 4 else 76.0)
    if side < LEVEL_NAMES_FROM:  # the last name leans out of the table
        side = (width - left - 44) / size
    top = 46 if side >= LEVEL_NAMES_FROM else 76
    sign = " %" if side >= TWO_TEXTS_FROM else ""
    drawn = [
        {
            "x": left + column * side, "x2": left + (column + 1) * side - 2,
            "y": top + row * side, "y2": top + (row + 1) * side - 2,
            "cx": left + (column + 0.5) * side - 1, "cy": top + (row + 0.5) * side - 1,
            "share": 0 if share is None else share, "dark": (share or 0) > 0.5,
            "count": _short(cells.counts[row][column]),
            "percent": _percent(share, sign) if cells.counts[row][column] else "",
            "nothing": not cells.counts[row][column],
        }
        for row, shares in enumerate(cells.shares)
        for column, share in enumerate(shares)
    ]  # fmt: skip
    height = round(top + size * side)
    layers = [_cells(), *_cell_texts(side), *_class_names(cells.names, left, top, side)]
    return {
        "width": width, "height": height, "autosize": {"type": "none"},
        "padding": {"left": 0, "right": 0, "top": 0, "bottom": 4},
        "data": values(drawn), "layer": layers,
    }  # fmt: skip


def _share(field: str, title: str, square: int) -> Spec:
    """An axis from 0 to 100 %."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {
            "title": title,
            "values": [0, 0.2, 0.4, 0.6, 0.8, 1] if square > 260 else [0, 0.5, 1],
            "labelExpr": "format(datum.value * 100, '.0f') + ' %'",
        },
    }


def _points(curve: Curve) -> list[dict[str, Any]]:
    """Evenly thinned to what is drawn; the first and the last point always stay."""
    total = len(curve.x)
    kept = range(total)
    if total > CURVE_POINTS:
        step = (total - 1) / (CURVE_POINTS - 1)
        kept = [round(index * step) for index in range(CURVE_POINTS)]
    banded = len(curve.low) == total == len(curve.high)
    return [
        {
            "x": round(curve.x[at], 5), "y": round(curve.y[at], 5), "order": at,
            "low": round(curve.low[at], 5) if banded else None,
            "high": round(curve.high[at], 5) if banded else None,
        }
        for at in kept
    ]  # fmt: skip


def _diagonal(x: Spec, y: Spec) -> Spec:
    mark = {"type": "line", "stroke": MUTED, "strokeWidth": 1, "strokeDash": [2, 4]}
    return {
        "data": values([{"x": 0, "y": 0}, {"x": 1, "y": 1}]),
        "mark": mark,
        "encoding": {"x": x, "y": y},
    }


def _band(curve: Curve, index: int, x: Spec, y: Spec) -> Spec:
    colour = MODEL if index == 0 else BASELINE
    return {
        "data": values(_points(curve)),
        "mark": {"type": "area", "fill": colour, "opacity": 0.16},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }


def _curve(curve: Curve, index: int, x: Spec, y: Spec) -> Spec:
    mark: Spec = {"type": "line", "stroke": MODEL, "strokeWidth": 2.5}
    if index:
        mark |= {"stroke": BASELINE, "strokeWidth": 2, "strokeDash": [6, 4]}
    order = {"field": "order", "type": "quantitative"}
    return {
        "data": values(_points(curve)),
        "mark": mark,
        "encoding": {"x": x, "y": y, "order": order},
    }


def _square(layers: list[Spec], width: int, square: int) -> Spec:
    return {
        "width": square, "height": square, "autosize": {"type": "none"},
        "padding": {"left": width - square - 12, "right": 12, "top": 8, "bottom": 50},
        "layer": layers,
    }  # fmt: skip


def _cells() -> Spec:
    place = {end: pixel(end) for end in ("x", "x2", "y", "y2")}
    share = {
        "field": "share", "type": "quantitative", "legend": None,
        # Between 40 and 85 % neither dark nor light text could be read on it.
        "scale": {"domain": [0, 0.5, 0.5001, 1], "range": [0.05, 0.4, 0.85, 1]},
    }  # fmt: skip
    return {
        "mark": {"type": "rect", "fill": MODEL, "cornerRadius": 3},
        "encoding": {**place, "fillOpacity": share},
    }


def _cell_texts(side: float) -> list[Spec]:
    """Count and share where both fit, else the share alone; a quiet 0 for what never happens."""
    dark = {"test": "datum.dark", "value": "var(--on-model)"}
    quiet = {"test": "datum.nothing", "value": MUTED}
    fill = {"condition": [dark, quiet], "value": INK}
    place = {"x": pixel("cx"), "y": pixel("cy"), "fill": fill}
    text: Spec = {"type": "text", "baseline": "middle"}
    if side < TWO_TEXTS_FROM:
        small = {**text, "fontSize": min(12.0, side * 0.36)}
        return [{"mark": small, "encoding": {**place, "text": {"field": "percent"}}}]
    count_mark = {**text, "dy": {"expr": "datum.nothing ? 0 : -8"}, "fontSize": 13.5}
    percent = {**text, "dy": 9, "fontSize": 12}
    return [
        {"mark": count_mark, "encoding": {**place, "text": {"field": "count"}}},
        {"mark": percent, "encoding": {**place, "text": {"field": "percent"}}},
    ]


def _class_names(names: tuple[str, ...], left: int, top: int, side: float) -> list[Spec]:
    """Classes down the left (the truth) and along the top (the answers), tilted where narrow."""
    level = side >= LEVEL_NAMES_FROM
    room_across = side - 6 if level else TILTED
    rows = [
        {
            "y": top + (at + 0.5) * side - 1, "x": left + (at + 0.5) * side - 1,
            "down": shortened(name, int((left - 14) / CHARACTER)),
            "across": shortened(name, max(int(room_across / CHARACTER), 4)),
        }
        for at, name in enumerate(names)
    ]  # fmt: skip
    text: Spec = {"type": "text", "fontSize": 12.5, "fill": INK, "baseline": "middle"}
    across: Spec = {} if level else {"align": "left", "angle": -40, "dx": 2}
    heading = {**text, "fill": MUTED, "fontSize": 12}
    return [
        _placed({"x": {"value": left - 10}, "y": pixel("y"), "text": {"field": "down"}}, rows,
                {**text, "align": "right"}),
        _placed({"x": pixel("x"), "y": {"value": top - 12}, "text": {"field": "across"}}, rows,
                text | across),
        _placed({"x": {"value": 0}, "y": {"value": top - 12}, "text": {"value": "truth ↓"}}, [{}],
                {**heading, "align": "left"}),
        _placed({"x": {"value": 0}, "y": {"value": top - 32}, "text": {"value": "answer →"}}, [{}],
                {**heading, "align": "left"}),
    ]  # fmt: skip


def _placed(encoding: Spec, rows: list[dict[str, Any]], mark: Spec) -> Spec:
    return {"data": values(rows), "mark": mark, "encoding": encoding}


def _short(number: int) -> str:
    """A count in a cell: 1,234, 56k, 7.8M."""
    if number >= 1_000_000:
        return f"{number / 1e6:.3g}M"
    return count(number) if number < 10_000 else f"{number / 1e3:.3g}k"


def _percent(share: float | None, sign: str) -> str:
    if share is None:
        return ""
    return f"<1{sign}" if 0 < share < 0.005 else f"{share * 100:.0f}{sign}"
