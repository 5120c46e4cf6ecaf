"""A rollout as a person asked for it: settings in, its candidate and its spec or every error out.

What single settings may say is in their table; what they must be to each other in
`rollout_consistency`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec import rollout_consistency as consistency
from pilotage.spec.guards import read_guard
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec
from pilotage.spec.setting import S
from pilotage.spec.settings import ModelSettings, RecordSettings
from pilotage.spec.sources import SOURCES, Reading, Source
from pilotage.spec.table import BY_ROLLOUT_KEY
from pilotage.spec.values import Disk, Values
from pilotage.spec.words import shown

DEFAULT_CANARY_PPM: Final = (50_000, 250_000)
DEFAULT_GUARD: Final = "error_rate not_worse_by 0.5pp"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: both or none, where nothing is wrong."""

    candidate: ModelSettings | None
    rollout: RolloutSpec | None
    errors: list[PilotageError]
    hints: list[str]


def read_rollout(
    readings: Mapping[Source, Reading],
    values: Values,
    disk: Disk,
    models: tuple[ModelSettings, ...],
    record: RecordSettings | None,
) -> Asked:
    """The rollout that the settings ask for. Mistakes of overridden texts are told too."""
    guards, errors = _guards(readings)
    candidate = values.text("candidate")
    if candidate is None:
        if "candidate" not in values.bad:
            errors += consistency.without_candidate(_given(readings, values))
        return Asked(None, None, errors, [])
    errors += _missing(candidate, values, disk)
    if len(models) > 1:
        errors.append(consistency.too_many_models(len(models), values.where("candidate")))
    if record is None:
        errors.append(consistency.no_records(values.where("no_record")))
    if values.bad & {setting.name for setting in BY_ROLLOUT_KEY.values()}:
        return Asked(None, None, errors, [])
    spec = _spec(values, tuple(guard for guard, _ in guards))
    places = {guard.text: where for guard, where in guards}
    errors += consistency.stage_errors(spec.stages, values.where("canary"))
    errors += consistency.guard_errors(spec, places)
    errors += consistency.port_errors(values.one("port", 8080), values.one("control_port", 8090))
    if record is not None:
        errors += consistency.record_errors(spec, places, record)
    hints = consistency.hints(spec, window_given=_window_given(values)) + _anew_hints(values)
    if errors or len(models) != 1:
        return Asked(None, None, errors, [])
    return Asked(replace(models[0], path=candidate), spec, [], hints)


def _missing(path: str, values: Values, disk: Disk) -> list[PilotageError]:
    if disk.is_there(path):
        return []
    name, equals, file = path.partition("=")
    named = equals and name and disk.is_there(file)
    return [
        PilotageError(
            f"there is no file or folder {shown(path)}",
            where=values.where("candidate"),
            expected="a model file",
            fix=f"Write {file} alone: the candidate has the model's name."
            if named
            else "Check the path.",
        )
    ]


def _given(readings: Mapping[Source, Reading], values: Values) -> dict[str, str]:
    """The rollout's settings that somebody gave, as they are called there, with where."""
    found: dict[str, str] = {}
    for source in SOURCES:
        for setting in BY_ROLLOUT_KEY.values():
            if texts := readings[source].given.get(setting.name):
                found.setdefault(setting.name, texts[0].where)
    return {name: where for name, where in found.items() if name not in values.bad}


def _window_given(values: Values) -> str:
    """Which setting of the window was given; "" where none was."""
    return next((name for name in ("window", "window_requests") if values.all(name)), "")


def _anew_hints(values: Values) -> list[str]:
    """A flag is typed once; what stands in a file or a variable is read at every start."""
    given = values.all("anew")
    if not given or given[0].value is not True or given[0].source == "flag":
        return []
    return [
        f"anew ({given[0].given.where}) starts the rollout again at every start of the service, "
        "after a crash too: give --anew once, on the command line."
    ]


# Guards


def _guards(
    readings: Mapping[Source, Reading],
) -> tuple[list[tuple[GuardSpec, str]], list[PilotageError]]:
    """The guards of the strongest source that has any, with where each was given; errors of all."""
    errors: list[PilotageError] = []
    chosen: list[tuple[GuardSpec, str]] = []
    given_by: Source | None = None
    for source in SOURCES:
        texts = readings[source].given.get("guard", [])
        kept: list[tuple[GuardSpec, str]] = []
        for given in texts:
            try:
                spec = read_guard(given.text, where=given.where, line=given.line)
            except PilotageErrors as wrong:
                errors += wrong.errors
                continue
            kept.append((spec, given.where))
        errors += consistency.same_guards(kept)
        if texts and given_by is None:
            given_by, chosen = source, kept
    return chosen, errors


# The spec


def _spec(values: Values, guards: tuple[GuardSpec, ...]) -> RolloutSpec:
    """The spec from settings that are right by themselves; durations are held in nanoseconds."""
    words: dict[str, Any] = {
        "then": values.one("then", "hold"),
        "promote_on": values.one("promote_on", "guards"),
        "streams": values.one("streams", "drain"),
    }
    return RolloutSpec(
        stages=_stages(values),
        guards=guards or (read_guard(DEFAULT_GUARD),),
        sticky_by=values.text("sticky_by") or "",
        confidence=values.one("confidence", 0.95),
        patience_s=values.one("patience", 24 * 3600 * S) / S,
        block_s=values.one("block", 10 * S) / S,
        window_s=values.one("window", 600 * S) / S,
        window_requests=values.one("window_requests", 50),
        **words,
    )


def _stages(values: Values) -> tuple[StageSpec, ...]:
    units = values.one("exposure_units", 500)
    lasts_s = values.one("exposure", 600 * S) / S
    stages: list[StageSpec] = []
    if shadow_ns := values.one("shadow", 0):
        stages.append(StageSpec("shadow", 0, shadow_ns / S, units))
    return (*stages, *(StageSpec("canary", ppm, lasts_s, units) for ppm in _canary(values)))


def _canary(values: Values) -> tuple[int, ...]:
    given = values.all("canary")
    if not given:
        return DEFAULT_CANARY_PPM
    lists = [cast("tuple[int, ...]", value.value) for value in given]
    return tuple(ppm for shares in lists for ppm in shares)
