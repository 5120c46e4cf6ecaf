"""A report arranged for the page: every text that the template places, nothing left to compute."""

from dataclasses import dataclass
from typing import Final

from pilotage.evaluation.page.across import anchor, undrawn_across
from pilotage.evaluation.page.figures import gates_figure, pictures
from pilotage.evaluation.page.numbers import between, count, shown, width
from pilotage.evaluation.page.ordering import worst_first
from pilotage.evaluation.page.shapes import Figure, Table, more
from pilotage.evaluation.report import GateShown, MetricShown, ModelShown, Report
from pilotage.evaluation.verdict_words import COMPARED, mark_shown, word_shown

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
    COMPARED: ("⇄", "Compared"),
}
BECAUSE: Final = {
    "too_few": "too few rows to say anything",
    "straddles": "the interval allows both answers",
    "no_data": "there are no rows",
    "no_labels": "there are no labels",
    "horizon": "the rows that were granted are used up",
}


@dataclass(frozen=True, slots=True)
class Headings:
    """What parts of the page are called."""

    gates: str
    decided: str
    judged: str
    again: str


JUDGED: Final = Headings(
    "Gates",
    "How this was decided",
    "What was judged",
    "The same model, the same rows and the same gates give the same verdicts.",
)
SIDE_BY_SIDE: Final = Headings(
    "Is it better?",
    "How this was found",
    "What was compared",
    "The same two models and the same rows give the same answers.",
)


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate of the list; `facts` are shown on demand. `look` is the verdict's own word."""

    look: str
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
    headings: Headings
    tally: tuple[tuple[str, str, str, int], ...]
    """(look, mark, word, how many) of the verdicts that occur."""
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
        title=_title(word, report),
        outcome=report.outcome if report.outcome in OUTCOMES else "none",
        mark=mark,
        word=word,
        headline=report.headline,
        summary=_summary(report),
        headings=SIDE_BY_SIDE if report.outcome == COMPARED else JUDGED,
        tally=_tally(report),
        top=gates_figure(report),
        gates=tuple(_line(gate, report) for gate in listed),
        more_gates=more(len(report.gates), len(listed), _noun(report)),
        notes=report.notes[:LISTED_NOTES],
        metrics=_metrics(report),
        figures=tuple(pictures(report)),
        absent=_absent(report),
        identities=_identities(report),
        command=report.command,
        facts=_facts(report, made),
        made_at=f"{made} UTC",
    )


def error_rate(gate: GateShown, outcome: str) -> str:
    """What may go wrong with a verdict and how often, no surer than its procedure is."""
    interval = gate.verdict.interval
    rate = f"{gate.verdict.error_rate * 100:.3g} %"
    often = {
        "approximate": f"near {rate}",
        "asymptotic": f"near {rate} with many rows, more with few,",
    }.get(interval.guarantee if interval else "", f"at most {rate}")
    if outcome == COMPARED:
        words = (word_shown(word, outcome) for word in ("passed", "failed"))
        return "; ".join(f"{often} that it is called {word} and is not" for word in words)
    return f"{often} that it passes though it is bad; {often} that it fails though it is good"


def _summary(report: Report) -> str:
    against = f" against {report.baseline.name}" if report.baseline else ""
    how = "compared on" if report.outcome == COMPARED else "judged by"
    return (
        f"{report.model.name}{against}, {how} {count(report.data.rows)} rows at "
        f"{report.confidence * 100:.4g} % confidence."
    )


def _title(word: str, report: Report) -> str:
    if report.outcome == COMPARED and report.baseline:
        return f"{word}: {report.model.name} with {report.baseline.name}"
    return f"{word}: {report.model.name}, evaluated"


def _noun(report: Report) -> str:
    return "question" if report.outcome == COMPARED else "gate"


def _tally(report: Report) -> tuple[tuple[str, str, str, int], ...]:
    words, outcome = [gate.verdict.word for gate in report.gates], report.outcome
    return tuple(
        (word, mark_shown(word, outcome), word_shown(word, outcome), words.count(word))
        for word in ("failed", "undecided", "passed")
        if word in words
    )


def _line(gate: GateShown, report: Report) -> GateLine:
    verdict, outcome = gate.verdict, report.outcome
    rate = error_rate(gate, outcome)
    facts = [("Rule", verdict.rule), ("Method", _method(gate)), ("Error rate", rate)]
    if verdict.because:
        what = f"{word_shown(verdict.word, outcome).capitalize()} because"
        facts.insert(0, (what, BECAUSE.get(verdict.because, verdict.because)))
    if gate.rows_needed:
        done = "shown" if outcome == COMPARED else "decided"
        facts.insert(1, ("Rows needed", f"about {count(gate.rows_needed)}, if it is as good as it "
                         f"seems, to be {done} with a probability of 80 %"))  # fmt: skip
    plural = "" if verdict.observations == 1 else "s"
    facts.append(("Judged by", f"{count(verdict.observations)} {verdict.unit}{plural}"))
    if gate.line:
        facts.append(("Declared", f"line {gate.line} of the gate file"))
    return GateLine(
        look=verdict.word,
        mark=mark_shown(verdict.word, outcome) or "·",
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
    compared = report.outcome == COMPARED
    if report.model.task == "binary" and not report.curves:
        absent.append(("ROC and calibration", "the model gives labels, no score"))
    if not report.slices:
        absent.append(("Slices", "no column was named to look into"))
    if not any(gate.groups for gate in report.gates):
        why = "no protected column was named" if compared else "no gate compares groups"
        absent.append(("Groups" if compared else "Fairness across groups", why))
    if report.latency is None and not compared:
        absent.append(("Latency", "no gate asked for it, so nothing was measured"))
    if left := undrawn_across(report):
        noun = f"{_noun(report)}{'' if left == 1 else 's'}"
        absent.append(("Groups", f"the groups of {left} more {noun} are in the JSON"))
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
    undecided = ("Undecided", policy.get(report.undecided, report.undecided))
    return (
        ("Made", f"{made} UTC, in {report.seconds:.3g} s"),
        ("Pilotage", report.pilotage),
        ("Confidence", f"{report.confidence * 100:.4g} %"),
        *(() if report.outcome == COMPARED else (undecided,)),
        ("Shape", report.format),
    )
