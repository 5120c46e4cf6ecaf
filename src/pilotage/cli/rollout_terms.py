"""A rollout's terms, told before it begins: what is in force, in words, and how often it may err.

Pure: settings in, lines of at most `WIDTH` columns or fields of an event out.
"""

import textwrap
from pathlib import PurePath
from typing import Final

from pilotage.spec.guard_words import GUARDS
from pilotage.spec.rollouts import OUTCOME_METRICS, RolloutSpec
from pilotage.spec.settings import ServeSettings
from pilotage.spec.units import format_duration
from pilotage.spec.words import printable

WIDTH: Final = 80
LABEL: Final = 12
"""Columns of the labels."""

_THEN: Final = {
    "hold": "hold: it stays in its stage until you promote it or roll it back",
    "promote": "promote: what is undecided by then goes live",
    "rollback": "roll back: what is undecided by then is out",
}


def terms_lines(settings: ServeSettings, *, page: str, options: str = "") -> list[str]:
    """What is in force, a label and its words a row; none where there is no candidate.

    Args:
        page: where the rollout is shown ("http://127.0.0.1:8090"); "" where that is not known yet.
        options: what `pilotage rollout` needs to find it ("--data ./here"); "" for nothing.
    """
    spec = settings.rollout
    if settings.candidate is None or spec is None:
        return []
    candidate, baseline = _names(settings.candidate.path, settings.models[0].path)
    rows = [("candidate", f"{candidate}, on trial beside {baseline}")]
    rows.append(("stages", ", ".join([*(stage.name for stage in spec.stages), "then live"])))
    rows.append(("exposure", _exposure(spec)))
    rows.append(("live", _live(spec)))
    rows += [("" if index else "guards", guard.text) for index, guard in enumerate(spec.guards)]
    if kinds := sorted({each.of for each in spec.guards if each.metric in OUTCOME_METRICS}):
        rows.append(("outcomes", f"wanted at POST /v1/outcomes, of kind {', '.join(kinds)}"))
    rows.append(("confidence", confidence_words(spec)))
    rows.append(("patience", f"{_time(spec.patience_s)}, then {_THEN[spec.then]}"))
    rows.append(("split", _split(spec)))
    rows += [("page", page)] if page else []
    status = f"pilotage rollout status {options}".rstrip()
    rows.append(("steer", f"{status}; pause, resume, promote, abort or rollback"))
    return [line for label, words in rows for line in _row(label, words)]


def terms_fields(settings: ServeSettings, *, page: str) -> dict[str, object]:
    """The same as the fields of an event; none where there is no candidate."""
    spec = settings.rollout
    if settings.candidate is None or spec is None:
        return {}
    return {
        "candidate": settings.candidate.path,
        "baseline": settings.models[0].path,
        "stages": [
            {
                "name": stage.name,
                "kind": stage.kind,
                "share_ppm": stage.share_ppm,
                "lasts_s": stage.lasts_s,
                "units": stage.units,
            }
            for stage in spec.stages
        ],
        "guards": [{"guard": guard.text, "required": guard.required} for guard in spec.guards],
        "confidence": spec.confidence,
        "promote_on": spec.promote_on,
        "patience_s": spec.patience_s,
        "then": spec.then,
        "sticky_by": spec.sticky_by,
        "block_s": spec.block_s,
        "window_s": spec.window_s,
        "window_requests": spec.window_requests,
        "streams": spec.streams,
        "page": page,
    }


def confidence_words(spec: RolloutSpec) -> str:
    """Both error rates, and what they are about; what is not bounded is said to be so."""
    wrong = _percent(1 - spec.confidence)
    compared = all(GUARDS[guard.metric].asks == "not_worse_by" for guard in spec.guards)
    none_tolerated = compared and all(guard.tolerated == 0 for guard in spec.guards)
    good = "an equal candidate" if compared else "a candidate whose harms are all tolerated"
    if compared and not none_tolerated:
        good = "an equal candidate, or one whose harms are tolerated,"
    first = f"{_percent(spec.confidence)}: {good} is rolled back in at most {wrong} of rollouts; "
    if spec.promote_on == "exposure":
        return first + "how many worse ones go live is not bounded, since exposure proves nothing"
    margin = "a margin"
    if not all(guard.required for guard in spec.guards):
        margin = "the margin of a guard that is not optional"
    late = ", unless patience ends first" if spec.then == "promote" else ""
    return first + f"one that is worse by {margin} goes live in at most {wrong}{late}"


def _exposure(spec: RolloutSpec) -> str:
    """How long, and how much, each stage has to last."""
    header = spec.sticky_by.removeprefix("header:")
    unit = f"candidate values of {header}" if header else "candidate requests"
    lasts = {stage.kind: (_time(stage.lasts_s), stage.units) for stage in spec.stages}
    words = [
        f"{'the shadow' if kind == 'shadow' else 'a canary'} lasts {time} and {units} "
        f"{'copies' if kind == 'shadow' else unit} at least"
        for kind, (time, units) in lasts.items()
    ]
    return "; ".join(words)


def _live(spec: RolloutSpec) -> str:
    """What the candidate needs after its last stage."""
    if spec.promote_on == "exposure":
        return "after the last stage, if no guard has failed"
    if all(guard.required for guard in spec.guards):
        return "after the last stage, once every guard has passed"
    return "after the last stage, once every guard has passed that is not optional"


def _split(spec: RolloutSpec) -> str:
    """Who stays on one version, and what counts once."""
    if not spec.sticky_by:
        return "each request by itself"
    header = spec.sticky_by.removeprefix("header:")
    return (
        f"by {header}: each of its values stays on one version and counts once, by its first "
        f"{spec.window_requests} requests within {_time(spec.window_s)}"
    )


def _row(label: str, words: str) -> list[str]:
    lines = textwrap.wrap(printable(words), WIDTH - LABEL, break_on_hyphens=False) or [""]
    return [f"{label:<{LABEL}}{lines[0]}", *(f"{'':{LABEL}}{line}" for line in lines[1:])]


def _names(candidate: str, baseline: str) -> tuple[str, str]:
    """The files' names; with their folders' where the names are the same."""
    first, second = PurePath(candidate), PurePath(baseline)
    if first.name != second.name:
        return first.name, second.name
    return str(PurePath(*first.parts[-2:])), str(PurePath(*second.parts[-2:]))


def _time(seconds: float) -> str:
    return format_duration(round(seconds * 1_000_000_000))


def _percent(share: float) -> str:
    return f"{100 * share:.6g} %"
