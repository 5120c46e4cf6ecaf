"""Is B better than A, by how much, and where: the same evaluation with questions of its own.

Each metric that can be paired on rows asks "is B better?"; each group of a protected column asks it
again. Nothing here passes or fails a release: the answers are better, worse, or not shown.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from msgspec.structs import replace as replaced

from pilotage.evaluation.evaluating import Progress, Request, evaluate
from pilotage.evaluation.report import GateShown, Report
from pilotage.spec.gates import BetterThanBaseline, Gate

ASKED: Final = {
    "binary": ("accuracy", "roc_auc", "brier_score"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error"),
    "ranking": ("ndcg",),
}
"""The first of each decides the headline."""
COMPARED: Final = "compared"
"""The outcome of a report in which nothing passes or fails."""


def questions(
    task: str, protected: Sequence[str], *, scores: bool, probabilities: bool
) -> tuple[Gate, ...]:
    """What is asked of two models of this task."""
    needs_scores = () if scores else ("roc_auc",)
    needs_probabilities = () if probabilities else ("brier_score", "log_loss")
    left = (*needs_scores, *needs_probabilities)
    names = [name for name in ASKED[task] if name not in left]
    overall = [Gate(name, BetterThanBaseline()) for name in names]
    groups = [Gate(names[0], BetterThanBaseline(), across=(column,)) for column in protected]
    return (*overall, *groups)


def compare(request: Request, *, progress: Progress) -> Report:
    """The report on B (`request.model`) against A (`request.baseline`).

    Raises:
        PilotageError: as `evaluate`.
    """
    protected = request.gates.data.protected

    def ask(task: str, scores: bool, probabilities: bool) -> tuple[Gate, ...]:
        return questions(task, protected, scores=scores, probabilities=probabilities)

    report = evaluate(
        replace(request, gates=replace(request.gates, undecided="warn")),
        progress=progress,
        asking=ask,
    )
    return replaced(report, headline=headline(report), outcome=COMPARED)


def headline(report: Report) -> str:
    """Which is better by the first metric, and by how much."""
    assert report.baseline is not None
    first = report.gates[0]
    measured = first.sentence.partition(": better")[0]
    return f"{report.model.name} is {_word(first)} than {report.baseline.name}. {measured}."


def _word(gate: GateShown) -> str:
    return {"passed": "better", "failed": "worse"}.get(gate.verdict.word, "not shown to be better")
