"""The numbers of a guard in words: its units, its interval, how long it will take. Pure."""

from typing import Final

from pilotage.checks.numbers import places_for, scale_of, shown, shown_range
from pilotage.control.rollouts.view import GuardView
from pilotage.control.rollouts.viewing import duration
from pilotage.spec.rollouts import SHADOW_METRICS

NOTHING: Final = "–"
MARKS: Final = {"passed": "✓", "failed": "✗", "undecided": "?"}
HARM_UNITS: Final[dict[str, str]] = {
    "error_rate": "pp",
    "disagreement": "%",
    "difference": "%",
    "engine_time": "%",
    "engine_time_tail": "pp",
    "accuracy": "pp",
    "rate": "pp",
    "mean": "",
}
_WAITS: Final = {
    "no_data": "no data yet",
    "no_labels": "no outcomes yet",
    "horizon": "out of patience",
}


def is_signed(guard: GuardView) -> bool:
    """Whether the harm can be negative: the candidate can be better."""
    return guard.metric not in SHADOW_METRICS


def harm(guard: GuardView) -> str:
    """The interval of the harm: "−0.2 to 1.3 pp"; of a decided guard what was shown.

    A verdict is a test of its own, which often decides before the interval, made for all
    differences at once, has left the tolerated harm or the margin behind: then the verdict's own
    statement is told, "more than 0 pp", which is as sure.
    """
    unit = _harm_unit(guard)
    if guard.word == "failed" and (guard.low is None or guard.low <= guard.tolerated):
        places = None if guard.tolerated else 0
        return f"more than {shown(guard.tolerated, unit, places=places)}"
    if guard.word == "passed" and (guard.high is None or guard.high >= guard.margin):
        return f"less than {margin(guard)}"
    if guard.low is None and guard.high is None:
        return NOTHING
    low = -float("inf") if guard.low is None else guard.low
    high = float("inf") if guard.high is None else guard.high
    if low == high:
        return shown(low, _harm_unit(guard), places=_places(guard))
    return shown_range(low, high, _harm_unit(guard))


def margin(guard: GuardView) -> str:
    """The margin, with the digits that were written."""
    return shown(guard.margin, _harm_unit(guard))


def arm(guard: GuardView, value: float | None) -> str:
    """An arm's own value; a dash where the guard has none for an arm."""
    if value is None:
        return NOTHING
    unit = {"pp": "%"}.get(_harm_unit(guard), "")
    return shown(value, unit, places=_places(guard))


def counts(guard: GuardView) -> str:
    """What was observed: "312 pairs", "1,204 and 22,870 requests"."""
    if guard.unit in ("pair", "probe"):
        return f"{guard.candidate_count:,} {guard.unit}{'' if guard.candidate_count == 1 else 's'}"
    return f"{guard.candidate_count:,} and {guard.baseline_count:,} {guard.unit}s"


def to_go(guard: GuardView, *, looks: bool) -> str:
    """When it decides: "decided", "in 12 min", "no data yet", or a dash.

    `looks`: the rollout is under way, so that its guards look on.
    """
    if guard.word != "undecided":
        return "decided"
    if not looks:
        return NOTHING
    if guard.because in _WAITS:
        return _WAITS[guard.because]
    return NOTHING if guard.expected_s is None else f"in {duration(guard.expected_s)}"


def traffic_errors(errors: float, requests: float) -> str:
    """The share of requests that failed: "0.3 % fail"."""
    if requests <= 0:
        return ""
    share = min(errors / requests, 1.0)
    return f"{shown(share, '%', places=1 if share else 0)} fail"


def rate(per_s: float) -> str:
    """Requests a second: "94.1/s"."""
    if per_s <= 0:
        return NOTHING
    return f"{per_s:,.0f}/s" if per_s >= 100 else f"{per_s:.1f}/s"


def _harm_unit(guard: GuardView) -> str:
    return HARM_UNITS.get(guard.metric, "")


def _places(guard: GuardView) -> int:
    """Digits after the point that the interval, or without one the margin, makes meaningful."""
    ends = (guard.low, guard.high)
    width = ends[1] - ends[0] if ends[0] is not None and ends[1] is not None else 0.0
    return places_for(min(width or guard.margin, guard.margin) * scale_of(_harm_unit(guard)))
