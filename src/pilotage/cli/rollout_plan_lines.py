"""The plan of a rollout as lines: each guard, each stage, how long either answer takes. Pure."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from pilotage.checks.live.arms import EXPECTED_HARM
from pilotage.checks.live.planning import PROBE_EVERY, PlanRow
from pilotage.checks.numbers import shown
from pilotage.cli.rollout_traffic import Traffic
from pilotage.cli.rollout_words import HARM_UNITS
from pilotage.cli.spans import Line, Span, fitted, left, line_of, right, wrapped
from pilotage.control.rollouts.viewing import duration
from pilotage.spec.rollouts import (
    OUTCOME_METRICS,
    PROBE_METRICS,
    SHADOW_METRICS,
    GuardMetric,
    RolloutSpec,
)

_WIDTHS: Final = (13, 23, 12, 10, 10, 11)
_NOTE: Final = (
    "Half of such rollouts are decided by the first time, 95 of 100 by the second. Simulated with "
    "the guards themselves, each stage as if it were the only one; times are known to about 5 %."
)


def plan_lines(
    rows: Sequence[PlanRow],
    spec: RolloutSpec,
    *,
    traffic: Traffic,
    names: tuple[str, str],
    width: int,
) -> list[Line]:
    """The whole plan; `traffic` is what it stands on, `names` are baseline and candidate."""
    baseline, candidate = names
    lines = [line_of(Span(f"{candidate} against {baseline}", "bold"))]
    lines += wrapped(traffic.sentence, width)
    if assumed := _assumed(spec, traffic):
        lines += wrapped(f"Assumed: {'; '.join(assumed)}.", width)
    lines += [()]
    for guard in spec.guards:
        own = [row for row in rows if row.guard == guard.text]
        lines += [line_of(Span(guard.text, "bold")), _head(_unit(guard.metric, spec))]
        for stage, found in groupby(own, key=lambda row: row.stage):
            title = stage or "every stage"
            for row in found:
                lines += [_row(row, title, guard.metric, spec.patience_s)]
                title = ""
        lines += [()]
    if slow := _slow(rows, spec):
        lines += [*wrapped(slow, width), ()]
    lines += wrapped(_exposure(spec), width, style="dim")
    lines += wrapped(_NOTE, width, style="dim")
    return [fitted(line, width) for line in lines]


def _head(unit: str) -> Line:
    texts = ("stage", "if the candidate is", "it is", "half by", "95 % by", unit)
    return line_of(Span(_columns(texts), "dim"))


def _row(row: PlanRow, stage: str, metric: GuardMetric, patience_s: float) -> Line:
    never = f"> {duration(patience_s)}"
    texts = (
        stage,
        _size(row.size, metric),
        "rolled back" if row.question == "harm" else "passed",
        duration(row.median_s) if row.median_s is not None else never,
        duration(row.p95_s) if row.p95_s is not None else never,
        f"{row.candidate_requests:,}" if row.candidate_requests is not None else "–",
    )
    return line_of(_columns(texts))


def _columns(texts: Sequence[str]) -> str:
    """Words to the left, numbers to the right."""
    cells = [
        left(text, wide) if at < 3 else right(text, wide)
        for at, (text, wide) in enumerate(zip(texts, _WIDTHS, strict=True))
    ]
    return "".join(cells).rstrip()


def _size(size: float, metric: GuardMetric) -> str:
    amount = shown(size, HARM_UNITS[metric])
    if metric in SHADOW_METRICS:
        return f"different on {amount}" if size else "alike"
    if metric == "engine_time":
        return f"{amount} slower" if size else "as fast"
    return f"worse by {amount}" if size else "as good"


def _unit(metric: GuardMetric, spec: RolloutSpec) -> str:
    """What the numbers of the last column are."""
    if metric in PROBE_METRICS:
        return "probes"
    if metric in SHADOW_METRICS:
        return "pairs"
    if spec.sticky_by:
        return "units"
    return "outcomes" if metric in OUTCOME_METRICS else "requests"


def _assumed(spec: RolloutSpec, traffic: Traffic) -> list[str]:
    """What nobody told and the plan needs."""
    metrics = {guard.metric for guard in spec.guards}
    kinds = {stage.kind for stage in spec.stages}
    asked = {
        f"{EXPECTED_HARM['error_rate'] * 100:g} % of requests fail (--error-rate)": (
            "error_rate" in metrics and traffic.error_rate is None
        ),
        "every request gets an outcome, at once": bool(metrics & OUTCOME_METRICS),
        "the candidate answers a copy of every request in shadow": "shadow" in kinds,
        f"one timing probe in {PROBE_EVERY} requests": bool(metrics & PROBE_METRICS),
        f"each value of the sticky key makes {spec.window_requests} requests": (
            bool(spec.sticky_by) and traffic.units_per_s is None
        ),
    }
    return [assumption for assumption, needed in asked.items() if needed]


def _slow(rows: Sequence[PlanRow], spec: RolloutSpec) -> str:
    """What to change where an equal candidate is not shown to be so in time; "" elsewhere."""
    if spec.promote_on != "guards":
        return ""
    required = [guard.text for guard in spec.guards if guard.required]
    in_time = {
        row.guard for row in rows if row.question == "not_worse" and row.median_s is not None
    }
    late = [text for text in required if text not in in_time]
    if not late:
        return ""
    end = {"hold": "is held", "promote": "goes live", "rollback": "is rolled back"}[spec.then]
    return (
        f"Too slow: most candidates that are as good do not pass {', '.join(late)} in "
        f"{duration(spec.patience_s)}; such a one {end} then. What helps: a larger share in "
        "--canary, more traffic, a wider margin, a longer --patience."
    )


def _exposure(spec: RolloutSpec) -> str:
    """How long the rollout lasts at least, whatever its guards show."""
    lasts, patience = duration(sum(stage.lasts_s for stage in spec.stages)), spec.patience_s
    return f"Its stages last {lasts} at least, and its patience {duration(patience)}."
