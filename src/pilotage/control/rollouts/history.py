"""What a rollout was like over time, for pictures: bounded, and thinned as it grows. Pure.

Nothing here decides anything; a history that is lost costs a picture.
"""

from typing import Final, TypeVar

from msgspec import Struct, field, structs

from pilotage.checks.live.numbers import GuardNumbers, Traffic
from pilotage.control.rollouts.view import Happened, TrafficView

Point = TypeVar("Point")

POINTS: Final = 240
"""Points of one picture; when there are more, every other one of the older half is dropped."""
TREND_POINTS: Final = 30
"""Looks from which the time to a decision is extrapolated."""
HAPPENINGS: Final = 100
"""Things that happened, the newest; the ledger has them all."""

Ends = tuple[float, float | None, float | None, float | None]
"""(time, low, estimate, high)"""
Trend = tuple[float, float, float]
"""(time, evidence of harm, evidence of no harm), in parts of what decides."""
HARM: Final = 1
NO_HARM: Final = 2
"""Places in a trend."""


class History(Struct, frozen=True):
    """What was seen so far.

    Attributes:
        time_s: since the rollout began, while a decider ran; pauses included.
        guards, trends: by a guard's name.
    """

    time_s: float = 0.0
    guards: dict[str, list[Ends]] = field(default_factory=dict[str, list[Ends]])
    trends: dict[str, list[Trend]] = field(default_factory=dict[str, list[Trend]])
    traffic: list[TrafficView] = field(default_factory=list[TrafficView])
    happened: list[Happened] = field(default_factory=list[Happened])


def after_look(
    history: History, seconds: float, numbers: tuple[GuardNumbers, ...], traffic: Traffic
) -> History:
    """With one more block of so many seconds."""
    time_s = history.time_s + seconds
    guards = {
        each.name: _thinned(
            [*history.guards.get(each.name, []), (time_s, each.low, each.estimate, each.high)]
        )
        for each in numbers
    }
    trends = {
        each.name: [
            *history.trends.get(each.name, []),
            (time_s, each.fail_evidence, each.pass_evidence),
        ][-TREND_POINTS:]
        for each in numbers
    }
    seen = [*history.traffic, _rates(time_s, seconds, traffic)]
    return structs.replace(
        history, time_s=time_s, guards=guards, trends=trends, traffic=_thinned(seen)
    )


def after_news(history: History, at: float, text: str) -> History:
    """With one more thing that happened."""
    news = [*history.happened, Happened(at, text)][-HAPPENINGS:]
    return structs.replace(history, happened=news)


def expected_s(trend: list[Trend], side: int) -> float | None:
    """How long until the evidence of a side (`HARM`, `NO_HARM`) decides, if it goes on so.

    0 where it has; None where it does not grow.
    """
    if not trend:
        return None
    first, last = trend[0], trend[-1]
    if last[side] >= 1.0:
        return 0.0
    grown, passed_s = last[side] - first[side], last[0] - first[0]
    if passed_s <= 0.0 or grown <= 0.0:
        return None
    return (1.0 - last[side]) * passed_s / grown


def _rates(time_s: float, seconds: float, traffic: Traffic) -> TrafficView:
    per_s = 1.0 / seconds if seconds > 0.0 else 0.0
    return TrafficView(
        elapsed_s=time_s,
        baseline=traffic.baseline * per_s,
        candidate=traffic.candidate * per_s,
        shadow=traffic.shadow * per_s,
        baseline_errors=traffic.baseline_errors * per_s,
        candidate_errors=traffic.candidate_errors * per_s,
    )


def _thinned(points: list[Point]) -> list[Point]:
    """At most `POINTS`: the newer half stays as it is."""
    if len(points) <= POINTS:
        return points
    half = len(points) // 2
    return [*points[:half:2], *points[half:]]
