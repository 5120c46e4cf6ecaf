"""A rollout as a table: (state, event) -> state. Pure; the picture in the docs is drawn from it.

    running  --look: harm-->                      rolled_back
    running  --look: exposure met, more stages--> running, the next stage
    running  --look: exposure met, shown-->       live
    running  --look: patience over-->             held | live | rolled_back, as the spec says
    running  --pause--> paused --resume--> running
    paused, held --look: harm-->                  rolled_back
    running, paused, held --promote--> live       --abort--> aborted     --rollback--> rolled_back
    running, paused, held, live --crash-->        rolled_back
    live     --rollback-->                        rolled_back

What is in force follows from the state alone, so an event that is told twice does nothing twice.
Live, rolled_back and aborted stay: `--anew` makes another rollout.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from pilotage.errors import PilotageError
from pilotage.spec.rollouts import RolloutSpec
from pilotage.spec.units import format_duration

Phase = Literal["running", "paused", "held", "live", "rolled_back", "aborted"]
Verb = Literal["pause", "resume", "promote", "abort", "rollback"]

UNDER_WAY: Final = frozenset({"running", "paused", "held"})
"""Phases in which the candidate is on trial and its guards look."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a rollout is.

    Attributes:
        stage: index of the stage that is, or was last, under way.
        stage_s, stage_units: exposure in this stage so far, while running.
        elapsed_s: of the patience, while running.
        because: why it waits or ended, a clause for people; "" while running.
    """

    phase: Phase = "running"
    stage: int = 0
    stage_s: float = 0.0
    stage_units: int = 0
    elapsed_s: float = 0.0
    because: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A block was closed and looked at.

    Attributes:
        seconds: that the block lasted.
        units: candidate units (shadow: pairs) that were seen in it, in the stage under way.
        failed: harm was found, by all guards together.
        passed: every required guard has passed.
        judged: False where nothing new can be judged, so that exposure does not count.
        harm: the culprits, for people; "" unless failed.
    """

    seconds: float
    units: int
    failed: bool
    passed: bool
    harm: str = ""
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Steered:
    """A person asked for something; `by` says who."""

    verb: Verb
    by: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """What no rate describes: a worker died of its own fault, or cannot serve the candidate."""

    what: str


Event = Look | Steered | Crashed

ALLOWED: Final[dict[Verb, frozenset[str]]] = {
    "pause": frozenset({"running"}),
    "resume": frozenset({"paused"}),
    "promote": frozenset({"running", "paused", "held"}),
    "abort": frozenset({"running", "paused", "held"}),
    "rollback": frozenset({"running", "paused", "held", "live"}),
}
"""In which phases a person may ask for what."""

_AFTER: Final[dict[Verb, Phase]] = {
    "pause": "paused",
    "resume": "running",
    "promote": "live",
    "abort": "aborted",
    "rollback": "rolled_back",
}


def step(state: State, event: Event, spec: RolloutSpec) -> State:
    """The state after the event.

    Raises:
        PilotageError: a person asked for what the phase does not allow; it says what it does.
    """
    match event:
        case Look():
            return _looked(state, event, spec)
        case Steered():
            return _steered(state, event)
        case Crashed(what=what):
            if state.phase in UNDER_WAY or state.phase == "live":
                return replace(state, phase="rolled_back", because=what)
            return state


def _steered(state: State, event: Steered) -> State:
    phase = _AFTER[event.verb]
    if state.phase == phase:
        return state
    if state.phase not in ALLOWED[event.verb]:
        possible = sorted(verb for verb, phases in ALLOWED.items() if state.phase in phases)
        raise PilotageError(
            f"a rollout that is {words_of(state.phase)} cannot {event.verb}",
            expected=" or ".join(possible),
            fix="" if possible else "It is over. Start it again with `pilotage serve … --anew`.",
        )
    because = "" if phase == "running" else f"asked for by {event.by}"
    return replace(state, phase=phase, because=because)


def _looked(state: State, look: Look, spec: RolloutSpec) -> State:
    if state.phase not in UNDER_WAY:
        return state
    if look.failed:
        return replace(state, phase="rolled_back", because=look.harm)
    if state.phase != "running":
        return state
    state = replace(state, elapsed_s=state.elapsed_s + look.seconds)
    if look.judged:
        state = _exposed(state, look, spec)
    if state.phase == "running" and state.elapsed_s >= spec.patience_s:
        return _out_of_patience(state, spec)
    return state


def _exposed(state: State, look: Look, spec: RolloutSpec) -> State:
    """The state with this block's exposure: perhaps in the next stage, or live."""
    state = replace(
        state, stage_s=state.stage_s + look.seconds, stage_units=state.stage_units + look.units
    )
    stage = spec.stages[state.stage]
    met = state.stage_s >= stage.lasts_s and state.stage_units >= stage.units
    last = state.stage == len(spec.stages) - 1
    if met and not last:
        return replace(state, stage=state.stage + 1, stage_s=0.0, stage_units=0)
    if met and look.passed:
        return replace(state, phase="live", because="every required guard passed")
    if met and spec.promote_on == "exposure":
        return replace(state, phase="live", because="its exposure is met and no guard failed")
    return state


def _out_of_patience(state: State, spec: RolloutSpec) -> State:
    patience = format_duration(round(spec.patience_s * 1e9))
    because = f"undecided when its patience of {patience} was over"
    match spec.then:
        case "hold":
            return replace(state, phase="held", because=because)
        case "promote":
            return replace(state, phase="live", because=because)
        case "rollback":
            return replace(state, phase="rolled_back", because=because)


def words_of(phase: Phase) -> str:
    """The phase as people read it."""
    return phase.replace("_", " ")
