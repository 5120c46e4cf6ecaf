"""Harm as a person reads it: "it fails 2.1 % of requests against 0.3 % (95 %, 151 candidate ...)".

Each is a clause about the candidate, so that it can follow "v2 rolled back: ". All of them together
are as sure as the rollout is; a guard whose own evidence would not have done says so.
"""

from collections.abc import Sequence

from pilotage.checks.live.numbers import GuardNumbers
from pilotage.checks.numbers import counted, places_for
from pilotage.spec.rollouts import GuardSpec


def harm_of(culprits: Sequence[tuple[GuardNumbers, GuardSpec]], confidence: float) -> str:
    """What was found, the largest part of the evidence first."""
    return "; ".join(_clause(numbers, guard, confidence) for numbers, guard in culprits)


def _clause(numbers: GuardNumbers, guard: GuardSpec, confidence: float) -> str:
    sure = f"{100 * confidence:.6g} %"
    if numbers.word != "failed":
        sure = f"not {sure} by itself"
    match guard.metric:
        case "error_rate":
            of = "copies" if numbers.unit == "pair" else "requests"
            verb = f"it fails {_against(numbers)} of {of} against {_base(numbers)}"
        case "accuracy":
            verb = f"it is right in {_against(numbers)} of outcomes against {_base(numbers)}"
        case "rate":
            verb = f"its rate of “{guard.of}” is {_against(numbers)} against {_base(numbers)}"
        case "mean":
            verb = f"its mean “{guard.of}” is {_values(numbers)}"
        case "disagreement" | "difference":
            return _differs(numbers, guard, sure)
        case "engine_time":
            return _slower(numbers, guard, sure)
        case "engine_time_tail":
            return _slow_more_often(numbers, guard, sure)
    unit = numbers.unit if numbers.unit == "pair" else f"candidate {numbers.unit}"
    return f"{verb} ({sure}, {counted(numbers.candidate_count, unit)})"


def _against(numbers: GuardNumbers) -> str:
    return percent(numbers.candidate, numbers.baseline)


def _base(numbers: GuardNumbers) -> str:
    return percent(numbers.baseline, numbers.candidate)


def _values(numbers: GuardNumbers) -> str:
    if numbers.candidate is None or numbers.baseline is None:
        return "worse"
    places = places_for(abs(numbers.candidate - numbers.baseline))
    return f"{numbers.candidate:.{places}f} against {numbers.baseline:.{places}f}"


def percent(value: float | None, beside: float | None = None) -> str:
    """A share, with the places in which it differs from the one it stands beside."""
    if value is None:
        return "an unknown part"
    places = places_for(100 * abs(value - beside)) if beside is not None else 1
    return f"{100 * value:.{max(1, places)}f} %"


def _differs(numbers: GuardNumbers, guard: GuardSpec, sure: str) -> str:
    pairs = counted(numbers.candidate_count, "pair")
    accepted = f"at most {100 * guard.tolerated:g} % were accepted ({sure})"
    found = percent(numbers.estimate)
    if guard.metric == "disagreement":
        return f"it disagrees on {found} of {pairs}, {accepted}"
    return f"it differs by more than {guard.beyond:g} on {found} of {pairs}, {accepted}"


def _slower(numbers: GuardNumbers, guard: GuardSpec, sure: str) -> str:
    probes = counted(numbers.candidate_count, "timing probe")
    longer = f"{100 * guard.tolerated:g} % longer" if guard.tolerated else "longer"
    over = f"more than {longer}" if guard.tolerated else longer
    clause = f"its engine takes {over} in {numbers.over_tolerated or 0:,} of {probes}"
    if numbers.estimate is None:
        return f"{clause} ({sure})"
    return f"{clause}, {1 + numbers.estimate:.2f} times as long in the median ({sure})"


def _slow_more_often(numbers: GuardNumbers, guard: GuardSpec, sure: str) -> str:
    probes = counted(numbers.candidate_count, "timing probe")
    more = "more" if numbers.estimate is None else f"{100 * numbers.estimate:.1f} points more"
    accepted = f"at most {100 * guard.tolerated:g} were accepted"
    return f"its engine is slow in {more} of {probes} than the baseline's, {accepted} ({sure})"
