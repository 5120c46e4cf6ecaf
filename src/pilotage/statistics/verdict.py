"""What a check answers: passed, failed or undecided, and the numbers that justify it.

The semantics, the same for gate, guard and monitor. Let theta be the harm, delta >= 0 the margin
that a user accepts. BAD is theta >= delta; GOOD is theta <= tau, with tau = 0 for a comparison and
tau = delta for a plain floor; between them either answer is right. The statements that hold, and
the only ones to print: P(ever passed | BAD) <= alpha_pass and P(ever failed | GOOD) <= alpha_fail.
They hold as far as the interval's `Guarantee` says: exactly for EXACT and ANYTIME; near alpha, as
measured, for APPROXIMATE; as the sample grows for ASYMPTOTIC. `ever` is one look for a gate.
A check that could not run is an error, not a verdict.
"""

from dataclasses import dataclass
from enum import Enum

from pilotage.statistics.interval import Interval


class Because(Enum):
    """Why there is no decision."""

    TOO_FEW = "too_few"
    """Too few observations for the procedure to say anything (a group of 20, say)."""
    STRADDLES = "straddles"
    """Enough to compute, but the evidence allows both answers."""
    NO_DATA = "no_data"
    NO_LABELS = "no_labels"
    HORIZON = "horizon"
    """The time or number of observations that was granted is used up."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers under a verdict.

    `estimate` is None where nothing was observed, `interval` None where none can be computed.
    `observations` counts in `unit` (row, request, unit, pair, probe, tick). `rule` says in one line
    what was asked, `method` which procedure answered. `error_rate` is alpha: the probability of a
    pass when BAD and of a fail when GOOD, at most or nearly, as the interval's guarantee says.
    `assumptions` are whole clauses, such as "rows are independent".
    """

    estimate: float | None
    interval: Interval | None
    observations: int
    unit: str
    rule: str
    method: str
    error_rate: float
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """Shown to be good enough: "theta >= delta" is rejected."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Failed:
    """Shown to be harmful: "theta <= tau" is rejected."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither is shown; what follows is the user's policy, never a pass."""

    evidence: Evidence
    because: Because


Verdict = Passed | Failed | Undecided


def word_of(verdict: Verdict) -> str:
    """`passed`, `failed` or `undecided`: the one word that tables and machines read."""
    match verdict:
        case Passed():
            return "passed"
        case Failed():
            return "failed"
        case Undecided():
            return "undecided"


def decide(passes: bool, fails: bool, evidence: Evidence) -> Verdict:
    """The verdict of two one-sided tests on the same evidence. If both reject, harm comes first."""
    if fails:
        return Failed(evidence)
    if passes:
        return Passed(evidence)
    return Undecided(evidence, Because.NO_DATA if not evidence.observations else Because.STRADDLES)
