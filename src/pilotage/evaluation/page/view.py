"""A report arranged for the page: every text that the template places, nothing left to compute."""

from dataclasses import dataclass
from typing import Final

from pilotage.evaluation.page.figures import (
    MARKS,
    Figure,
    Table,
    anchor,
    gates_figure,
    more,
    pictures,
    undrawn_across,
    worst_first,
)
from pilotage.evaluation.page.numbers import between, count, shown, width
from pilotage.evaluation.report import GateShown, MetricShown, ModelShown, Report

LISTED_GATES: Final = 100
"""Gates that the page lists with their sentences."""
LISTED_METRICS: Final = 60
"""Rows of the table of metrics."""
LISTED_CLASSES: Final = 20
"""Classes that are named in the model's identity."""
LISTED_NOTES: Final = 30
"""Notes on the whole evaluation."""

OUTCOMES: Final = {
    "passed": ("✓", "Passed"),
    "failed": ("✗", "Failed"),
    "undecided": ("?", "Undecided"),
    "none": ("·", "No gate asked"),
    "compared": ("⇄", "Compared"),
}
BECAUSE: Final = {
    "too_few": "too few rows to say anything",
    "straddles": "the interval allows both answers",
    "no_data": "there are no rows",
    "no_labels": "there are no labels",
    "horizon": "the rows that were granted are used up",
}


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate of the list; `facts` are shown on demand."""

    word: str
    mark: str
    sentence: str
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    groups: str
    """The identifier of the picture of its groups, or ""."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing that was judged, judged against or judged by, with what tells it from others."""

    kind: str
    name: str
    facts: tuple[tuple[str, str, bool], ...]
    """(what, its value, whether it is set in fixed width)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page, from top to bottom."""

    title: str
    outcome: str
    mark: str
    word: str
    headline: str
    summary: str
    tally: tuple[tuple[str, str, int], ...]
    """(word, mark, how many) of the verdicts that occur."""
    top: Figure | None
    gates: tuple[GateLine, ...]
    more_gates: str
    notes: tuple[str, ...]
    metrics: Table | None
    figures: tuple[Figure, ...]
    absent: tuple[tuple[str, str], ...]
    """(what is not shown, why)."""
    identities: tuple[Identity, ...]
    command: str
    facts: tuple[tuple[str, str], ...]
    made_at: str


def page(report: Report) -> Page:
    """The page of a report."""
    mark, word = OUTCOMES.get(report.outcome, ("·", report.outcome))
    listed = worst_first(report.gates)[:LISTED_GATES]
    made = report.made_at.replace("T", " ").removesuffix("Z").split("+")[0].split(".")[0]
    return Page(
        title=f"{word}: {report.model.name}, evaluated",
        outcome=report.outcome if report.outcome in OUTCOMES else "none",
        mark=mark,
        word=word,
        headline=report.headline,
        summary=_summary(report),
        tally=_tally(report),
        top=gates_figure(report),
        gates=tuple(_line(gate, report) for gate in listed),
        more_gates=more(len(report.gates), len(listed), "gate"),
        notes=report.notes[:LISTED_NOTES],
        metrics=_metrics(report),
        figures=tuple(pictures(report)),
        absent=_absent(report),
        identities=_identities(report),
        command=report.command,
        facts=_facts(report, made),
        made_at=f"{made} UTC",
    )


def error_rate(gate: GateShown) -> str:
    """What may go wrong with a verdict and how often, no surer than its procedure is."""
    interval = gate.verdict.interval
    rate = f"{gate.verdict.error_rate * 100:.3g} %"
    often = {
        "approximate": f"near {rate}",
        "asymptotic": f"near {rate} with many rows, more with few,",
    }.get(interval.guarantee if interval else "", f"at most {rate}")
    return f"{often} that it passes though it is bad; {often} that it fails though it is good"


def _summary(report: Report) -> str:
    against = f" against {report.baseline.name}" if report.baseline else ""
    return (
        f"{report.model.name}{against}, judged by {count(report.data.rows)} rows at "
        f"{report.confidence * 100:.4g} % confidence."
    )


def _tally(report: Report) -> tuple[tuple[str, str, int], ...]:
    words = [gate.verdict.word for gate in report.gates]
    return tuple(
        (word, MARKS[word], words.count(word))
        for word in ("failed", "undecided", "passed")
        if word in words
    )


