"""Snapshot: all that a data plane needs to serve, immutable, under one revision number.

A data plane that cannot read one keeps the snapshot it has and says why. It refuses on purpose
in two cases: another `format`, or a name in `requires` that it does not know. Without the second,
an old data plane would drop a new restriction in silence, since unknown fields are passed over.
"""

import hashlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pilotage.contracts.keys import Key
from pilotage.contracts.limits import MIB, Limits
from pilotage.contracts.signature import Signature
from pilotage.errors import PilotageError

FORMAT: Final = 1
FEATURES: Final = frozenset({"routes", "keys", "limits", "record", "steps", "trial"})
"""What this reader knows; a snapshot that requires more is not served."""

PPM: Final = 1_000_000
"""Route weights and propensities are parts per million, so that they are exact."""

Kind = Literal["tensor", "chat", "session"]


class Step(Struct, frozen=True, omit_defaults=True):
    """One piece of a version: an artifact and the engine that executes it.

    Attributes:
        engine: a name known to `serving.engines` ("onnxruntime").
        artifact: SHA-256 of the artifact, in hex.
        location: where this data plane finds the artifact: a path.
        device: "cpu" at first.
        replicas: how many copies each worker loads.
        settings: the engine's own settings; part of the version's digest.
    """

    engine: str
    artifact: str
    location: str
    device: str = "cpu"
    replicas: int = 1
    settings: dict[str, str | int | float | bool] = {}


class Version(Struct, frozen=True, omit_defaults=True):
    """One immutable version of a model.

    Attributes:
        id: the first 12 digits of the digest: the same wherever the same version is served, and
            what clients see as the version in paths and answers.
        model: the model it is a version of.
        digest: SHA-256 in hex over artifacts, engines and settings (`digest_of_version`).
        signature: what it takes and gives.
        steps: executed in order; of length one at first.
        max_batch_rows: rows of one engine call.
        memory_bytes: what loading took where it was inspected; 0 when unknown.
        platform: the word for `platform` in protocol metadata ("onnx_onnxv1").
    """

    id: str
    model: str
    digest: str
    signature: Signature
    steps: tuple[Step, ...]
    max_batch_rows: int = 32
    memory_bytes: int = 0
    platform: str = "onnx_onnxv1"


VERSION_ID_DIGITS: Final = 12


def digest_of_version(steps: tuple[Step, ...]) -> str:
    """SHA-256 in hex over what decides the answers: artifacts, engines and settings.

    Where an artifact lies, on which device it runs and how often it is loaded are left out.
    """
    parts = [(step.engine, step.artifact, sorted(step.settings.items())) for step in steps]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


class Route(Struct, frozen=True, omit_defaults=True):
    """Where a share of an endpoint's traffic goes.

    Attributes:
        version: a `Version.id`.
        weight_ppm: its share; the routes of an endpoint sum to `PPM`.
        arm: "baseline" or "candidate".
        rollout, stage: the rollout that set this share, where one did.
    """

    version: str
    weight_ppm: int = PPM
    arm: Literal["baseline", "candidate"] = "baseline"
    rollout: str = ""
    stage: str = ""


class RecordPolicy(Struct, frozen=True, omit_defaults=True):
    """What of a prediction is kept.

    Attributes:
        inputs, outputs: "auto" keeps the whole up to `inline_bytes` a request, else the digest.
        inline_bytes: the bound of "auto", over the tensors of one side of one request.
        when_full: "serve" answers on, marks and counts what was not recorded; "refuse" answers 503.
    """

    inputs: Literal["auto", "digest", "none"] = "auto"
    outputs: Literal["auto", "digest", "none"] = "auto"
    inline_bytes: int = 4096
    when_full: Literal["serve", "refuse"] = "serve"


class Trial(Struct, frozen=True, omit_defaults=True):
    """How a candidate is tried beside the share of traffic that its route gets.

    Attributes:
        candidate: a `Version.id`; loaded and warmed, whatever its share.
        rollout, stage: whose trial it is; they stand in the records of copies and probes.
        shadow_budget_ppm: of one core's time, what copies may take in each worker; what is beyond
            is dropped.
        probe_budget_ppm: the same for timing probes.
        probe_every: one baseline batch in so many becomes a timing probe; 0 for none.
        queue_requests, queue_bytes: copies that may wait in each worker, and the bytes of their
            inputs and of the baseline's outputs.
        streams: what becomes of a version's open streams once no route leads to it any more.
    """

    candidate: str
    rollout: str
    stage: str
    shadow_budget_ppm: int = 100_000
    probe_budget_ppm: int = 10_000
    probe_every: int = 100
    queue_requests: int = 256
    queue_bytes: int = 16 * MIB
    streams: Literal["drain", "cut"] = "drain"


class Endpoint(Struct, frozen=True, omit_defaults=True):
    """The stable address that clients call, with its policy.

    Attributes:
        name: the NAME in `/v2/models/NAME`.
        routes: at least one.
        kind: what is spoken with it.
        deadline_ms: the deadline of a request that brings none; None for none.
        sticky_by: "" or "header:NAME": what keeps a user on one arm.
        salt: keeps the splits of two endpoints, and of two rollouts, independent.
        shadow: a `Version.id` that answers copies; "" for none.
        trial: the candidate of the rollout under way; None where there is none.
        record: None records nothing.
    """

    name: str
    routes: tuple[Route, ...]
    kind: Kind = "tensor"
    deadline_ms: float | None = None
    sticky_by: str = ""
    salt: str = ""
    shadow: str = ""
    record: RecordPolicy | None = RecordPolicy()
    trial: Trial | None = None


class Snapshot(Struct, frozen=True, omit_defaults=True):
    """All that a data plane serves.

    Attributes:
        format: `FORMAT`.
        requires: features a reader must know.
        revision: grows by one with each snapshot of a data plane.
        made_at: seconds since the epoch.
        expires_at: after which it must not be served; None for never.
        keys: empty means that no key is asked for (loopback only, which the supervisor sees to).
    """

    format: int
    revision: int
    made_at: float
    endpoints: tuple[Endpoint, ...]
    versions: tuple[Version, ...]
    requires: tuple[str, ...] = ()
    expires_at: float | None = None
    keys: tuple[Key, ...] = ()
    limits: Limits = Limits()


class _Envelope(Struct):
    """The fields that say whether the rest may be read at all."""

    format: int
    requires: tuple[str, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_envelopes = msgspec.msgpack.Decoder(_Envelope)
_snapshots = msgspec.msgpack.Decoder(Snapshot)


def encode(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot, in MessagePack."""
    return _encoder.encode(snapshot)


def decode(data: bytes, *, features: frozenset[str] = FEATURES) -> Snapshot:
    """The snapshot in `data`.

    Raises:
        PilotageError: not a snapshot, of another format, or it requires what is not in `features`.
    """
    try:
        envelope = _envelopes.decode(data)
        if envelope.format != FORMAT:
            raise PilotageError(
                f"the snapshot has format {envelope.format}",
                where="snapshot.format",
                expected=f"format {FORMAT}",
                fix="Upgrade this data plane, or publish a snapshot that it can read.",
            )
        unknown = sorted(set(envelope.requires) - features)
        if unknown:
            raise PilotageError(
                f"the snapshot requires {', '.join(unknown)}, which this data plane does not know",
                where="snapshot.requires",
                expected=f"at most {', '.join(sorted(features))}",
                fix="Upgrade this data plane.",
            )
        return _snapshots.decode(data)
    except msgspec.MsgspecError as error:
        raise PilotageError(f"not a snapshot: {error}", where="snapshot") from error
