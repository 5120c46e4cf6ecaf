"""A picture of intervals under each other (a forest plot): one line a name, an estimate in its
interval, rules to compare with.

On a wide page a line is name, plot and numbers side by side; on a narrow one they stand under each
other, so that no name has to be cut short.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pilotage.evaluation.page.drawing import (
    CARD,
    GRID,
    INK,
    MUTED,
    SHAPES,
    TONES,
    Spec,
    pixel,
    values,
)

Tone = Literal["passed", "failed", "undecided", "notable", "plain"]
SIDE_BY_SIDE_FROM: Final = 600
"""Pixels from which name, plot and numbers stand side by side."""
HEAD: Final = 26
"""Room above the lines for the words about the rule, in pixels."""
FOOT: Final = 28
"""Room below the lines for the axis, in pixels."""
CHARACTER: Final = 7.4
"""Pixels of a character of a name, on average, in the wider of the usual fonts."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is about with a smaller line under it, what was found with its verdict.

    `open_low` and `open_high`: the interval goes on beyond the picture.
    """

    name: str
    numbers: str
    low: float | None
    estimate: float | None
    high: float | None
    under_name: str = ""
    verdict: str = ""
    tone: Tone = "plain"
    open_low: bool = False
    open_high: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The x axis: its ends, its rules, words left and right of the first rule, and labels.

    `unit` follows each label; `labels` False draws no axis.
    """

    low: float
    high: float
    rules: tuple[float, ...] = ()
    left: str = ""
    right: str = ""
    unit: str = ""
    labels: bool = True


@dataclass(frozen=True, slots=True)
class _Layout:
    """Pixels: where the plot begins and ends, how high a line is, where its parts stand in it."""

    width: int
    start: int
    end: int
    step: int
    name: int
    under_name: int
    numbers: int
    verdict: int
    middle: int
    name_limit: int
    numbers_limit: int
    beside: bool


def forest(rows: list[Row], scale: Scale, width: int, *, two_lines: bool = False) -> Spec:
    """The picture of `rows` in their order."""
    plan = _layout(width, two_lines=two_lines)
    height = plan.step * len(rows)
    headed = bool(scale.left or scale.right)
    return {
        "width": width,
        "height": height,
        "autosize": {"type": "none"},
        "padding": {
            "left": 0, "right": 0, "top": HEAD if headed else 4,
            "bottom": FOOT if scale.labels else 4,
        },
        "data": values([_line(row, index, plan, scale) for index, row in enumerate(rows)]),
        "layer": [
            *_ground(len(rows), plan),
            *_rules(scale, plan, len(rows)),
            *_intervals(_x(scale, plan)),
            *_texts(plan, two_lines=two_lines),
        ],
    }  # fmt: skip


def goes_on(spec: Spec) -> bool:
    """Whether an interval goes on beyond the picture, where an arrow stands."""
    return any(line["beyond_low"] or line["beyond_high"] for line in spec["data"]["values"])


def shortened(name: str, most: int) -> str:
    """A name of at most so many characters. Its end stays: it is what tells it from others."""
    if len(name) <= most:
        return name
    end = most // 3
    return f"{name[: most - end - 1].rstrip()}…{name[-end:].lstrip()}"


def _layout(width: int, *, two_lines: bool) -> _Layout:
    if width >= SIDE_BY_SIDE_FROM:
        step = 54 if two_lines else 34
        first = step // 2 - (9 if two_lines else 0)
        start, end = round(width * 0.4), round(width * 0.8)
        return _Layout(width, start, end, step, first, first + 18, first, first + 18, step // 2,
                       start - 44, width - end - 12, beside=True)  # fmt: skip
    if two_lines:
        return _Layout(width, 20, width - 20, 104, 18, 36, 57, 57, 84, round(width * 0.84),
                       width - 110, beside=False)  # fmt: skip
    numbers = round(width * 0.42)
    return _Layout(width, 20, width - 20, 56, 16, 16, 16, 16, 38, width - numbers - 20, numbers,
                   beside=False)  # fmt: skip


def _line(row: Row, index: int, plan: _Layout, scale: Scale) -> dict[str, Any]:
    y = index * plan.step
    low = scale.low if row.open_low else row.low
    high = scale.high if row.open_high else row.high
    return {
        "name": shortened(row.name, round(plan.name_limit / CHARACTER)),
        "under_name": row.under_name, "numbers": row.numbers,
        "verdict": row.verdict, "low": _inside(low, scale), "high": _inside(high, scale),
        "estimate": _shown(row.estimate, scale), "y": y + plan.middle,
        "y_name": y + plan.name, "y_under_name": y + plan.under_name,
        "y_numbers": y + plan.numbers, "y_verdict": y + plan.verdict, "tone": TONES[row.tone],
        "fill": CARD if row.tone == "undecided" else TONES[row.tone], "shape": SHAPES[row.tone],
        "beyond_low": low is not None and (row.open_low or low < scale.low),
        "beyond_high": high is not None and (row.open_high or high > scale.high),
    }  # fmt: skip


def _shown(estimate: float | None, scale: Scale) -> float | None:
    """None beyond the picture: a point at its edge would be a place that it does not have."""
    return estimate if estimate is not None and scale.low <= estimate <= scale.high else None


