"""The whole of an evaluation: rows through the models, gates to their answers, all into a report.

The order: what the gates need is read from them (groups, perturbations, a baseline); the rows are
scored; every gate is made a question, and all that cannot be asked is told at once; the questions
are answered together; what people look at beside the gates is computed last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pilotage.checks.answers import Answer
from pilotage.checks.metrics import OBSERVED, observe, title_of, unit_of
from pilotage.checks.observed import Statistic, estimate_of
from pilotage.checks.once.asking import Asked, Rows, answer_all, ask
from pilotage.checks.once.of_one_model import quantity_of
from pilotage.checks.scored import Array, Scored
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation import curves
from pilotage.evaluation.data.columns import Dataset
from pilotage.evaluation.data.groups import with_asked
from pilotage.evaluation.data.surveying import survey
from pilotage.evaluation.perturbation.perturbing import Perturbing
from pilotage.evaluation.report import (
    FORMAT,
    DataShown,
    LatencyShown,
    MetricShown,
    ModelShown,
    Report,
)
from pilotage.evaluation.scoring.custom_metrics import losses_of
from pilotage.evaluation.scoring.predicting import score, score_perturbed
from pilotage.evaluation.shown import finite, gate_shown, interval_shown
from pilotage.evaluation.slicing import slices_of
from pilotage.formats.opening import OpenedModel
from pilotage.spec.gate_words import METRICS, custom_word
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    DataSettings,
    DropUnder,
    Equals,
    Gate,
    GateFile,
    Perturbation,
    Within,
)
from pilotage.statistics.verdict import Failed, Passed

SEED: Final = 20261124
"""Of all chance in an evaluation; the same rows and gates give the same report."""
BOOTSTRAP_ROWS: Final = 200_000
"""Rows above which a metric that no gate asks for is shown without a bootstrapped interval."""
BESIDE: Final = {
    "binary": (
        "accuracy",
        "roc_auc",
        "precision",
        "recall",
        "false_positive_rate",
        "f1",
        "brier_score",
        "calibration_in_the_large",
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "f1", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error", "r2", "mean_error"),
    "ranking": ("ndcg",),
}
"""Metrics that are shown beside the gates."""

Progress = Callable[[str, int, int | None], None]
"""(what is done, rows done, rows in all)"""
Asking = Callable[[str, bool, bool], Sequence[Gate]]
"""(task, whether there are scores, whether they are probabilities) -> gates"""


@dataclass(frozen=True, slots=True)
class Request:
    """What is evaluated. `home` is where paths of custom metrics start, `now` ISO 8601, `clock`
    gives seconds."""

    model: OpenedModel
    baseline: OpenedModel | None
    dataset: Dataset
    gates: GateFile
    home: Path
    command: str
    pilotage: str
    now: str
    clock: Callable[[], float]


def evaluate(
    request: Request,
    *,
    progress: Progress,
    measured: Sequence[Asked] = (),
    latency: LatencyShown | None = None,
    notes: Sequence[str] = (),
    asking: Asking | None = None,
) -> Report:
    """The report on a model.

    Args:
        measured: gates that need no rows (latency, memory), already questions; they are answered
            with the others, so that one error rate holds over all.
        latency, notes: what else measuring those gave.
        asking: makes the gates once the rows are scored, instead of those of the request.

    Raises:
        PilotageError: the model, the data and the gates do not fit together; every gate that
            cannot be asked is told at once.
    """
    began = request.clock()
    custom = dict(request.gates.metrics)
    gates = [
        gate for gate in request.gates.gates if gate.metric in OBSERVED or gate.metric in custom
    ]
    answered = {id(gate) for gate in gates} | {id(one.gate) for one in measured}
    if left := [gate.metric for gate in request.gates.gates if id(gate) not in answered]:
        raise PilotageError(f"nobody measured {', '.join(left)}", expected="every gate answered")
    settings = with_groups(request.gates.data, gates)
    rows, told = score_all(request, settings, gates, progress)
    if asking is not None:
        one = rows.candidate
        gates = list(asking(one.task, one.score is not None, one.probabilities))
    rows, said = with_losses(request, rows)
    asked = [*_asked(gates, rows), *measured]
    asked.sort(key=lambda one: one.gate.line)
    answers = answer_all(asked, request.gates.confidence)
    outcome = outcome_of(answers)
    confidence = request.gates.confidence
    return Report(
        format=FORMAT,
        made_at=request.now,
        pilotage=request.pilotage,
        command=request.command,
        model=_model(request.model, rows.candidate),
        baseline=(
            _model(request.baseline, rows.baseline)
            if request.baseline is not None and rows.baseline is not None
            else None
        ),
        data=DataShown(
            request.dataset.source,
            request.dataset.digest,
            rows.candidate.rows,
            settings.label or "",
            request.gates.data.protected,
        ),
        confidence=confidence,
        undecided=request.gates.undecided,
        outcome=outcome,
        headline=headline_of(request.model.name, answers, outcome),
        gates=tuple(gate_shown(answer) for answer in answers),
        metrics=_metrics(rows, asked, confidence),
        slices=slices_of(rows.candidate, confidence),
        curves=_curves(request, rows, confidence),
        confusion=curves.confusion(rows.candidate),
        latency=latency,
        notes=(*told, *said, *notes, *_weighted(settings)),
        seconds=round(request.clock() - began, 3),
    )


def _weighted(settings: DataSettings) -> tuple[str, ...]:
    if settings.weight is None:
        return ()
    return (
        f"rows count by {settings.weight} in gates and metrics, whose intervals are resampled;"
        " slices and pictures count every row once",
    )


def with_groups(settings: DataSettings, gates: Sequence[Gate]) -> DataSettings:
    """The settings with every column that a gate groups by."""
    named = [*settings.protected]
    for gate in gates:
        named += [*gate.across, *(column for column, _ in gate.where)]
    return replace(settings, protected=tuple(dict.fromkeys(named)))


def score_all(
    request: Request, settings: DataSettings, gates: Sequence[Gate], progress: Progress
) -> tuple[Rows, tuple[str, ...]]:
    """The rows through the models, plain and perturbed."""
    dataset = request.dataset

    def tell(what: str) -> Callable[[int, int | None], None]:
        return lambda done, total: progress(what, done, total)

    surveyed = survey(dataset, settings, progress=tell("reading labels"))
    groups = with_asked(surveyed.groups, [gate.across for gate in gates if gate.across])
    surveyed = replace(surveyed, groups=groups)
    perturbations = tuple(
        dict.fromkeys(
            gate.condition.perturbation for gate in gates if isinstance(gate.condition, DropUnder)
        )
    )
    perturbing = Perturbing(request.model.signature, perturbations)
    if perturbations:
        perturbing.learn(request.model, dataset, settings, progress=tell("reading spreads"))
    candidate, perturbed, notes = score_perturbed(
        request.model,
        dataset,
        settings,
        perturbing.functions(),
        seed=SEED,
        surveyed=surveyed,
        progress=tell(f"running {request.model.name}"),
    )
    notes += perturbing.notes
    baseline = None
    if request.baseline is not None:
        running = tell(f"running the baseline {request.baseline.name}")
        baseline, more = score(
            request.baseline, dataset, settings, surveyed=surveyed, progress=running
        )
        notes += tuple(f"the baseline: {note}" for note in more if note not in notes)
        _comparable(candidate, baseline)
    by_kind: dict[Perturbation, Scored | PilotageError] = dict(
        zip(perturbations, perturbed, strict=True)
    )
    return Rows(candidate, baseline, by_kind), notes


def with_losses(request: Request, rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """The rows with what the user's own metrics say about them, and notes on how they ran."""
    notes: list[str] = []

    def of(scored: Scored) -> Scored:
        losses: dict[str, Array] = {}
        for name, reference in request.gates.metrics:
            found, said = losses_of(reference, scored, home=request.home)
            losses[name] = found.values
            notes.extend(said)
        return replace(scored, losses=losses)

    if not request.gates.metrics:
        return rows, ()
    perturbed = {
        how: scored if isinstance(scored, PilotageError) else of(scored)
        for how, scored in rows.perturbed.items()
    }
    baseline = None if rows.baseline is None else of(rows.baseline)
    return Rows(of(rows.candidate), baseline, perturbed), tuple(dict.fromkeys(notes))


