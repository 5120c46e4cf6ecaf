"""Settings from everything a person wrote: merged, given a meaning, checked against each other.

The one way in. Disk and environment are arguments, so the whole of it is a table in its tests.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pilotage.contracts.limits import Limits
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec import consistency, files, folders
from pilotage.spec.keys import read_keys
from pilotage.spec.models import read_models
from pilotage.spec.setting import S
from pilotage.spec.settings import RecordSettings, ServeSettings, TlsSettings
from pilotage.spec.sources import (
    SOURCES,
    Reading,
    Source,
    read_flags,
    read_variables,
)
from pilotage.spec.table import BY_ROLLOUT_KEY
from pilotage.spec.values import Disk, Values

ROLLOUT_NAMES: Final = frozenset(setting.name for setting in BY_ROLLOUT_KEY.values())


def load_serve_settings(
    arguments: Sequence[str], environment: Mapping[str, str], disk: Disk, *, platform: str
) -> ServeSettings:
    """The settings of `pilotage serve`; `platform` is `sys.platform`.

    Raises:
        PilotageErrors: everything that is wrong, at once. Secrets are in none of the messages.
    """
    readings: dict[Source, Reading] = {
        "flag": read_flags(arguments),
        "variable": read_variables(environment),
        "file": Reading(),
    }
    config = _config(readings, environment)
    if config:
        readings["file"] = _read_file(config, disk)
    values = Values(readings, environment, config)
    errors = [error for source in SOURCES for error in readings[source].errors]
    hints = [hint for source in SOURCES for hint in readings[source].hints]

    keys, key_errors, key_hints = read_keys(values, disk)
    models, model_errors = read_models(readings, values, disk)
    given_limits: dict[str, Any] = values.limits()
    limits = Limits(**given_limits)
    host = values.one("host", "127.0.0.1")
    errors += values.errors + key_errors + model_errors
    errors += _between(values, host, keys_given=bool(values.given("key")[1]))
    if not key_errors:
        errors += consistency.access_errors(host, keys, values.where("host")) if keys else []
    if not any(name.startswith("limits.") for name in values.bad):
        errors += consistency.limit_errors(limits)
    errors += _missing_files(values, disk, [model.sample for model in models])
    data_folder = values.text("data") or folders.data_folder(environment, platform)
    record = _record(values, data_folder)
    asked = None
    if any(name in reading.given for reading in readings.values() for name in ROLLOUT_NAMES):
        from pilotage.spec.rollout_reading import read_rollout  # no other start pays for it

        asked = read_rollout(readings, values, disk, models, record)
        errors += asked.errors
        hints += asked.hints
    if errors:
        raise PilotageErrors(errors)
    tls = _tls(values)
    hints += key_hints + consistency.access_hints(host, keys, tls=tls is not None)
    live = values.all("live")
    words: dict[str, Any] = {"log_format": values.one("log_format", "auto")}
    return ServeSettings(
        models=models,
        data_folder=data_folder,
        record=record,
        host=host,
        port=values.one("port", 8080),
        workers=values.one("workers", 1),
        threads=values.one("threads", 1),
        poll_us=values.one("poll", 0) // 1000,
        keys=keys,
        tls=tls,
        reload=values.one("reload", False),
        drain_s=values.one("drain", 10 * S) / S,
        limits=limits,
        config=config,
        hints=tuple(hints),
        candidate=asked.candidate if asked else None,
        rollout=asked.rollout if asked else None,
        anew=values.one("anew", False),
        live=bool(live[0].value) if live else None,
        control_port=values.one("control_port", 8090),
        **words,
    )


def _config(readings: dict[Source, Reading], environment: Mapping[str, str]) -> str | None:
    """The path of the file: a flag or a variable names it."""
    for source in ("flag", "variable"):
        if found := readings[source].given.get("config"):
            path = found[-1].text
            home = environment.get("HOME", "")
            return home + path[1:] if home and path.startswith("~/") else path
    return None


def _read_file(config: str, disk: Disk) -> Reading:
    """The file's reading; one that cannot be read is an error like any other."""
    from pilotage.spec.document import read_document  # only where there is a file

    try:
        data = disk.read(config, files.FILE_BYTES)
        return read_document(files.read_yaml(data, config), config)
    except OSError as error:
        fault = PilotageError(
            f"the configuration file cannot be read: {error.strerror or type(error).__name__}",
            where=config,
            expected="a readable file",
            fix="Check the path that --config or PILOTAGE_CONFIG names.",
        )
    except PilotageError as error:
        fault = error
    return Reading(errors=[fault])


def _between(values: Values, host: str, *, keys_given: bool) -> list[PilotageError]:
    """What single settings are right about and contradict each other in."""
    errors: list[PilotageError] = []
    if "host" not in values.bad and not keys_given:
        errors += consistency.access_errors(host, (), values.where("host"))
    if not values.bad & {"tls_cert", "tls_key", "tls_client_ca"}:
        cert, key, client_ca = (values.text(f"tls_{name}") for name in ("cert", "key", "client_ca"))
        where = next(
            (
                values.where(name)
                for name in ("tls_cert", "tls_key", "tls_client_ca")
                if values.where(name)
            ),
            "",
        )
        errors += consistency.tls_errors(cert, key, client_ca, where)
    record, no_record = values.all("record"), values.all("no_record")
    if record and no_record and no_record[0].value and record[0].source == no_record[0].source:
        errors.append(
            PilotageError(
                "record and no_record are both given",
                where=no_record[0].given.where,
                expected="one of them",
                fix="Leave one out.",
            )
        )
    return errors


def _missing_files(
    values: Values, disk: Disk, samples: Sequence[str | None]
) -> list[PilotageError]:
    """One error a file that is named and is not there."""
    named = [
        (path, values.where(name))
        for name in ("tls_cert", "tls_key", "tls_client_ca")
        if (path := values.text(name))
    ]
    named += [(path, values.where("sample") or "sample") for path in samples if path]
    return [
        PilotageError(
            f"there is no file {path}", where=where, expected="a file", fix="Check the path."
        )
        for path, where in dict.fromkeys(named)
        if not disk.is_there(path)
    ]


def _tls(values: Values) -> TlsSettings | None:
    cert, key = values.text("tls_cert"), values.text("tls_key")
    return TlsSettings(cert, key, values.text("tls_client_ca")) if cert and key else None


def _record(values: Values, data_folder: str) -> RecordSettings | None:
    """None records nothing; of --record and --no-record the stronger source wins."""
    folder, no_record = values.all("record"), values.all("no_record")
    if no_record and no_record[0].value:
        order = SOURCES.index
        if not folder or order(no_record[0].source) < order(folder[0].source):
            return None
    words: dict[str, Any] = {
        "inputs": values.one("record_inputs", "auto"),
        "outputs": values.one("record_outputs", "auto"),
        "when_full": values.one("record_when_full", "serve"),
    }
    return RecordSettings(
        folder=values.text("record") or f"{data_folder}/records",
        inline_bytes=values.one("record_inline", 4096),
        budget_bytes=values.one("record_budget", 10 * 2**30),
        fsync_interval_s=values.one("fsync_interval", S) / S,
        **words,
    )
