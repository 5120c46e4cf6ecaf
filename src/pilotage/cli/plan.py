"""`pilotage plan`: before a rollout, how long its answers will take."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from pilotage.cli.disk import LocalDisk
from pilotage.cli.rollout_traffic import Traffic
from pilotage.errors import PilotageError
from pilotage.spec import shares
from pilotage.spec.guard_words import GUARDS
from pilotage.spec.kinds import Kind, Wrong
from pilotage.spec.words import did_you_mean, shown

if TYPE_CHECKING:
    from pilotage.checks.live.planning import PlanRow
    from pilotage.spec.rollouts import RolloutSpec
    from pilotage.spec.settings import ServeSettings

ERROR_RATE_HIGH: Final = 0.5


def plan(
    baseline: Annotated[str, typer.Argument(metavar="MODEL", help="The model that is served.")],
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="The one to be tried.")],
    rate: Annotated[
        str, typer.Option(metavar="RATE", help="Requests a second, such as 100/s; else measured.")
    ] = "",
    error_rate: Annotated[
        str, typer.Option(metavar="SHARE", help="The baseline's own errors, such as 0.3%.")
    ] = "",
    harm: Annotated[
        list[str] | None,
        typer.Option(metavar="HARM", help="A harm to look for, such as 'error_rate 2pp'."),
    ] = None,
    record: Annotated[
        str, typer.Option(metavar="FOLDER", help="Records in which the traffic is measured.")
    ] = "",
    data: Annotated[str, typer.Option(metavar="FOLDER", help="As of `pilotage serve`.")] = "",
    shadow: Annotated[str, typer.Option(metavar="TIME", help="As of `pilotage serve`.")] = "",
    canary: Annotated[str, typer.Option(metavar="SHARES", help="As of `pilotage serve`.")] = "",
    guard: Annotated[
        list[str] | None, typer.Option(metavar="GUARD", help="As of `pilotage serve`.")
    ] = None,
    sticky_by: Annotated[str, typer.Option(metavar="KEY", help="As of `pilotage serve`.")] = "",
    confidence: Annotated[str, typer.Option(metavar="SHARE", help="As of `pilotage serve`.")] = "",
    patience: Annotated[str, typer.Option(metavar="TIME", help="As of `pilotage serve`.")] = "",
    config: Annotated[str, typer.Option(metavar="FILE", help="As of `pilotage serve`.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Tell how long a rollout of CANDIDATE will take.

    For each guard and stage: until harm is found, and until "not worse" can be shown. With the
    traffic that is given, or else measured in the records of the last day.

    Examples:

        pilotage plan v1.onnx v2.onnx --rate 100/s --error-rate 0.3%

        pilotage plan v1.onnx v2.onnx --canary 1%,10% --guard 'accuracy not_worse_by 1pp'
    """
    options = {
        "record": [record],
        "data": [data],
        "shadow": [shadow],
        "canary": [canary],
        "guard": guard or [],
        "sticky-by": [sticky_by],
        "confidence": [confidence],
        "patience": [patience],
        "config": [config],
    }
    words = [f"--{name}={text}" for name, texts in options.items() for text in texts if text]
    settings, spec = _settings([baseline, "--candidate", candidate, *words])
    harms = _harms(harm or [], spec)
    traffic = _traffic(settings, spec, rate, error_rate)
    rows = _rows(spec, traffic, harms)
    if as_json:
        _print_json(rows, traffic)
        return
    from pilotage.cli.live_screen import columns_of, print_lines
    from pilotage.cli.rollout_plan_lines import plan_lines

    names = (Path(baseline).name, Path(candidate).name)
    width = columns_of(sys.stdout)
    lines = plan_lines(rows, spec, traffic=traffic, names=names, width=width)
    print_lines(lines, sys.stdout)


def _settings(words: list[str]) -> "tuple[ServeSettings, RolloutSpec]":
    """What `pilotage serve` would be told by these words."""
    from pilotage.spec.loading import load_serve_settings

    settings = load_serve_settings(words, os.environ, LocalDisk(), platform=sys.platform)
    assert settings.rollout is not None  # there is a candidate
    return settings, settings.rollout


def _rows(
    spec: "RolloutSpec", traffic: Traffic, harms: dict[str, list[float]]
) -> "tuple[PlanRow, ...]":
    from pilotage.checks.live.planning import plan as planned

    rates: dict[str, float] = {}
    if traffic.error_rate is not None:
        rates = {
            guard.text: traffic.error_rate for guard in spec.guards if guard.metric == "error_rate"
        }
    return planned(
        spec,
        requests_per_s=traffic.per_s,
        baseline_rates=rates,
        harms=harms,
        units_per_s=traffic.units_per_s,
    )


def _traffic(settings: "ServeSettings", spec: "RolloutSpec", rate: str, error_rate: str) -> Traffic:
    """As it is given, else as it was measured."""
    errors = shares.share(0.0, ERROR_RATE_HIGH, example="0.3%")
    failing = _read("--error-rate", errors, error_rate) if error_rate else None
    if rate:
        per_s = _read("--rate", shares.rate(), rate)
        known = f", {failing * 100:.3g} % of them failing" if failing is not None else ""
        return Traffic(per_s, failing, None, f"At {per_s:g} requests a second{known}: as given.")
    from pilotage.control.rollouts.viewing import duration
    from pilotage.records.traffic import measured

    assert settings.record is not None  # a rollout has records
    found = measured(Path(settings.record.folder), settings.models[0].name)
    share = found.error_rate if failing is None else failing
    sentence = (
        f"At {found.per_s:.3g} requests a second, {share * 100:.3g} % of them failing: measured on "
        f"the last {found.requests:,} predictions ({duration(found.seconds)})."
    )
    units = found.units / found.seconds if spec.sticky_by and found.units else None
    return Traffic(found.per_s, share, units, sentence)


def _harms(given: list[str], spec: "RolloutSpec") -> dict[str, list[float]]:
    """By a guard's text, the harms to look for: each for all guards of its metric."""
    from pilotage.spec.guards import read_guard

    harms: dict[str, list[float]] = {}
    for text in given:
        metric, _, amount = text.strip().partition(" ")
        guards = [guard for guard in spec.guards if guard.metric == metric]
        if not guards or not amount:
            metrics = {guard.metric for guard in spec.guards}
            raise PilotageError(
                f"no guard of this rollout judges {shown(metric)}" if amount else "no amount",
                where=f"--harm {shown(text)}",
                expected=f"one of {', '.join(sorted(metrics))}, and an amount",
                fix=did_you_mean(metric, metrics) if amount else "As in --harm 'error_rate 2pp'.",
            )
        example = GUARDS[guards[0].metric].example.rpartition(" ")[0]
        size = read_guard(f"{example} {amount}", where=f"--harm {shown(text)}").margin
        for guard in guards:
            harms.setdefault(guard.text, []).append(size)
    return harms


def _read(flag: str, kind: Kind, text: str) -> float:
    try:
        value = kind.read(text)
    except Wrong as wrong:
        what = f"{shown(text)} is not {kind.noun}"
        raise PilotageError(what, where=flag, expected=kind.expected, fix=wrong.fix) from None
    assert isinstance(value, int | float)
    return float(value)


def _print_json(rows: "tuple[PlanRow, ...]", traffic: Traffic) -> None:
    told = {"traffic": traffic._asdict(), "rows": rows}
    body = msgspec.json.format(msgspec.json.encode(told), indent=2)
    sys.stdout.write(body.decode() + "\n")


def add_plan(app: typer.Typer) -> None:
    """Puts the command into a tree."""
    app.command("plan")(plan)