def _comparable(candidate: Scored, baseline: Scored) -> None:
    if (candidate.task, candidate.classes) != (baseline.task, baseline.classes):
        raise PilotageError(
            "the model and the baseline answer different questions",
            expected=f"{candidate.task} with classes {', '.join(candidate.classes) or 'none'}",
            fix="Compare models with the same label.",
        )


def _asked(gates: Sequence[Gate], rows: Rows) -> list[Asked]:
    """Every gate as a question; all that cannot be asked is told together."""
    asked: list[Asked] = []
    errors: list[PilotageError] = []
    for gate in gates:
        try:
            word = METRICS.get(gate.metric) or custom_word(gate.metric)
            asked.append(ask(gate, word, rows))
        except PilotageError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else PilotageErrors(errors)
    return asked


def outcome_of(answers: Sequence[Answer]) -> str:
    """passed, failed, undecided or none; what an undecided one is worth is the user's policy."""
    if not answers:
        return "none"
    if any(isinstance(answer.verdict, Failed) for answer in answers):
        return "failed"
    if all(isinstance(answer.verdict, Passed) for answer in answers):
        return "passed"
    return "undecided"


def headline_of(name: str, answers: Sequence[Answer], outcome: str) -> str:
    """What a person should know first."""
    if outcome == "none":
        return f"{name} was measured; no gate was asked."
    total = len(answers)
    gates = "the gate" if total == 1 else f"all {total} gates"
    failed = [answer for answer in answers if isinstance(answer.verdict, Failed)]
    if failed:
        others = len(failed) - 1
        more = f" and {others} more {'gate' if others == 1 else 'gates'}" if others else ""
        return f"{name} fails: {failed[0].title}{more}."
    passed = sum(isinstance(answer.verdict, Passed) for answer in answers)
    if passed == total:
        return f"{name} passes {gates}."
    open_ = total - passed
    noun, are = "gate" if total == 1 else "gates", "is" if open_ == 1 else "are"
    return f"{name} is not shown to be good enough: {open_} of {total} {noun} {are} undecided."


