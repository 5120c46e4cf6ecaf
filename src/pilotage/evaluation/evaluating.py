"""The whole of an evaluation: rows through the models, gates to their answers, all into a report.

The order: what the gates need is read from them (groups, perturbations, a baseline); the rows are
scored; every gate is made a question, and all that cannot be asked is told at once; the questions
are answered together; what people look at beside the gates is computed last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pilotage.checks.metrics import OBSERVED
from pilotage.checks.once.asking import Asked, Rows, answer_all, ask
from pilotage.checks.scored import Array, Scored
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation import curves
from pilotage.evaluation.beside import curves_beside, metrics_beside
from pilotage.evaluation.data.columns import Dataset
from pilotage.evaluation.data.groups import with_asked
from pilotage.evaluation.data.surveying import survey
from pilotage.evaluation.outcome import headline_of, outcome_of
from pilotage.evaluation.perturbation.perturbing import Perturbing
from pilotage.evaluation.report import (
    FORMAT,
    DataShown,
    LatencyShown,
    ModelShown,
    Report,
)
from pilotage.evaluation.scoring.custom_metrics import losses_of
from pilotage.evaluation.scoring.predicting import score, score_perturbed
from pilotage.evaluation.shown import gate_shown
from pilotage.evaluation.slicing import slices_of
from pilotage.formats.opening import OpenedModel
from pilotage.spec.gate_words import METRICS, custom_word
from pilotage.spec.gates import (
    DataSettings,
    DropUnder,
    Gate,
    GateFile,
    Perturbation,
)

SEED: Final = 20261124
"""Of all chance in an evaluation; the same rows and gates give the same report."""
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
    gates = _of_rows(request, measured)
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
        metrics=metrics_beside(rows, asked, confidence),
        slices=slices_of(rows.candidate, confidence),
        curves=curves_beside(
            rows,
            request.model.name,
            request.baseline.name if request.baseline is not None else "",
            confidence,
        ),
        confusion=curves.confusion(rows.candidate),
        latency=latency,
        notes=(*told, *said, *notes, *_weighted(settings)),
        seconds=round(request.clock() - began, 3),
    )


def _of_rows(request: Request, measured: Sequence[Asked]) -> list[Gate]:
    """The gates that rows answer.

    Raises:
        PilotageError: one that neither rows nor `measured` answer: nothing is left out in silence.
    """
    custom = dict(request.gates.metrics)
    every = request.gates.gates
    gates = [gate for gate in every if gate.metric in OBSERVED or gate.metric in custom]
    answered = {id(gate) for gate in gates} | {id(one.gate) for one in measured}
    if left := [gate.metric for gate in every if id(gate) not in answered]:
        raise PilotageError(f"nobody measured {', '.join(left)}", expected="every gate answered")
    return gates


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


def _model(model: OpenedModel, scored: Scored) -> ModelShown:
    return ModelShown(
        model.name, str(model.source), model.format, model.digest, scored.task, scored.classes
    )
