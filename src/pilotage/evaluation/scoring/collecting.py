"""A model's outputs, batch by batch -> its answer and score for each row.

Scores are probabilities when every row has them within 0 to 1 and, for one score a class, with sum
1. Of two scores that are not, their difference is the score.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError
from pilotage.evaluation.data.rows import chunks, room
from pilotage.evaluation.data.surveying import Surveyed
from pilotage.evaluation.data.vocabulary import Vocabulary
from pilotage.evaluation.scoring.outputs import Decision, matched
from pilotage.spec.gates import DataSettings

SUM_TOLERANCE: Final = 5e-3
"""How far the probabilities of a row may be from 1 in sum: what 16-bit floats need."""
SCORE_BYTES: Final = 8 * 1024**3
"""Bytes of scores kept for one model; of more, the answers alone are kept."""
LABELS: Final = 20_000
"""Different labels that one model may answer."""
AGREEMENT: Final = 0.5
"""The share of rows whose label is the class with the largest score, below which the order of the
classes was guessed wrong."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Answers:
    """The outputs of some rows: labels (rows,) or None, scores (rows, width) or None."""

    labels: Array | None
    scores: Array | None


class Collector:
    """Gathers one model's answers over all rows."""

    def __init__(self, decision: Decision, surveyed: Surveyed, settings: DataSettings) -> None:
        self._decision = decision
        self._surveyed = surveyed
        self._threshold = settings.threshold
        self._named_positive = settings.positive is not None
        rows, wide = surveyed.rows, decision.width if decision.task == "multiclass" else 0
        self._score: Array | None = None
        self._kept = 4 * rows * max(1, wide) <= SCORE_BYTES
        self._numbers = decision.task in ("regression", "ranking")
        if decision.width and self._kept and not self._numbers:
            self._score = room(rows, np.float32, wide=wide if wide > 1 else 0)
        self._answer = room(rows, np.float64 if self._numbers else np.int32)
        self._words = Vocabulary("the model's label", at_most=LABELS)
        self._labelled = False
        self._probabilities = decision.width > 0
        self._agreeing = 0

    def take(self, answers: Answers, first_row: int) -> None:
        """The answers for the rows from `first_row` on; scores are finite."""
        scores = answers.scores
        length = len(scores) if scores is not None else len(_given(answers.labels))
        place = slice(first_row, first_row + length)
        if self._numbers:
            self._answer[place] = _given(scores)[:, 0]
            return
        if scores is not None:
            self._take_scores(scores, place)
        if answers.labels is not None:
            self._take_labels(answers.labels, scores, place)

    def _take_scores(self, scores: Array, place: slice) -> None:
        width, before = self._decision.width, self._probabilities
        self._probabilities = before and _are_probabilities(scores)
        if width == 2 and self._decision.task == "binary":
            positive = self._decision.positive
            self._answer[place] = scores.argmax(axis=1) == positive
            if before and not self._probabilities:
                self._as_differences(place.start)
            mine = scores[:, positive]
            made = mine if self._probabilities else mine - scores[:, 1 - positive]
        elif width > 1:
            self._answer[place] = scores.argmax(axis=1)
            made = scores
        else:
            made = scores[:, 0]
        if self._score is not None:
            self._score[place] = made

    def _as_differences(self, rows: int) -> None:
        """The probabilities kept so far as differences of the two: p - (1 - p)."""
        for part in chunks(rows):
            _given(self._score)[part] = 2 * _given(self._score)[part] - 1

    def _take_labels(self, labels: Array, scores: Array | None, place: slice) -> None:
        import polars as pl

        if labels.dtype == object:
            series = pl.Series("label", labels.tolist(), pl.String)
        else:
            series = pl.Series("label", np.ascontiguousarray(labels))
        codes = self._words.codes(series)
        self._labelled = True
        if self._decision.notes and scores is not None and scores.shape[1] > 1:
            places = {name: index for index, name in enumerate(self._decision.classes)}
            classes = np.array([places.get(name, -1) for name in self._words.names])
            self._agreeing += int(np.count_nonzero(classes[codes] == scores.argmax(axis=1)))
        self._answer[place] = codes

    def scored(self) -> tuple[Scored, tuple[str, ...]]:
        """Everything in one, with notes for people.

        Raises:
            PilotageError: the model answered labels that are none of its classes, or more than two
                where a positive one or a threshold was named.
        """
        if self._numbers:
            made = self._scored(self._decision.task, self._surveyed.truth.as_numbers(), ())
            return made, ()
        classes = self._classes()
        self._check_order()
        binary = self._decision.task == "binary" and len(classes) == 2
        if not binary and (self._named_positive or self._threshold is not None):
            raise PilotageError(
                f"the model answers {len(classes)} labels, and none of them is the positive one",
                expected=f"two: {', '.join(self._decision.classes)}",
                fix="Leave `positive` and `threshold` out, or use a model of two classes.",
            )
        notes = list(self._decision.notes)
        if self._decision.width > 1 and not self._kept:
            notes.append(f"the scores of {len(classes)} classes are too many to be kept")
        if self._labelled:
            self._answer_by_labels(classes)
        if len(classes) > len(self._decision.classes) and self._score is not None:
            notes.append("scores are left aside: the model answered labels that the data lack")
            self._score = None
        if binary:
            return self._binary(classes, notes)
        truth = self._surveyed.truth.codes(self._places(classes))
        return self._scored("multiclass", truth, classes), tuple(notes)

    def _classes(self) -> tuple[str, ...]:
        """The classes, with labels that only the model answered, where it may."""
        classes = self._decision.classes
        strange = [name for name in self._words.names if matched(name, classes) is None]
        if strange and not self._decision.open:
            raise PilotageError(
                f"the model answered {len(strange)} labels that are none of its"
                f" {len(classes)} classes"
            )
        return classes + tuple(sorted(strange))

    def _check_order(self) -> None:
        """An order of classes that was guessed agrees with the model's own labels."""
        if not (self._decision.notes and self._labelled):
            return
        if self._agreeing < AGREEMENT * self._surveyed.rows:
            raise PilotageError(
                "the model's labels are not the classes with its largest scores, in any order that"
                " the data tell",
                fix="Export the model with its classes numbered in the order of its scores.",
            )

    def _answer_by_labels(self, classes: tuple[str, ...]) -> None:
        """The model's own labels as indices into `classes`; for two, 1 is the positive one."""
        places = [classes.index(matched(name, classes) or name) for name in self._words.names]
        table = np.array(places or [0], np.int32)
        if self._decision.task == "binary" and len(classes) == 2:
            table = (table == self._positive(classes)).astype(np.int32)
        for part in chunks(self._surveyed.rows):
            self._answer[part] = table[self._answer[part]]

    def _positive(self, classes: tuple[str, ...]) -> int:
        """The index of the positive class; the second one where nobody named it."""
        return self._decision.positive if self._named_positive else len(classes) - 1

    def _places(self, classes: tuple[str, ...]) -> list[int]:
        names = self._surveyed.truth.names or ()
        return [classes.index(matched(name, classes) or name) for name in names]

    def _binary(self, classes: tuple[str, ...], notes: list[str]) -> tuple[Scored, tuple[str, ...]]:
        positive = self._positive(classes)
        truth = self._surveyed.truth.codes([int(p == positive) for p in self._places(classes)])
        score = self._score
        middle = 0.5 if self._probabilities else 0.0
        if score is not None and self._decision.flipped:
            for part in chunks(len(score)):
                score[part] = 2 * middle - score[part]
        if score is not None and (
            self._threshold is not None or (self._decision.width == 1 and not self._labelled)
        ):
            threshold = middle if self._threshold is None else self._threshold
            for part in chunks(len(score)):
                self._answer[part] = score[part] >= threshold
            notes.append(f"a row is answered positive from a score of {threshold:g} on")
        notes.append(f"positive is {classes[positive]!r}")
        return self._scored("binary", truth, (classes[1 - positive], classes[positive])), tuple(
            notes
        )

    def _scored(self, task: Any, truth: Array, classes: tuple[str, ...]) -> Scored:
        return Scored(
            task=task,
            truth=truth,
            answer=self._answer,
            score=self._score,
            probabilities=self._score is not None and self._probabilities,
            classes=classes,
            groups=self._surveyed.groups,
            weight=self._surveyed.weight,
            query=self._surveyed.query,
        )


def _are_probabilities(scores: Array) -> bool:
    if float(scores.min()) < 0 or float(scores.max()) > 1 + SUM_TOLERANCE:
        return False
    if scores.shape[1] == 1:
        return float(scores.max()) <= 1
    sums = scores.sum(axis=1, dtype=np.float64)
    return bool(np.abs(sums - 1).max() <= SUM_TOLERANCE)


def _given(array: Array | None) -> Array:
    assert array is not None
    return array
