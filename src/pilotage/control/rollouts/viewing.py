"""From state and evidence to what is shown. Pure: numbers are worded here, nothing is decided."""

from collections.abc import Sequence
from typing import Final

from pilotage.checks.live.numbers import GuardNumbers
from pilotage.control.rollouts.history import HARM, NO_HARM, History, expected_s
from pilotage.control.rollouts.identity import Identity
from pilotage.control.rollouts.table import UNDER_WAY, State
from pilotage.control.rollouts.view import GuardView, RolloutView, StageView
from pilotage.spec.rollouts import RolloutSpec

TROUBLES: Final = {
    "disk_full": "records are not kept, since their disk is full",
    "over_budget": "records are not kept, since --record-budget is used up",
    "unwritable": "records are not kept, since their folder cannot be written to",
    "repeated_ids": "most requests bring an id that came within the last minute, so that they "
    "count as retries and keep their version; send another id with each, or none, or name the "
    "user with --sticky-by",
}
"""By the recorder's state, and by what stands in the records."""


def view_of(
    rollout: str,
    identity: Identity,
    state: State,
    numbers: Sequence[GuardNumbers],
    history: History,
    *,
    counts: dict[str, int],
    assumptions: Sequence[str],
    verdict: str,
    now_s: float,
    trouble: str = "",
) -> RolloutView:
    """The whole rollout as it is now; `now_s` since the epoch.

    `trouble` is why nothing new can be judged just now, a key of `TROUBLES`; "" for none.
    """
    spec = identity.spec
    guards = [_guard(each, history) for each in numbers]
    remaining_s = _remaining_s(state, spec, guards, history)
    return RolloutView(
        rollout=rollout,
        endpoint=identity.endpoint,
        phase=state.phase,
        because=state.because,
        sentence=sentence(identity, state, guards, remaining_s) + _trouble(state, trouble),
        baseline=identity.baseline.version,
        candidate=identity.candidate.version,
        baseline_name=identity.baseline.name,
        candidate_name=identity.candidate.name,
        stages=stages_of(state, spec),
        guards=guards,
        traffic=history.traffic,
        happened=history.happened,
        confidence=spec.confidence,
        promote_on=spec.promote_on,
        then=spec.then,
        sticky_by=spec.sticky_by,
        block_s=spec.block_s,
        elapsed_s=state.elapsed_s,
        patience_s=spec.patience_s,
        expected_s=remaining_s,
        assumptions=list(assumptions),
        counts=counts,
        verdict=verdict,
        updated_at=now_s,
    )


def _trouble(state: State, trouble: str) -> str:
    """What stops the guards from looking, where they would look."""
    if not trouble or state.phase not in UNDER_WAY:
        return ""
    return f" Nothing new can be judged: {TROUBLES[trouble]}."


def stages_of(state: State, spec: RolloutSpec) -> list[StageView]:
    """The stages with live behind them, each with what of its exposure is met.

    The stage in which a rollout was ended never comes to its end; what of it was seen is told.
    """
    over = state.phase not in UNDER_WAY
    stages: list[StageView] = []
    for index, stage in enumerate(spec.stages):
        now = index == state.stage and not over
        reached = index < state.stage or (index == state.stage and state.phase == "live")
        stages.append(
            StageView(
                name=stage.name,
                kind=stage.kind,
                share_ppm=stage.share_ppm,
                when="done" if reached else "now" if now else "never" if over else "next",
                lasts_s=stage.lasts_s,
                units=stage.units,
                seen_s=state.stage_s if index == state.stage else stage.lasts_s * reached,
                seen_units=state.stage_units if index == state.stage else stage.units * reached,
            )
        )
    live = "now" if state.phase == "live" else "never" if over else "next"
    return [*stages, StageView("live", "live", 1_000_000, live, 0.0, 0, 0.0, 0)]


