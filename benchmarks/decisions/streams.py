"""Simulated traffic of a rollout: counts of requests and errors a look, for many runs at once.

A look is ten seconds. Counts are drawn, not requests: the number of errors in a look of n requests
is binomial, so a day of a hundred requests a second costs a few draws a look.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LOOK_S: Final = 10
LOOKS_A_DAY: Final = 24 * 3600 // LOOK_S
HIGHEST_RATE: Final = 0.9
"""Of the baseline in an outage, so that there is room for harm above it."""


def steady(look: int) -> float:  # noqa: ARG001
    """The base rate at every look."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a rollout.

    `base` is the baseline's error rate, `harm` what the candidate adds to it. `rate` and `share`
    turn a look's number into a factor on the base rate and the candidate's share of traffic.
    """

    name: str
    base: float
    harm: float
    requests_per_s: float
    share: Callable[[int], float]
    rate: Callable[[int], float] = steady


@dataclass(frozen=True, slots=True)
class Constant:
    """The same share at every look."""

    value: float

    def __call__(self, look: int) -> float:  # noqa: ARG002
        return self.value


def five_to_fifty(look: int) -> float:
    """5 %, after a quarter of the day 25 %, after half of it 50 %."""
    return (0.05, 0.25, 0.5, 0.5)[min(3, 4 * look // LOOKS_A_DAY)]


def rising(look: int) -> float:
    """From the base rate to 3.3 times as much over the day (0.3 % -> 1 %)."""
    return 1 + 2.3 * look / LOOKS_A_DAY


def daily(look: int) -> float:
    """A day's wave: from half of the base rate to one and a half."""
    return 1 + 0.5 * float(np.sin(2 * np.pi * look / LOOKS_A_DAY))


def outages(look: int) -> float:
    """Five minutes in each two hours, twenty times as many errors, in both arms."""
    return 20.0 if look % 720 >= 690 else 1.0


@dataclass(frozen=True, slots=True)
class Counts:
    """One look: int64 (truths * runs,) each.

    `twin` is a second baseline arm of the candidate's size, which one of the peers asks for.
    """

    baseline: Array
    baseline_errors: Array
    candidate: Array
    candidate_errors: Array
    twin_errors: Array


def looks(
    truths: Sequence[Truth], runs: int, seed: Sequence[int], number: int = LOOKS_A_DAY
) -> Iterator[Counts]:
    """A day of looks, one after the other: `runs` days of each truth, side by side.

    The same seed gives the same days.
    """
    chance = np.random.default_rng(seed)
    expected = np.repeat([truth.requests_per_s * LOOK_S for truth in truths], runs)
    for look in range(number):
        share = np.repeat([truth.share(look) for truth in truths], runs)
        rates = [min(HIGHEST_RATE, truth.base * truth.rate(look)) for truth in truths]
        base = np.repeat(rates, runs)
        harmed = np.minimum(1.0, base + np.repeat([truth.harm for truth in truths], runs))
        requests = chance.poisson(expected)
        candidate = chance.binomial(requests, share)
        baseline = requests - candidate
        yield Counts(
            baseline,
            chance.binomial(baseline, base),
            candidate,
            chance.binomial(candidate, harmed),
            chance.binomial(candidate, base),
        )