def _model(model: OpenedModel, scored: Scored) -> ModelShown:
    return ModelShown(
        model.name, str(model.source), model.format, model.digest, scored.task, scored.classes
    )


def _metrics(rows: Rows, asked: Sequence[Asked], confidence: float) -> tuple[MetricShown, ...]:
    shown: list[MetricShown] = []
    known = {one.gate.metric: one.quantity for one in asked if _is_overall(one.gate)}
    for name in BESIDE[rows.candidate.task]:
        word = METRICS[name]
        try:
            observed = observe(word, rows.candidate, {})
            other = None if rows.baseline is None else observe(word, rows.baseline, {})
        except PilotageError:
            continue  # the model gives no scores; the metrics of labels are shown
        large = isinstance(observed, Statistic) and observed.rows > BOOTSTRAP_ROWS
        large = large and name not in known
        quantity = None if large else known.get(name) or quantity_of(observed)
        shown.append(
            MetricShown(
                name,
                title_of(name),
                unit_of(word),
                finite(estimate_of(observed)),
                None if quantity is None else interval_shown(quantity.interval(confidence, "two")),
                None if other is None else finite(estimate_of(other)),
                f"no interval above {BOOTSTRAP_ROWS:,} rows unless a gate asks" if large else "",
            )
        )
    return tuple(shown)


def _is_overall(gate: Gate) -> bool:
    """Whether the gate's quantity is the metric of all rows, as it is shown beside the gates."""
    plain = isinstance(gate.condition, AtLeast | AtMost | Within | Equals)
    return plain and not (gate.across or gate.where or gate.options)


def _curves(request: Request, rows: Rows, confidence: float) -> tuple[curves.Curve, ...]:
    made: list[curves.Curve | None] = []
    for make in (curves.roc, curves.calibration):
        made.append(make(rows.candidate, request.model.name, confidence))
        if request.baseline is not None and rows.baseline is not None:
            made.append(make(rows.baseline, request.baseline.name, confidence))
    return tuple(curve for curve in made if curve is not None)