def sentence(
    identity: Identity, state: State, guards: Sequence[GuardView], remaining_s: float | None
) -> str:
    """The one line that says what is going on."""
    name, baseline = identity.candidate.name, identity.baseline.name
    match state.phase:
        case "rolled_back":
            return f"{name} rolled back: {state.because}. {baseline} answers everything."
        case "aborted":
            return f"{name} taken out: {state.because}. {baseline} answers everything."
        case "live":
            return f"{name} promoted: {state.because}. It answers everything."
        case "paused":
            return f"Paused, {state.because}: {_share(identity, state)}; harm still rolls it back."
        case "held":
            return f"Held: {state.because}. {_share(identity, state)}; promote it or roll it back."
        case "running":
            return f"{_share(identity, state)}; {_so_far(guards, remaining_s)}."


def _share(identity: Identity, state: State) -> str:
    stage = identity.spec.stages[state.stage]
    name = identity.candidate.name
    if stage.kind == "shadow":
        return f"{name} answers copies of the traffic"
    return f"{name} gets {stage.share_ppm / 10_000:g} % of the traffic"


def _so_far(guards: Sequence[GuardView], remaining_s: float | None) -> str:
    if not any(guard.candidate_count for guard in guards):
        return "undecided, since there is no data yet"
    required = [guard for guard in guards if guard.required]
    if all(guard.word == "passed" for guard in required):
        said = "every required guard has passed"
    else:
        shown = sum(guard.word == "passed" for guard in required)
        said = f"no harm found, {shown} of {len(required)} required guards passed"
    if remaining_s is None:
        return said
    return f"{said}, about {duration(remaining_s)} to go"


def duration(seconds: float) -> str:
    """As people say it: "40 s", "12 min", "3 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def _guard(numbers: GuardNumbers, history: History) -> GuardView:
    trend = history.trends.get(numbers.name, [])
    sides = [expected_s(trend, side) for side in (HARM, NO_HARM)]
    known = [each for each in sides if each is not None]
    return GuardView(
        name=numbers.name,
        metric=numbers.metric,
        unit=numbers.unit,
        word=numbers.word,
        because=numbers.because,
        margin=numbers.margin,
        tolerated=numbers.tolerated,
        estimate=numbers.estimate,
        low=numbers.low,
        high=numbers.high,
        baseline=numbers.baseline,
        candidate=numbers.candidate,
        baseline_count=numbers.baseline_count,
        candidate_count=numbers.candidate_count,
        fail_evidence=numbers.fail_evidence,
        pass_evidence=numbers.pass_evidence,
        share=numbers.share,
        expected_s=min(known) if known else None,
        required=numbers.required,
        history=history.guards.get(numbers.name, []),
    )


def _remaining_s(
    state: State, spec: RolloutSpec, guards: Sequence[GuardView], history: History
) -> float | None:
    """Until the rollout ends, if all goes on as it did: by harm, or by exposure and the slowest
    required guard, whichever comes first."""
    if state.phase != "running":
        return None
    harm = [expected_s(history.trends.get(guard.name, []), HARM) for guard in guards]
    ends = [each for each in (*harm, _live_in_s(state, spec, guards, history)) if each is not None]
    return min(ends) if ends else None


def _live_in_s(
    state: State, spec: RolloutSpec, guards: Sequence[GuardView], history: History
) -> float | None:
    times = [stage.lasts_s for stage in spec.stages[state.stage + 1 :]]
    exposure_s = max(0.0, spec.stages[state.stage].lasts_s - state.stage_s) + sum(times)
    if spec.promote_on == "exposure":
        return exposure_s
    required = [guard for guard in guards if guard.required]
    waits = [
        0.0 if guard.word == "passed" else expected_s(history.trends.get(guard.name, []), NO_HARM)
        for guard in required
    ]
    known = [wait for wait in waits if wait is not None]
    return max([exposure_s, *known]) if len(known) == len(waits) else None
