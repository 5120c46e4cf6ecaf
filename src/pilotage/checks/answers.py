"""The answer to one gate: its verdict, the sentence that says it, and what stands behind it."""

from dataclasses import dataclass

from pilotage.spec.gates import Gate
from pilotage.statistics.verdict import Verdict


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One group, or one pair of groups, of a gate with `across`.

    `group` reads "F", or "F against M" for a pair. `estimate` and the ends are of the metric in
    the group, or of the difference or ratio of the pair; None where nothing can be said.
    """

    group: str
    verdict: Verdict
    rows: int
    estimate: float | None
    low: float | None
    high: float | None
    culprit: bool = False
    """Named by Holm's procedure as one that fails, not only as part of what fails."""


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """The metric in one group by itself, where groups are compared: for looking, not for deciding.

    `low` and `high` hold together at the report's confidence.
    """

    group: str
    rows: int
    estimate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gate answered.

    `sentence` is whole: "Accuracy is 82.1–83.4 % (each end 95 %, 20,000 rows): at least 80 %,
    passed." `margin` is where the interval has to end, in the metric's unit, for pictures;
    `rows_needed` the rows with which a model that is as good as it seems would be decided with
    80 %, where undecided and where that can be said.
    """

    gate: Gate
    title: str
    sentence: str
    verdict: Verdict
    margin: float | None
    unit: str
    """`%`, `pp`, `ratio`, `ms`, `MB` or empty: how numbers of this gate are shown."""
    groups: tuple[GroupAnswer, ...] = ()
    rows_needed: int | None = None
    notes: tuple[str, ...] = ()
    members: tuple[GroupEstimate, ...] = ()
    """Each group by itself, where the gate compares groups."""
