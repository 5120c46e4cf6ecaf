"""Small pictures in a line of text: traffic, a share, an interval and its margin. Pure."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from pilotage.cli.spans import Line, Span, Style

BARS: Final = "▁▂▃▄▅▆▇█"
BELOW_MARGINS: Final = 2.0
"""How far a picture reaches below no harm, in margins."""
ABOVE_MARGINS: Final = 3.0
"""How far a picture reaches above no harm, in margins."""


def sparkline(values: Sequence[float], width: int, *, top: float) -> str:
    """The last values as bars, `top` being the highest bar; a space for none at all."""
    shown = values[-width:]
    drawn = "".join(
        BARS[min(int(value / top * len(BARS)), len(BARS) - 1)] if value > 0 < top else " "
        for value in shown
    )
    return " " * (width - len(shown)) + drawn


def bar(share: float, width: int, style: Style) -> Line:
    """How much of something is there: full at 1. It is full only when nothing is missing."""
    filled = width if share >= 1 else min(int(max(share, 0.0) * width), width - 1)
    return (Span("━" * filled, style), Span("─" * (width - filled), "dim"))


def interval(
    ends: tuple[float | None, float | None, float | None],
    *,
    tolerated: float,
    margin: float,
    width: int,
    signed: bool,
) -> Line:
    """The interval of a harm as it lies to its margin, in exactly `width` columns.

    ━●━ is the interval about its estimate, ┊ the tolerated harm, ┃ the margin; < and > say that
    the interval goes on. The scale is the margin's, so that a picture only changes with the data.

    Args:
        ends: low, estimate, high; None where there is none. Without both ends: no interval yet.
        signed: the harm can be negative.
    """
    low, estimate, high = ends
    start = -BELOW_MARGINS * margin if signed else 0.0
    end = ABOVE_MARGINS * margin

    def cell(value: float) -> int:
        if value < start:
            return -1
        if value > end:
            return width
        return round((value - start) / (end - start) * (width - 1)) if end > start else 0

    style = _style(low, high, tolerated, margin)
    drawn: list[tuple[str, Style]] = [("─", "dim")] * width
    if low is not None or high is not None:
        first = cell(low) if low is not None else -1
        last = cell(high) if high is not None else width
        for at in range(max(first, 0), min(last, width - 1) + 1):
            drawn[at] = ("━", style)
        drawn[0] = ("<", style) if first < 0 else drawn[0]
        drawn[-1] = (">", style) if last >= width else drawn[-1]
    for value, sign, crossed in ((tolerated, "┊", "┿"), (margin, "┃", "╋")):
        at = cell(value)
        if 0 <= at < width:
            drawn[at] = (crossed, style) if drawn[at][0] in "━┿" else (sign, "")
    if estimate is not None and 0 <= cell(estimate) < width:
        drawn[cell(estimate)] = ("●", style)
    runs = [list(run) for _, run in groupby(drawn, key=lambda each: each[1])]
    return tuple(Span("".join(sign for sign, _ in run), run[0][1]) for run in runs)


def _style(low: float | None, high: float | None, tolerated: float, margin: float) -> Style:
    if high is not None and high < margin:
        return "good"
    return "bad" if low is not None and low > tolerated else "open"
