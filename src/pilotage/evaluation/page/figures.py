"""The figures of a page: which there are, what each caption says, and the same numbers as a table.

A caption says what is seen, not what kind of picture it is; the table holds what is drawn, for
readers who cannot see it.
"""

from dataclasses import replace
from typing import Final

from pilotage.evaluation.page import captions, charts, intervals
from pilotage.evaluation.page.across import across_figures
from pilotage.evaluation.page.confusing import (
    SHOWN_CLASSES,
    SHOWN_CLASSES_NARROW,
    Cells,
    Confused,
    cells,
    most_confused,
)
from pilotage.evaluation.page.numbers import (
    NOTHING,
    between,
    count,
    exact,
    p_shown,
    shown,
    width,
)
from pilotage.evaluation.page.ordering import worst_first
from pilotage.evaluation.page.shapes import (
    HALF,
    NARROW,
    WIDE,
    Figure,
    Table,
    as_sentence,
    in_widths,
    more,
    verdict_key,
)
from pilotage.evaluation.report import (
    Confusion,
    Curve,
    GateShown,
    LatencyShown,
    MetricShown,
    Report,
    SliceShown,
)
from pilotage.evaluation.verdict_words import COMPARED, word_shown

DRAWN_GATES: Final = 24
"""Gates in the picture on top."""
DRAWN_SLICES: Final = 20
"""Slices in their picture."""
HALF_CLASSES: Final = 4
"""Classes up to which the confusion takes half a row."""
TABLE_POINTS: Final = 11
"""Points of a curve in its table."""
MAIN_METRICS: Final = ("accuracy", "mean_absolute_error")
"""What slices are compared by: each row has a value of its own."""
GATES_TITLE: Final = "Intervals against their margins"
GATES_HEAD: Final = ("Gate", "Verdict", "Interval", "Margin")
CONFUSION_HEAD: Final = ("Truth", "Answered as", "Rows", "Of the truth")


def gates_figure(report: Report) -> Figure | None:
    """The intervals of all gates against their margins."""
    if not report.gates:
        return None
    gates, outcome = worst_first(report.gates)[:DRAWN_GATES], report.outcome
    compared = outcome == COMPARED
    rest = more(len(report.gates), len(gates), "question" if compared else "gate")
    rows = tuple(
        (gate.title, word_shown(gate.verdict.word, outcome), _interval(gate),
         *(() if compared else (exact(gate.margin, gate.unit),)))
        for gate in gates
    )  # fmt: skip
    head = ("Question", "Answer", "Interval") if compared else GATES_HEAD
    baseline = report.baseline.name if report.baseline else "the baseline"
    return Figure(
        "intervals",
        f"Intervals of the differences from {baseline}" if compared else GATES_TITLE,
        f"{captions.gates_seen(outcome)} {as_sentence(rest)}".strip(),
        *in_widths(lambda pixels: intervals.gates(gates, pixels, outcome=outcome), WIDE),
        Table(head, rows, rest),
        key=verdict_key([gate.verdict.word for gate in gates], outcome),
    )


def pictures(report: Report) -> list[Figure]:
    """All other figures that the report has something for, in the order of the page."""
    figures: list[Figure | None] = [*across_figures(report)]
    figures += [_curves(report, kind) for kind in ("roc", "calibration")]
    figures += [_confusion(report.confusion), _latency(report.latency), _slices(report)]
    return _side_by_side([figure for figure in figures if figure is not None])


def _side_by_side(figures: list[Figure]) -> list[Figure]:
    """Marks the half that would leave an empty place beside it."""
    placed: list[Figure] = []
    waiting = False
    for at, figure in enumerate(figures):
        followed = at + 1 < len(figures) and figures[at + 1].shape == "half"
        if figure.shape == "half" and not waiting and not followed:
            figure = replace(figure, shape="alone")
        waiting = figure.shape == "half" and not waiting
        placed.append(figure)
    return placed


def overall(report: Report) -> MetricShown | None:
    """The main metric over all rows: that which the slices are about."""
    first = report.metrics[0] if report.metrics else None
    return next((each for each in report.metrics if each.metric in MAIN_METRICS), first)


def _curves(report: Report, kind: str) -> Figure | None:
    curves = [curve for curve in report.curves if curve.kind == kind and curve.x]
    if not curves:
        return None
    of_model = [curve for curve in curves if curve.model == report.model.name]
    curves = (of_model + [curve for curve in curves if curve not in of_model])[:2]
    key = tuple(zip(("line", "dashes"), (curve.model for curve in curves), strict=False))
    if kind == "roc":
        title, caption = "ROC: how well it ranks", captions.roc_seen(curves)
        head = ("False positives", "True positives", "Band")
        spec = charts.roc
    else:
        title, caption = "Calibration of its probabilities", captions.calibration_seen(curves)
        head = ("Predicted", "Share that is true", "Interval")
        spec = charts.calibration
    return Figure(
        kind,
        title,
        caption,
        *in_widths(lambda pixels: spec(curves, pixels), HALF),
        _curve_table(head, curves[0]),
        key=key,
        shape="half",
    )


