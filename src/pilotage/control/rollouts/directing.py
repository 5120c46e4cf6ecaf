"""From the state of a rollout to the direction of its endpoint's traffic. Pure.

The direction follows from the state alone: whoever restarts anything sends it again, and where it
is in force already nothing happens.
"""

from typing import Final

from msgspec import structs

from pilotage.contracts.directing import Direction
from pilotage.contracts.snapshot import PPM, Route, Trial
from pilotage.control.rollouts.identity import Identity
from pilotage.control.rollouts.table import UNDER_WAY, State
from pilotage.spec.rollouts import PROBE_METRICS

LIVE: Final = "live"
"""The name of the last stage, in which the candidate has all the traffic."""


def direction_of(state: State, identity: Identity, rollout: str, *, number: int = 0) -> Direction:
    """What the data plane is to do in this state.

    The candidate's route is the last one, so that a larger share moves callers only towards it.
    """
    spec = identity.spec
    baseline, candidate = identity.baseline.version, identity.candidate.version
    routes: tuple[Route, ...] = (Route(baseline),)
    shadow, trial = "", None
    if state.phase == "live":
        routes = (Route(candidate, rollout=rollout, stage=LIVE),)
    elif state.phase in UNDER_WAY:
        stage = spec.stages[state.stage]
        rest = PPM - stage.share_ppm
        routes = (Route(baseline, rest, "baseline", rollout, stage.name),)
        if stage.kind == "shadow":
            shadow = candidate
        else:
            route = Route(candidate, stage.share_ppm, "candidate", rollout, stage.name)
            routes = (*routes, route)
        trial = Trial(candidate, rollout, stage.name, streams=spec.streams)
        if not any(guard.metric in PROBE_METRICS for guard in spec.guards):
            trial = structs.replace(trial, probe_every=0)
    return Direction(
        number=number,
        endpoint=identity.endpoint,
        routes=routes,
        sticky_by=spec.sticky_by,
        salt=rollout,
        shadow=shadow,
        trial=trial,
    )
