"""What a person may ask of a model before it gets traffic: gates, as declared.

Numbers are in the metric's own unit: a percentage or percentage points become a fraction (`1pp` is
0.01), a duration seconds, a size bytes. `line` is where the gate stands in its file, 0 when it was
made otherwise.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The metric is this or more."""

    value: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """The metric is this or less."""

    value: float


@dataclass(frozen=True, slots=True)
class Within:
    """The metric, whose ideal is 0, is no farther from it than this."""

    value: float


@dataclass(frozen=True, slots=True)
class NotWorseThanBaseline:
    """The candidate is worse than the baseline by less than this margin, on the same rows."""

    by_more_than: float


@dataclass(frozen=True, slots=True)
class BetterThanBaseline:
    """The candidate is better than the baseline by more than this, on the same rows."""

    by_at_least: float = 0.0


@dataclass(frozen=True, slots=True)
class DifferenceAcross:
    """Between any two groups that are compared, the metric differs by this at most."""

    at_most: float


@dataclass(frozen=True, slots=True)
class RatioAcross:
    """Of any two groups that are compared, the smaller metric is at least this share."""

    at_least: float


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What is done to the inputs: a share of the values goes missing, noise is added to numbers.

    `missing` is the probability with which a value is taken away, `noise_sd` the noise's standard
    deviation in those of the column. `columns` narrows it; empty means every column.
    """

    missing: float = 0.0
    noise_sd: float = 0.0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DropUnder:
    """On perturbed inputs the metric is worse by this at most, on the same rows."""

    perturbation: Perturbation
    at_most: float


@dataclass(frozen=True, slots=True)
class Equals:
    """The metric equals a claimed value, give or take `within`."""

    value: float
    within: float


Condition = (
    AtLeast
    | AtMost
    | Within
    | NotWorseThanBaseline
    | BetterThanBaseline
    | DifferenceAcross
    | RatioAcross
    | DropUnder
    | Equals
)


@dataclass(frozen=True, slots=True)
class Gate:
    """One question with its margin.

    `across` names the columns whose groups are compared or each judged; several make
    intersections. `against` says which pairs: all (`extremes`), each with the best, with the whole,
    or with a named group. Groups of fewer rows than `groups_from` are undecided. `where` narrows
    the rows to those with these values. `options` are the metric's own settings (`k`, `tolerance`,
    `quantile`, `clip`). `rate_per_s` is the load of a latency gate. `claim` tells whose claim is
    examined.
    """

    metric: str
    condition: Condition
    across: tuple[str, ...] = ()
    against: str = "extremes"
    groups_from: int = 20
    where: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, float], ...] = ()
    rate_per_s: float | None = None
    claim: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class DataSettings:
    """The rows to judge by: where they are, which column is the truth, which are protected."""

    file: str | None = None
    label: str | None = None
    protected: tuple[str, ...] = ()
    weight: str | None = None
    query_group: str | None = None
    """The column that tells which rows are ranked together."""
    positive: str | None = None
    """Which label counts as positive, for two classes."""
    threshold: float | None = None
    """The score from which a row is answered positive, instead of the model's own label."""


@dataclass(frozen=True, slots=True)
class GateFile:
    """A whole file of gates."""

    gates: tuple[Gate, ...]
    data: DataSettings = field(default_factory=DataSettings)
    confidence: float = 0.95
    undecided: Literal["fail", "warn"] = "fail"
    metrics: tuple[tuple[str, str], ...] = ()
    """Custom metrics: (name, "file.py:function"), run in a host."""
