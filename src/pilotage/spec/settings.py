"""What `pilotage serve` was told, checked and complete: the one type that the rest is built from.

`loading.load_serve_settings` is the one way to it from what people write.
"""

from dataclasses import dataclass, field
from typing import Literal

from pilotage.contracts.limits import Limits
from pilotage.spec.rollouts import RolloutSpec
from pilotage.spec.secrets import CallerKey


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One model to serve.

    Attributes:
        name: the NAME of `/v2/models/NAME`, unique among the models.
        path: the model file or folder.
        max_batch_rows: rows of one engine call.
        deadline_ms: the deadline of a request that brings none; None for none.
        trust: formats that can carry code are allowed.
        sample: a file of rows on which a conversion is proven too; None where there is none.
    """

    name: str
    path: str
    max_batch_rows: int = 32
    deadline_ms: float | None = None
    trust: bool = False
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Paths of PEM files; `client_ca` is None where clients need no certificate."""

    cert: str
    key: str
    client_ca: str | None = None


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What is recorded, and where; the words are those of `contracts.snapshot.RecordPolicy`."""

    folder: str
    inputs: Literal["auto", "digest", "none"] = "auto"
    outputs: Literal["auto", "digest", "none"] = "auto"
    inline_bytes: int = 4096
    when_full: Literal["serve", "refuse"] = "serve"
    budget_bytes: int = 10 * 2**30
    fsync_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """All that `pilotage serve` was told, checked.

    Attributes:
        models: at least one.
        keys: empty only where `host` is loopback.
        tls: None serves plain HTTP.
        record: None records nothing.
        data_folder: for converted models and their proofs.
        poll_us: microseconds an idle worker looks for requests before it sleeps; 0 for none.
        drain_s: seconds that requests under way get on SIGTERM.
        config: the file that was read; None where none was given.
        hints: what is right and could be better, a sentence each.
        candidate: the model on trial beside the only one of `models`; None for no rollout.
        rollout: how it is tried; there exactly where `candidate` is.
        anew: start the rollout again, where the same one was begun before.
        live: draw the rollout on the terminal; None where the terminal decides.
        control_port: of the rollout's page, on loopback; 0 takes any free one.
    """

    models: tuple[ModelSettings, ...]
    data_folder: str
    record: RecordSettings | None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    threads: int = 1
    poll_us: int = 0
    keys: tuple[CallerKey, ...] = ()
    tls: TlsSettings | None = None
    log_format: Literal["auto", "text", "json"] = "auto"
    reload: bool = False
    drain_s: float = 10.0
    limits: Limits = field(default_factory=Limits)
    config: str | None = None
    hints: tuple[str, ...] = ()
    candidate: ModelSettings | None = None
    rollout: RolloutSpec | None = None
    anew: bool = False
    live: bool | None = None
    control_port: int = 8090
