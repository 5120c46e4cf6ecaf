"""The models to serve: names, paths and what each has for itself."""

import re
from pathlib import PurePath
from typing import Final

from pilotage.errors import PilotageError
from pilotage.spec.kinds import ENDPOINT_NAME
from pilotage.spec.setting import MS
from pilotage.spec.settings import ModelSettings
from pilotage.spec.sources import Given, GivenModel, Reading, Source
from pilotage.spec.table import PER_MODEL
from pilotage.spec.values import Disk, Value, Values
from pilotage.spec.words import did_you_mean, shown

_NAMED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,127})=(.+)\Z", re.ASCII | re.DOTALL)


def read_models(
    readings: dict[Source, Reading], values: Values, disk: Disk
) -> tuple[tuple[ModelSettings, ...], list[PilotageError]]:
    """The models of the strongest source that names any, and everything wrong with them.

    A setting for all models by flag or variable wins over an entry's own, which wins over the
    file's for all: flags before environment before file, and within the file the nearer one.
    """
    source, entries = _entries(readings, values)
    if not entries:
        unsure = any(reading.errors for reading in readings.values())
        return (), [] if unsure else [_no_models()]
    errors: list[PilotageError] = []
    samples = _samples(values, errors, len(entries))
    models: list[ModelSettings] = []
    only = values.text("name")
    if only and len(entries) > 1:
        errors.append(
            PilotageError(
                f"one name for {len(entries)} models",
                where=values.where("name"),
                expected="a name for each model",
                fix="Write NAME=FILE for each model.",
            )
        )
    for entry in entries:
        name, path = _name_and_path(entry, only if len(entries) == 1 else None, values, errors)
        path = values.path(path, source)
        if not disk.is_there(path) and not readings["flag"].errors:
            errors.append(
                PilotageError(
                    f"there is no file or folder {shown(path)}",
                    where=entry.path.where,
                    expected="a model file",
                    fix="Check the path.",
                )
            )
        models.append(_model(name, path, entry, values, samples))
    errors += _clashes(models, entries) + _strangers(samples, models)
    return tuple(models), errors


def _entries(readings: dict[Source, Reading], values: Values) -> tuple[Source, list[GivenModel]]:
    source, texts = values.given("models")
    if texts:
        return source, [GivenModel(given, {}) for given in texts if given.text]
    return "file", readings["file"].models


def _no_models() -> PilotageError:
    return PilotageError(
        "no model is given",
        where="command line",
        expected="at least one model file",
        fix="Write pilotage serve model.onnx.",
    )


def _name_and_path(
    entry: GivenModel, only: str | None, values: Values, errors: list[PilotageError]
) -> tuple[str, str]:
    """What the model is called: by `name`, by NAME=FILE, else by its file."""
    text = entry.path.text
    own = values.meaning("name", entry.own["name"]) if "name" in entry.own else None
    named = None if own else _NAMED.match(text)
    if named and "/" not in named[1]:
        return only or named[1], named[2]
    if own is not None:
        return only or str(own.value), text
    stem = PurePath(text).stem or PurePath(text).name
    name = only or re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    if not ENDPOINT_NAME.match(name):
        errors.append(
            PilotageError(
                "no name can be made from the file's",
                where=entry.path.where,
                expected="a name of letters, digits, dot, dash and underscore",
                fix="Write NAME=FILE.",
            )
        )
    return name, text


def _model(
    name: str, path: str, entry: GivenModel, values: Values, samples: dict[str, Value]
) -> ModelSettings:
    own = {
        setting: value
        for setting in PER_MODEL
        if setting != "name"
        and setting in entry.own
        and (value := values.meaning(setting, entry.own[setting]))
    }

    def of(setting: str) -> object:
        general = values.all(setting)
        if setting in own and not (general and general[0].source != "file"):
            return own[setting].value
        return general[0].value if general else None

    rows, deadline_ns, trust = of("max_batch_rows"), of("deadline"), of("trust")
    sample = samples.get(name) or samples.get("")
    own_sample = own.get("sample")
    if own_sample is not None and not (sample and sample.source != "file"):
        sample = Value(values.path(str(own_sample.value), "file"), own_sample.given, "file")
    return ModelSettings(
        name=name,
        path=path,
        max_batch_rows=rows if isinstance(rows, int) else 32,
        deadline_ms=deadline_ns / MS if isinstance(deadline_ns, int) else None,
        trust=trust is True,
        sample=str(sample.value) if sample else None,
    )


def _samples(values: Values, errors: list[PilotageError], models: int) -> dict[str, Value]:
    """Sample files by the model's name; "" is the one of an only model."""
    samples: dict[str, Value] = {}
    for value in values.all("sample"):
        text = str(value.value)
        named = _NAMED.match(text)
        name, path = (named[1], named[2]) if named and "/" not in named[1] else ("", text)
        if not name and models > 1:
            errors.append(
                PilotageError(
                    f"one sample for {models} models",
                    where=value.given.where,
                    expected="NAME=FILE",
                    fix="Write the model's name before the file.",
                )
            )
        elif name in samples:
            errors.append(
                PilotageError(
                    "a model has two samples", where=value.given.where, fix="Keep one of them."
                )
            )
        samples[name] = Value(values.path(path, value.source), value.given, value.source)
    return samples


def _clashes(models: list[ModelSettings], entries: list[GivenModel]) -> list[PilotageError]:
    first: dict[str, Given] = {}
    errors: list[PilotageError] = []
    for model, entry in zip(models, entries, strict=True):
        if model.name in first:
            errors.append(
                PilotageError(
                    f"two models are called {shown(model.name)}",
                    where=entry.path.where,
                    expected="a name for each model",
                    fix=f"Write NAME=FILE for one of {shown(first[model.name].text)} "
                    f"and {shown(entry.path.text)}.",
                )
            )
        first.setdefault(model.name, entry.path)
    return errors


def _strangers(samples: dict[str, Value], models: list[ModelSettings]) -> list[PilotageError]:
    names = [model.name for model in models]
    return [
        PilotageError(
            f"a sample for {shown(name)}, which is no model here",
            where=value.given.where,
            expected=", ".join(names),
            fix=did_you_mean(name, names),
        )
        for name, value in samples.items()
        if name and name not in names
    ]
