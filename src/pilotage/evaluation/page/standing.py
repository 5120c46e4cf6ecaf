"""Where a gate's interval stands towards its margin, on a scale that all gates share.

A gate on a share, one on milliseconds and one on a difference have no unit in common. What they
have in common is the question: how far is the interval from the margin, compared with its width?
So each gate is drawn on its own scale, with the margin at 0, what is good to the right, and the
farthest end of its interval at 1 or -1.
"""

import math
from dataclasses import dataclass
from typing import Literal

from pilotage.evaluation.page.numbers import known
from pilotage.evaluation.report import GateShown
from pilotage.spec.gate_words import METRICS


@dataclass(frozen=True, slots=True)
class Target:
    """What a gate wants of its metric: to be above or below `value`, or within `room` of it."""

    side: Literal["above", "below", "near"]
    value: float
    room: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Ends and estimate between -1 and 1; the margin is 0, right of it is good.

    `open_low` and `open_high` tell that the interval has no bound on that side.
    """

    low: float
    estimate: float | None
    high: float
    open_low: bool = False
    open_high: bool = False


def target(gate: GateShown) -> Target | None:
    """What the gate wants; None where it has no number to meet.

    A margin of a comparison is told without its sign: "worse by 1 pp at most" is 0.01, and means
    above -0.01 where more is better, below 0.01 where less is.
    """
    kind, margin = str(gate.condition.get("kind", "")), gate.margin
    if kind == "equals":
        value, room = gate.condition.get("value"), gate.condition.get("within")
        return None if value is None or room is None else Target("near", float(value), float(room))
    if margin is None:
        return None
    if kind.startswith(("within", "difference")):
        return Target("near", 0.0, margin)
    if kind.startswith("at_most"):
        return Target("below", margin)
    word = METRICS.get(gate.metric)
    smaller_is_better = word is not None and word.better == "lower"
    if kind.startswith(("not_worse", "drop")):
        return Target("below", margin) if smaller_is_better else Target("above", -margin)
    if kind.startswith("better"):
        return Target("below", -margin) if smaller_is_better else Target("above", margin)
    return Target("above", margin)


def standing(gate: GateShown) -> Standing | None:
    """Where the interval stands; None where there is no margin or nothing to draw."""
    wanted, verdict = target(gate), gate.verdict
    if wanted is None:
        return None
    estimate = verdict.estimate if known(verdict.estimate) else None
    low = high = estimate
    if interval := verdict.interval:
        low = interval.low if known(interval.low) and interval.side != "upper" else None
        high = interval.high if known(interval.high) and interval.side != "lower" else None
    if low is None and high is None:
        return None
    if wanted.side == "near":
        return _scaled(*_room_left(wanted, low, estimate, high))
    from_margin = [None if end is None else end - wanted.value for end in (low, estimate, high)]
    if wanted.side == "below":
        from_margin = [None if end is None else -end for end in reversed(from_margin)]
    return _scaled(*from_margin)


def _room_left(
    wanted: Target, low: float | None, estimate: float | None, high: float | None
) -> tuple[float | None, float | None, float | None]:
    """What is left of the allowed distance from a value, at the ends and at the estimate."""
    left = -math.inf if low is None else low - wanted.value
    right = math.inf if high is None else high - wanted.value
    nearest = 0.0 if left <= 0 <= right else min(abs(left), abs(right))
    farthest = max(abs(left), abs(right))
    return (
        wanted.room - farthest if math.isfinite(farthest) else None,
        None if estimate is None else wanted.room - abs(estimate - wanted.value),
        wanted.room - nearest,
    )


def _scaled(low: float | None, estimate: float | None, high: float | None) -> Standing:
    reach = max(abs(end) for end in (low, estimate, high) if end is not None) or 1.0
    return Standing(
        low=-1.0 if low is None else low / reach,
        estimate=None if estimate is None else estimate / reach,
        high=1.0 if high is None else high / reach,
        open_low=low is None,
        open_high=high is None,
    )