def _line(gate: GateShown, report: Report) -> GateLine:
    verdict = gate.verdict
    facts = [("Rule", verdict.rule), ("Method", _method(gate)), ("Error rate", error_rate(gate))]
    if verdict.because:
        facts.insert(0, ("Undecided because", BECAUSE.get(verdict.because, verdict.because)))
    if gate.rows_needed:
        facts.insert(1, ("Rows needed", f"about {count(gate.rows_needed)}, if it is as good as it "
                         "seems, to be decided with a probability of 80 %"))  # fmt: skip
    plural = "" if verdict.observations == 1 else "s"
    facts.append(("Judged by", f"{count(verdict.observations)} {verdict.unit}{plural}"))
    if gate.line:
        facts.append(("Declared", f"line {gate.line} of the gate file"))
    return GateLine(
        word=verdict.word,
        mark=MARKS.get(verdict.word, "·"),
        sentence=gate.sentence,
        notes=gate.notes,
        facts=tuple(facts),
        assumptions=verdict.assumptions,
        groups=anchor(gate, report),
    )


def _method(gate: GateShown) -> str:
    """The procedure of the verdict, and how far its interval can be trusted."""
    interval = gate.verdict.interval
    return f"{gate.verdict.method} ({interval.guarantee})" if interval else gate.verdict.method


def _metrics(report: Report) -> Table | None:
    if not report.metrics:
        return None
    baseline = any(metric.baseline_estimate is not None for metric in report.metrics)
    listed = report.metrics[:LISTED_METRICS]
    head = ("Metric", "Estimate", "Interval", *(("Baseline",) if baseline else ()))
    rows = tuple(_metric(metric, baseline=baseline) for metric in listed)
    rest = more(len(report.metrics), len(listed), "metric")
    return Table(head, rows, rest, tuple(metric.note for metric in listed))


def _metric(metric: MetricShown, *, baseline: bool) -> tuple[str, ...]:
    interval = metric.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    apart = width(low, high)
    row = (
        metric.title,
        shown(metric.estimate, metric.unit, width=apart),
        between(low, high, metric.unit, side=interval.side if interval else "two"),
    )
    if not baseline:
        return row
    return (*row, shown(metric.baseline_estimate, metric.unit, width=apart))


def _absent(report: Report) -> tuple[tuple[str, str], ...]:
    absent: list[tuple[str, str]] = []
    if report.model.task == "binary" and not report.curves:
        absent.append(("ROC and calibration", "the model gives labels, no score"))
    if not report.slices:
        absent.append(("Slices", "no column was named to look into"))
    if not any(gate.groups for gate in report.gates):
        absent.append(("Fairness across groups", "no gate compares groups"))
    if report.latency is None:
        absent.append(("Latency", "no gate asked for it, so nothing was measured"))
    if left := undrawn_across(report):
        gates = "gate" if left == 1 else "gates"
        absent.append(("Groups", f"the groups of {left} more {gates} are in the JSON"))
    return tuple(absent)


def _identities(report: Report) -> tuple[Identity, ...]:
    data = report.data
    facts = [
        ("Source", data.source, True),
        ("Digest", data.digest, True),
        ("Rows", count(data.rows), False),
        ("Truth", f"column {data.label}", False),
    ]
    if data.protected:
        facts.append(("Protected", ", ".join(data.protected), False))
    models = [_model("Model", report.model)]
    models += [_model("Baseline", report.baseline)] if report.baseline else []
    return (*models, Identity("Data", data.source.rsplit("/", 1)[-1], tuple(facts)))


def _model(kind: str, model: ModelShown) -> Identity:
    facts = [("File", model.file, True), ("Digest", model.digest, True),
             ("Format", model.format, False), ("Task", model.task, False)]  # fmt: skip
    if model.classes:
        rest = more(len(model.classes), LISTED_CLASSES, "class")
        named = ", ".join(model.classes[:LISTED_CLASSES])
        facts.append(("Classes", f"{named} {rest}".strip(), False))
    return Identity(kind, model.name, tuple(facts))


def _facts(report: Report, made: str) -> tuple[tuple[str, str], ...]:
    policy = {"fail": "counts as failed", "warn": "is reported and does not fail"}
    return (
        ("Made", f"{made} UTC, in {report.seconds:.3g} s"),
        ("Pilotage", report.pilotage),
        ("Confidence", f"{report.confidence * 100:.4g} %"),
        ("Undecided", policy.get(report.undecided, report.undecided)),
        ("Shape", report.format),
    )
