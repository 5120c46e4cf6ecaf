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
from pilotage.evaluation.verdict_words import COMPARED, NOT_SHOWN, word_shown
from pilotage.spec.gates import BetterThanBaseline, Gate

ASKED: Final = {
    "binary": ("accuracy", "roc_auc", "brier_score"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error"),
    "ranking": ("ndcg",),
}
"""The first of each decides the headline."""
MEANT_FOR_GATES: Final = (
    ("fails alone, but not among so many gates: one of them may fail so by chance",
     "worse if asked alone, but one of so many questions may look so by chance"),
    ("would fail alone, but may be chance", "worse if looked at alone, which may be chance"),
)  # fmt: skip
"""Beginnings of notes, and what they say where nothing fails."""
_BETTER: Final = word_shown("passed", COMPARED)
_DIRECTIONS: Final = {_BETTER: " (lower)", word_shown("failed", COMPARED): " (higher)"}
"""Where less is better."""


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
    said = headline(report)
    gates = tuple(compared(gate) for gate in report.gates)
    return replaced(report, headline=said, gates=gates, outcome=COMPARED)


def headline(report: Report) -> str:
    """Which is better by the first metric, and by how much."""
    assert report.baseline is not None
    first = report.gates[0]
    word = word_shown(first.verdict.word, COMPARED)
    how = f"{word} to be better" if word == NOT_SHOWN else word
    return f"{report.model.name} is {how} than {report.baseline.name}. {_in_two(first)[0]}."


def compared(gate: GateShown) -> GateShown:
    """The gate with its answer, and its notes, in the words of a comparison."""
    measured, answer = _in_two(gate)
    word = word_shown(gate.verdict.word, COMPARED)
    if word == NOT_SHOWN:
        _, bracket, reason = answer.removesuffix(".").partition(" (")
        said = f"{word} to differ{bracket}{reason.replace('many gates', 'many questions')}"
    else:
        lower = "(lower)" in gate.title.rpartition(": ")[2]
        said = f"{word}{_DIRECTIONS[word] if lower else ''}"
        said += " in every group" if gate.groups and word == _BETTER else ""
    notes = tuple(_note(note) for note in gate.notes)
    return replaced(gate, sentence=f"{measured}: {said}.", notes=notes)


def _in_two(gate: GateShown) -> tuple[str, str]:
    """The sentence: what was measured, and after what was asked the answer. What was asked ends
    the title."""
    measured, _, answer = gate.sentence.rpartition(f": {gate.title.rpartition(': ')[2]}")
    return measured, answer


def _note(note: str) -> str:
    for beginning, meant in MEANT_FOR_GATES:
        if note.startswith(beginning):
            return meant + note.removeprefix(beginning)
    return note