def _inside(value: float | None, scale: Scale) -> float | None:
    return None if value is None else min(max(value, scale.low), scale.high)


def _x(scale: Scale, plan: _Layout) -> Spec:
    axis: Spec | None = None
    if scale.labels:
        axis = {
            "title": None, "grid": plan.beside, "domain": not plan.beside, "zindex": 0,
            "labelOverlap": True, "tickCount": 5,
            "labelExpr": f"replace(datum.label, '-', '−') + '{scale.unit}'",
        }  # fmt: skip
    return {
        "field": "estimate", "type": "quantitative", "axis": axis,
        "scale": {
            "domain": [scale.low, scale.high], "range": [plan.start, plan.end],
            "nice": False, "zero": False,
        },
    }  # fmt: skip


def _ground(count: int, plan: _Layout) -> list[Spec]:
    """A hair line between lines, and one above the first."""
    return [
        {
            "data": values([{"y": index * plan.step} for index in range(count)]),
            "mark": {"type": "rule", "stroke": GRID},
            "encoding": {"y": pixel("y"), "x": {"value": 0}, "x2": {"value": plan.width}},
        }
    ]


def _rules(scale: Scale, plan: _Layout, count: int) -> list[Spec]:
    """The rules, through the whole picture or, where names stand above the plot, beside each
    interval only; and the words at the first of them."""
    places = [
        plan.start + (rule - scale.low) / (scale.high - scale.low) * (plan.end - plan.start)
        for rule in scale.rules
    ]
    above, below = (plan.middle, plan.step - plan.middle) if plan.beside else (12, 14)
    ends = [
        {"x": at, "y": index * plan.step + plan.middle - above,
         "y2": index * plan.step + plan.middle + below}
        for at in places for index in range(count)
    ]  # fmt: skip
    layers: list[Spec] = [
        {
            "data": values(ends),
            "mark": {"type": "rule", "stroke": INK, "strokeWidth": 1.5, "strokeDash": [2, 3]},
            "encoding": {"x": pixel("x"), "y": pixel("y"), "y2": pixel("y2")},
        }
    ]
    for text, align, shift in ((scale.left, "right", -8), (scale.right, "left", 8)):
        if text and places:
            # Words that would run out of the picture stand on the other side of the rule.
            turned = align == "left" and places[0] + 8 * len(text) > plan.width
            mark = {
                "type": "text", "align": "right" if turned else align, "fontSize": 12.5,
                "dx": -shift if turned else shift, "fill": MUTED,
            }  # fmt: skip
            place = {"x": {"value": places[0]}, "y": {"value": -13}, "text": {"value": text}}
            layers.append({"data": values([{}]), "mark": mark, "encoding": place})
    return layers if places else []


def _intervals(x: Spec) -> list[Spec]:
    y = pixel("y")
    tone = {"field": "tone", "type": "nominal", "scale": None}
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "stroke": tone}
    layers: list[Spec] = [
        {
            "transform": [{"filter": "datum.low !== null && datum.high !== null"}],
            "mark": {"type": "rule", "strokeWidth": 4, "strokeCap": "round"},
            "encoding": ends,
        }
    ]
    for end, shape in (("low", "triangle-left"), ("high", "triangle-right")):
        mark = {"type": "point", "shape": shape, "size": 90, "filled": True, "opacity": 1}
        layers.append(
            {
                "transform": [{"filter": f"datum.beyond_{end}"}],
                "mark": mark,
                "encoding": {"x": {**x, "field": end}, "y": y, "fill": tone},
            }
        )
    estimates = {
        "x": x, "y": y, "stroke": tone,
        "fill": {"field": "fill", "type": "nominal", "scale": None},
        "shape": {"field": "shape", "type": "nominal", "scale": None},
    }  # fmt: skip
    layers.append(
        {
            "transform": [{"filter": "datum.estimate !== null"}],
            "mark": {"type": "point", "size": 120, "strokeWidth": 2.5, "opacity": 1},
            "encoding": estimates,
        }
    )
    return layers


def _texts(plan: _Layout, *, two_lines: bool) -> list[Spec]:
    left, right = {"value": 0}, {"value": plan.width}
    layers = [
        _text("name", left, limit=plan.name_limit, size=14, fill=INK),
        _text("numbers", right, limit=plan.numbers_limit, size=14, fill=INK, align="right"),
    ]
    if two_lines:
        # Side by side the verdict stands under the numbers; else left of them.
        x, align = (right, "right") if plan.beside else (left, "left")
        layers += [
            _text("under_name", left, limit=plan.name_limit, size=13, fill=MUTED),
            _text("verdict", x, limit=plan.numbers_limit, size=13, fill=None, align=align),
        ]
    return layers


def _text(
    field: str, x: Spec, *, limit: int, size: float, fill: str | None, align: str = "left"
) -> Spec:
    mark: Spec = {
        "type": "text", "align": align, "baseline": "middle", "limit": limit, "fontSize": size,
    }  # fmt: skip
    encoding: Spec = {"x": x, "y": pixel(f"y_{field}"), "text": {"field": field}}
    if fill is None:
        encoding["fill"] = {"field": "tone", "type": "nominal", "scale": None}
        mark["fontWeight"] = 600
    else:
        mark["fill"] = fill
    return {"mark": mark, "encoding": encoding}
