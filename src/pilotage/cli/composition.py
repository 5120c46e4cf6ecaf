"""Settings -> models -> versions -> snapshot -> a running data plane.

The one place that knows both the formats and the data plane. The engine is imported here, before
anything is forked, so that all processes share its pages and a worker starts in milliseconds.
"""

import contextlib
import ssl
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from msgspec import structs

from pilotage.contracts.keys import Key, digest_of
from pilotage.contracts.matching import differences, remarks
from pilotage.contracts.snapshot import (
    FORMAT,
    VERSION_ID_DIGITS,
    Endpoint,
    RecordPolicy,
    Route,
    Snapshot,
    Step,
    Version,
    digest_of_version,
)
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.formats.opening import OpenedModel, open_model
from pilotage.isolation import runtime
from pilotage.spec.settings import ModelSettings, RecordSettings, ServeSettings, TlsSettings

ARTIFACTS: Final = "artifacts"
"""Folder of the artifact store inside the data folder."""

Opened = Callable[[OpenedModel], None]
Said = Callable[[str], None]


def compose(
    settings: ServeSettings,
    revision: int,
    *,
    opened: Opened | None = None,
    candidate_opened: Opened | None = None,
    progress: Said | None = None,
    hint: Said | None = None,
) -> Snapshot:
    """The snapshot that the settings ask for; every model that cannot be opened is told at once.

    A candidate's version stands last among the versions, without a route: `candidate_version`.

    Args:
        opened, candidate_opened: told each model, and the candidate, once it is open.
        progress: told what takes long, when it begins.
        hint: told what is allowed and may surprise.

    Raises:
        PilotageError: a model cannot be served, or the candidate takes or gives other tensors than
            the baseline; several in one `PilotageErrors`.
    """
    errors: list[PilotageError] = []
    versions: dict[str, Version] = {}
    endpoints: list[Endpoint] = []
    for model in settings.models:
        try:
            found = _open(settings, model, progress)
        except PilotageError as error:
            errors.append(error)
            continue
        if opened is not None:
            opened(found)
        version = _version_of(found, model)
        versions[version.id] = _shared(versions.get(version.id), version)
        endpoints.append(_endpoint_of(found.name, version, model, settings.record))
    if settings.candidate is not None:
        try:
            tried = _open(settings, settings.candidate, progress)
            if candidate_opened is not None:
                candidate_opened(tried)
            version = _version_of(tried, settings.candidate)
            for baseline in versions.values():
                _compare(baseline, version, settings.candidate.path, hint)
            versions.setdefault(version.id, version)
        except PilotageError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else PilotageErrors(errors)
    return Snapshot(
        format=FORMAT,
        requires=("keys", "limits") if settings.keys else ("limits",),
        revision=revision,
        made_at=time.time(),
        endpoints=tuple(endpoints),
        versions=tuple(versions.values()),
        keys=tuple(
            Key(digest_of(key.secret.reveal().encode()), key.principal) for key in settings.keys
        ),
        limits=settings.limits,
    )


def candidate_version(settings: ServeSettings, snapshot: Snapshot) -> Version | None:
    """The version on trial in a snapshot that `compose` made of these settings; None for none.

    It is the baseline's own where both files hold the same model.
    """
    return snapshot.versions[-1] if settings.candidate is not None else None


def _open(settings: ServeSettings, model: ModelSettings, progress: Said | None) -> OpenedModel:
    return open_model(
        Path(model.path),
        artifacts=Path(settings.data_folder) / ARTIFACTS,
        name=model.name,
        trust=model.trust,
        sample=Path(model.sample) if model.sample else None,
        progress=progress,
    )


def _compare(baseline: Version, candidate: Version, path: str, hint: Said | None) -> None:
    """Refuses a candidate that clients of the baseline would notice; tells what is noteworthy."""
    if found := differences(baseline.signature, candidate.signature):
        raise PilotageError(
            f"the candidate does not take and give what the baseline does: {'; '.join(found)}",
            where=path,
            expected="the same inputs and outputs: names, datatypes, shapes and order",
            fix="Export the candidate with the baseline's inputs and outputs, or serve it by "
            "itself under a name of its own.",
        )
    if hint is None:
        return
    if candidate.digest == baseline.digest:
        hint(
            "The candidate is the same version as the baseline: an A/A rollout, in which no guard "
            "should find anything."
        )
    for remark in remarks(baseline.signature, candidate.signature):
        hint(f"Known of the data differs: {remark}.")


def _version_of(found: OpenedModel, model: ModelSettings) -> Version:
    step = Step(
        engine="onnxruntime",
        artifact=found.digest,
        location=str(found.path),
        settings=found.settings,
    )
    digest = digest_of_version((step,))
    return Version(
        id=digest[:VERSION_ID_DIGITS],
        model=found.name,
        digest=digest,
        signature=found.signature,
        steps=(step,),
        max_batch_rows=model.max_batch_rows,
        memory_bytes=found.memory_bytes,
    )


def _shared(first: Version | None, other: Version) -> Version:
    """One version under several names: loaded once, in batches that are small enough for each."""
    if first is None:
        return other
    rows = min(first.max_batch_rows, other.max_batch_rows)
    return structs.replace(first, max_batch_rows=rows)


def _endpoint_of(
    name: str, version: Version, model: ModelSettings, record: RecordSettings | None
) -> Endpoint:
    policy = None
    if record is not None:
        policy = RecordPolicy(record.inputs, record.outputs, record.inline_bytes, record.when_full)
    return Endpoint(
        name=name,
        routes=(Route(version.id),),
        deadline_ms=model.deadline_ms,
        salt=name,
        record=policy,
    )


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """The server's side of TLS 1.2 and newer; with a client CA, callers must show a certificate.

    Raises:
        PilotageError: the certificate, its key or the CA cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise PilotageError(
            f"the certificate and its key cannot be read: {error}",
            where="--tls-cert, --tls-key",
            expected="PEM files that belong together",
        ) from error
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(tls.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise PilotageError(
                f"the client CA cannot be read: {error}",
                where="--tls-client-ca",
                expected="a PEM file",
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def prepare_imports() -> None:
    """Loads what the workers run on, once, in the process that they are forked from."""
    runtime.onnxruntime()
    for name in ("pilotage.serving.engines.onnx", "pilotage.serving.processes.worker", "uvloop"):
        with contextlib.suppress(ModuleNotFoundError):
            import_module(name)
