"""A report, as it is shown, written as JSON and drawn: the one documented shape.

`encode(report)` is the `--json` of `pilotage evaluate`. Numbers are in the metric's own unit
(fractions for shares); what cannot be computed is null with a note, never left out.
"""

from typing import Any

import msgspec
from msgspec import Struct

FORMAT = "pilotage.evaluation/1"


class IntervalShown(Struct, frozen=True):
    low: float | None
    high: float | None
    confidence: float
    method: str
    guarantee: str
    side: str


class VerdictShown(Struct, frozen=True):
    word: str
    """passed, failed or undecided."""
    because: str | None
    estimate: float | None
    interval: IntervalShown | None
    observations: int
    unit: str
    rule: str
    method: str
    error_rate: float
    assumptions: tuple[str, ...]


class GroupShown(Struct, frozen=True):
    group: str
    word: str
    because: str | None
    rows: int
    estimate: float | None
    low: float | None
    high: float | None
    culprit: bool


class MemberShown(Struct, frozen=True):
    """The metric in one group by itself, where a gate compares groups; both ends hold together at
    the report's confidence."""

    group: str
    rows: int
    estimate: float | None
    low: float | None
    high: float | None


class GateShown(Struct, frozen=True):
    title: str
    sentence: str
    metric: str
    condition: dict[str, Any]
    """{"kind": "at_least", "value": 0.85} and the like."""
    claim: str | None
    line: int
    unit: str
    margin: float | None
    verdict: VerdictShown
    groups: tuple[GroupShown, ...]
    rows_needed: int | None
    notes: tuple[str, ...]
    members: tuple[MemberShown, ...] = ()
    """Each group by itself, in the metric's own unit `member_unit`."""
    member_unit: str = ""


class MetricShown(Struct, frozen=True):
    """A metric that was computed beside the gates, overall or in a slice."""

    metric: str
    title: str
    unit: str
    estimate: float | None
    interval: IntervalShown | None
    baseline_estimate: float | None = None
    note: str = ""


class SliceShown(Struct, frozen=True):
    """The main metric in one slice, against the rest of the rows."""

    slice: str
    rows: int
    estimate: float | None
    low: float | None
    high: float | None
    difference: float | None
    """Slice minus the rest."""
    p_value: float | None
    """Holm-adjusted over all slices shown; slices are sorted by it."""


class Curve(Struct, frozen=True):
    """Points of a picture with a band: ROC (x false-positive rate, y true-positive rate, pointwise
    band) or calibration (x mean predicted, y share true, Clopper-Pearson band per bin)."""

    kind: str
    model: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    counts: tuple[int, ...] = ()


class Confusion(Struct, frozen=True):
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Rows: truth; columns: answer."""


class LatencyShown(Struct, frozen=True):
    """The engine measured at a stated load: quantiles in milliseconds with intervals."""

    rate_per_s: float
    seconds: float
    requests: int
    quantiles: tuple[float, ...]
    estimates_ms: tuple[float, ...]
    lows_ms: tuple[float, ...]
    highs_ms: tuple[float, ...]
    memory_bytes: int | None
    machine: str


class ModelShown(Struct, frozen=True):
    name: str
    file: str
    format: str
    digest: str
    task: str
    classes: tuple[str, ...]


class DataShown(Struct, frozen=True):
    source: str
    digest: str
    rows: int
    label: str
    protected: tuple[str, ...]


class Report(Struct, frozen=True):
    """Everything that one evaluation found. `outcome`: passed, failed, undecided, none (no gate was
    asked) or compared (two models; nothing passes or fails)."""

    format: str
    made_at: str
    """ISO 8601, UTC."""
    pilotage: str
    command: str
    model: ModelShown
    baseline: ModelShown | None
    data: DataShown
    confidence: float
    undecided: str
    outcome: str
    headline: str
    """One sentence: what a person should know first."""
    gates: tuple[GateShown, ...]
    metrics: tuple[MetricShown, ...]
    slices: tuple[SliceShown, ...]
    curves: tuple[Curve, ...]
    confusion: Confusion | None
    latency: LatencyShown | None
    notes: tuple[str, ...]
    seconds: float


def encode(report: Report) -> bytes:
    """The report as one JSON object, indented, for people and machines."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
