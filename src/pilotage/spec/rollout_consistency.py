"""What the settings of a rollout must be to each other. Pure: settings in, errors or hints out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from pilotage.errors import PilotageError
from pilotage.spec.guard_words import OPTIONAL
from pilotage.spec.rollouts import (
    OUTCOME_METRICS,
    SHADOW_METRICS,
    GuardSpec,
    RolloutSpec,
    StageSpec,
)
from pilotage.spec.settings import RecordSettings
from pilotage.spec.units import format_duration

STAGES_HIGH: Final = 20
"""The most stages of one rollout."""
GUARDS_HIGH: Final = 32
"""The most guards of one rollout: they share one error rate, and each gets less of it."""


def without_candidate(given: Mapping[str, str]) -> list[PilotageError]:
    """Settings of a rollout, with where they were given, and no candidate: one error."""
    if not given:
        return []
    first, *rest = given
    names = f"{', '.join([first, *rest[:-1]])} and {rest[-1]}" if rest else first
    return [
        PilotageError(
            f"{names} {'are' if rest else 'is'} given, and there is no candidate",
            where=given[first],
            expected="a candidate to try: --candidate MODEL",
            fix="Add --candidate v2.onnx, or leave the settings of the rollout out.",
        )
    ]


def too_many_models(models: int, where: str) -> PilotageError:
    """A candidate is tried beside one model."""
    return PilotageError(
        f"a candidate beside {models} models",
        where=where,
        expected="one model, which the candidate is compared with",
        fix="Serve the other models with a `pilotage serve` of their own, on another --port.",
    )


def no_records(where: str) -> PilotageError:
    """A rollout decides from records."""
    return PilotageError(
        "a candidate is to be judged, and nothing is recorded",
        where=where,
        expected="records, from which the rollout decides",
        fix="Leave --no-record out, or the candidate.",
    )


def stage_errors(stages: Sequence[StageSpec], where: str) -> list[PilotageError]:
    """At least one stage; canary shares grow."""
    if not stages:
        return [
            PilotageError(
                "the rollout has no stage",
                where=where,
                expected="canary shares, a shadow, or both",
                fix="Add --shadow 10m, or write --canary 5%,25%.",
            )
        ]
    errors: list[PilotageError] = []
    if len(stages) > STAGES_HIGH:
        errors.append(
            PilotageError(
                f"the rollout has {len(stages)} stages",
                where=where,
                expected=f"at most {STAGES_HIGH}",
                fix="Leave some canary shares out.",
            )
        )
    canaries = [stage for stage in stages if stage.kind == "canary"]
    for first, second in pairwise(canaries):
        if second.share_ppm > first.share_ppm:
            continue
        same = second.share_ppm == first.share_ppm
        shares = sorted({stage.share_ppm for stage in canaries})
        errors.append(
            PilotageError(
                f"two stages are {first.name}" if same else f"{second.name} after {first.name}",
                where=where,
                expected="shares that grow from stage to stage",
                fix=f"Write --canary {','.join(f'{ppm / 10_000:g}%' for ppm in shares)}.",
            )
        )
        break
    return errors


def same_guards(guards: Sequence[tuple[GuardSpec, str]]) -> list[PilotageError]:
    """Two guards that ask the same."""
    first: dict[str, str] = {}
    errors: list[PilotageError] = []
    for guard, where in guards:
        asks = guard.text.removesuffix(f" {OPTIONAL}")
        if asks in first:
            errors.append(
                PilotageError(
                    f"the same guard twice: {asks}",
                    where=where,
                    expected=f"another guard than at {first[asks]}",
                    fix="Keep one of them.",
                )
            )
        first.setdefault(asks, where)
    return errors


def guard_errors(spec: RolloutSpec, places: Mapping[str, str]) -> list[PilotageError]:
    """Every guard has a stage in which it is judged. `places` tells by text where it was given."""
    where = next(iter(places.values()), "")
    kinds = {stage.kind for stage in spec.stages}
    errors: list[PilotageError] = []
    if len(spec.guards) > GUARDS_HIGH:
        errors.append(
            PilotageError(
                f"the rollout has {len(spec.guards)} guards",
                where=where,
                expected=f"at most {GUARDS_HIGH}",
                fix="Leave some out: all of them share one error rate.",
            )
        )
    for guard in spec.guards:
        place = places.get(guard.text, "")
        if guard.metric in SHADOW_METRICS and "shadow" not in kinds:
            errors.append(
                PilotageError(
                    f"{guard.metric} is judged in the shadow, and there is no such stage",
                    where=place,
                    expected="a shadow, in which both versions answer the same requests",
                    fix="Add --shadow 10m.",
                )
            )
        if guard.metric in OUTCOME_METRICS and "canary" not in kinds:
            errors.append(
                PilotageError(
                    f"{guard.metric} is judged by outcomes in a canary, and there is no such stage",
                    where=place,
                    expected="a canary, since nobody sees what the candidate answers in a shadow",
                    fix="Write --canary 5%,25%.",
                )
            )
    if not any(guard.required for guard in spec.guards) and spec.promote_on == "guards":
        errors.append(
            PilotageError(
                "every guard is optional, so that none has to pass",
                where=where,
                expected="a guard that must pass, or --promote-on exposure",
                fix=f"Leave `{OPTIONAL}` out of one, or settle for exposure.",
            )
        )
    return errors


def record_errors(
    spec: RolloutSpec, places: Mapping[str, str], record: RecordSettings
) -> list[PilotageError]:
    """Whether a label was right is seen from the recorded output."""
    if record.outputs == "auto" and record.inline_bytes > 0:
        return []
    setting = "record_inline 0" if record.outputs == "auto" else f"record_outputs {record.outputs}"
    return [
        PilotageError(
            f"accuracy is judged by recorded outputs, and {setting} keeps none",
            where=places.get(guard.text, ""),
            expected="record_outputs auto",
            fix=f"Leave {setting.split()[0]} out, or judge by outcomes of a kind that says whether "
            "the answer was right: rate of right not_worse_by 1pp.",
        )
        for guard in spec.guards
        if guard.metric == "accuracy"
    ]


def port_errors(port: int, control_port: int) -> list[PilotageError]:
    """The page has a port of its own."""
    if port == 0 or port != control_port:
        return []
    return [
        PilotageError(
            f"the service and the rollout's page are both to listen on port {port}",
            where="--control-port",
            expected="two ports",
            fix=f"Write --control-port {port + 1 if port < 65535 else port - 1}.",
        )
    ]


def hints(spec: RolloutSpec, *, window_given: str) -> list[str]:
    """What is allowed and may surprise. `window_given` names a setting that somebody gave."""
    told: list[str] = []
    least_s = sum(stage.lasts_s for stage in spec.stages)
    if least_s > spec.patience_s:
        told.append(
            f"The stages last {_time(least_s)} at least, and the patience is "
            f"{_time(spec.patience_s)}: the rollout will {spec.then} before it can go live by "
            "itself. A longer --patience or a shorter --exposure helps."
        )
    shortest_s = min(stage.lasts_s for stage in spec.stages) if spec.stages else spec.block_s
    if spec.block_s > shortest_s:
        told.append(
            f"A look every {_time(spec.block_s)} is rarer than a stage of {_time(shortest_s)} is "
            "long: each stage lasts a block at least. A shorter --block helps."
        )
    if window_given and not spec.sticky_by:
        told.append(
            f"{window_given} is about the values of --sticky-by, and none is named: each request "
            "is judged by itself."
        )
    if not any(guard.metric == "error_rate" for guard in spec.guards):
        told.append(
            "No guard is about errors: a candidate that fails more requests is not rolled back "
            'for it. Add --guard "error_rate not_worse_by 0.5pp".'
        )
    return told


def _time(seconds: float) -> str:
    """Whole in its unit, or in hours where that would be many minutes."""
    text = format_duration(round(seconds * 1_000_000_000))
    return f"{seconds / 3600:.3g}h" if seconds >= 7200 and not text.endswith("h") else text
