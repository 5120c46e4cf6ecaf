"""How long a run takes: how many simulated runs each part makes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Length:
    """Numbers of simulated runs (days of a rollout, years of a monitor), by part.

    Attributes:
        guard: of each cell of the table of error rates.
        guard_again: of the two cells that came out highest, anew.
        power: of each effect.
        beside: of each cell beside the peers.
        sticky: days of 2,000 users.
        latency: days at 100 and at 5 requests a second.
        probes: of each ratio.
        years: of quiet monitors; `shifted`: of monitors that should alarm; `harmless`: of ten
            million rows.
        peer_days: of each case that the other drift detectors see.
        coverage: of each cell of the bounded mean's grid.
        observations: of each speed.
        running: whole rollouts on real servers, of equal candidates and of ones at the margin.
    """

    guard: int
    guard_again: int
    power: int
    beside: int
    sticky: int
    latency: int
    probes: int
    years: int
    shifted: int
    harmless: int
    peer_days: int
    coverage: int
    observations: int
    running: int


FULL = Length(
    guard=300,
    guard_again=10_000,
    power=2_000,
    beside=200,
    sticky=400,
    latency=100,
    probes=1_000,
    years=60,
    shifted=200,
    harmless=40,
    peer_days=100,
    coverage=1_000,
    observations=1_000_000,
    running=400,
)
QUICK = Length(
    guard=10,
    guard_again=100,
    power=200,
    beside=10,
    sticky=4,
    latency=2,
    probes=100,
    years=4,
    shifted=20,
    harmless=2,
    peer_days=10,
    coverage=50,
    observations=1_000_000,
    running=4,
)