def _curve_table(head: tuple[str, ...], curve: Curve) -> Table:
    total = len(curve.x)
    kept = range(total)
    if total > TABLE_POINTS:
        kept = [round(at * (total - 1) / (TABLE_POINTS - 1)) for at in range(TABLE_POINTS)]
    banded = len(curve.low) == total
    counted = len(curve.counts) == total
    rows = tuple(
        (
            shown(curve.x[at], "%"), shown(curve.y[at], "%"),
            between(curve.low[at], curve.high[at], "%") if banded else NOTHING,
            *((count(curve.counts[at]),) if counted else ()),
        )
        for at in kept
    )  # fmt: skip
    return Table((*head, "Rows") if counted else head, rows, more(total, len(rows), "point"))


def _confusion(table: Confusion | None) -> Figure | None:
    if table is None or not table.classes:
        return None
    wide, narrow = cells(table, SHOWN_CLASSES), cells(table, SHOWN_CLASSES_NARROW)
    worst = most_confused(table)
    small = len(wide.names) <= HALF_CLASSES
    return Figure(
        "confusion",
        "What is taken for what",
        captions.confusion_seen(table, worst, merged=wide.merged),
        charts.confusion(wide, HALF if small else WIDE),
        charts.confusion(narrow, NARROW),
        _every_cell(wide) if small else _worst_pairs(table, worst),
        shape="half" if small else "whole",
    )


def _every_cell(shown_cells: Cells) -> Table:
    names = shown_cells.names
    rows = tuple(
        (truth, answer, count(shown_cells.counts[row][column]),
         shown(shown_cells.shares[row][column], "%"))
        for row, truth in enumerate(names)
        for column, answer in enumerate(names)
    )  # fmt: skip
    return Table(CONFUSION_HEAD, rows)


def _worst_pairs(table: Confusion, worst: tuple[Confused, ...]) -> Table:
    rows = tuple(
        (pair.truth, pair.answer, count(pair.count), shown(pair.share, "%")) for pair in worst
    )
    right = sum(row[truth] for truth, row in enumerate(table.counts))
    errors = sum(map(sum, table.counts)) - right
    listed = sum(pair.count for pair in worst)
    return Table(CONFUSION_HEAD, rows, more(errors, listed, "error"))


def _slices(report: Report) -> Figure | None:
    if not report.slices:
        return None
    main = overall(report)
    unit, level = main.unit if main else "", 1 - report.confidence
    drawn = list(report.slices[:DRAWN_SLICES])
    rest = more(len(report.slices), len(drawn), "slice")
    rows = tuple(
        (each.slice, count(each.rows), between(each.low, each.high, unit),
         _difference(each, unit), p_shown(each.p_value))
        for each in drawn
    )  # fmt: skip
    head = ("Slice", "Rows", "Interval", "Slice minus the rest", "p, corrected (Holm)")
    name = main.title if main else "The main metric"
    estimate = main.estimate if main else None
    wide, narrow = in_widths(
        lambda pixels: intervals.slices(drawn, estimate, unit, level, pixels), WIDE
    )
    found = sum(intervals.differs(each, level) for each in drawn)
    key = (("notable", "differs from the rest"),) if found else ()
    key += (("plain", "not shown to differ"),) if found < len(drawn) else ()
    return Figure(
        "slices",
        f"Where it differs: {name} in slices",
        f"{captions.slices_seen(report.slices, level)}{captions.arrows(wide)}"
        f" {as_sentence(rest)}".strip(),
        wide,
        narrow,
        Table(head, rows, rest),
        key=key,
    )


def _latency(measured: LatencyShown | None) -> Figure | None:
    if measured is None or not measured.quantiles:
        return None
    names = [intervals.quantile_name(quantile) for quantile in measured.quantiles]
    rows = tuple(
        (
            name,
            f"{shown(estimate, width=width(low, high))}\u00a0ms",
            f"{between(low, high)}\u00a0ms",
        )
        for name, estimate, low, high in zip(
            names, measured.estimates_ms, measured.lows_ms, measured.highs_ms, strict=True
        )
    )
    return Figure(
        "latency",
        "How long an answer takes",
        captions.latency_seen(measured),
        *in_widths(lambda pixels: intervals.latency(measured, pixels), HALF),
        Table(("Quantile", "Estimate", "Interval"), rows),
        shape="half",
    )


def _difference(each: SliceShown, unit: str) -> str:
    points = "pp" if unit == "%" else unit
    return shown(each.difference, points, width=width(each.low, each.high))


def _interval(gate: GateShown) -> str:
    interval = gate.verdict.interval
    if interval is None:
        return NOTHING
    return between(interval.low, interval.high, gate.unit, side=interval.side)
