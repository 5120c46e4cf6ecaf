"""Every setting of `pilotage serve` in one table; flags, variables, YAML, help and docs follow it.

A setting has one name. `max_batch_rows` is `--max-batch-rows` as a flag, `PILOTAGE_MAX_BATCH_ROWS`
as a variable and `max_batch_rows` in the file. Flags win over variables, variables over the file.
"""

from dataclasses import dataclass
from typing import Final

from pilotage.spec import kinds
from pilotage.spec.kinds import Kind

PREFIX: Final = "PILOTAGE_"

MS: Final = 1_000_000
S: Final = 1_000 * MS
HOUR: Final = 3_600 * S


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Attributes:
        name: its name in code and in the file.
        kind: what its text may say.
        group: the heading it stands under in the help.
        help: what it does, in a sentence.
        default: the default as people read it; "" where there is none.
        example: a value to copy.
        many: may be given several times.
        secret: its text is never shown.
        flag: the flag; "" for the arguments that need none.
        in_file: the key in the file; "" for the file's own path.
    """

    name: str
    kind: Kind
    group: str
    help: str
    default: str
    example: str
    many: bool = False
    secret: bool = False
    flag: str = ""
    in_file: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that says the same; NAME stands for a limit's name."""
        return PREFIX + ("LIMIT_NAME" if self.name == "limit" else self.name.upper())


def _setting(
    name: str,
    kind: Kind,
    group: str,
    help: str,
    default: str,
    example: str,
    *,
    many: bool = False,
    secret: bool = False,
    in_file: str | None = None,
) -> Setting:
    flag = "" if name == "models" else "--" + name.replace("_", "-")
    key = name if in_file is None else in_file
    return Setting(name, kind, group, help, default, example, many, secret, flag, key)


SETTINGS: Final[tuple[Setting, ...]] = (
    _setting(
        "models",
        kinds.TEXT,
        "Models",
        "A model file, or NAME=FILE to choose its name. In the variable, separated by commas.",
        "",
        "iris=models/iris.onnx",
        many=True,
    ),
    _setting(
        "name",
        kinds.NAME,
        "Models",
        "The name in /v2/models/NAME, where one model is served.",
        "the file's name",
        "iris",
    ),
    _setting(
        "trust",
        kinds.SWITCH,
        "Models",
        "Allow formats that can carry code (joblib, pickle), after a scan, in a locked-up process.",
        "no",
        "true",
    ),
    _setting(
        "sample",
        kinds.TEXT,
        "Models",
        "Rows (CSV, JSON lines or Parquet) on which a conversion is proven too; "
        "NAME=FILE with several models.",
        "",
        "rows.csv",
        many=True,
    ),
    _setting(
        "max_batch_rows",
        kinds.whole(1, 65536),
        "Speed",
        "Rows of one engine call; more wait for the next or are split.",
        "32",
        "64",
    ),
    _setting(
        "deadline",
        kinds.duration(1_000, 24 * HOUR, off="none"),
        "Speed",
        "The deadline of a request that brings none; what cannot make it is refused at once.",
        "none",
        "50ms",
    ),
    _setting(
        "workers",
        kinds.whole(1, 255),
        "Speed",
        "Worker processes; each loads the models.",
        "1",
        "4",
    ),
    _setting(
        "threads",
        kinds.whole(1, 1024),
        "Speed",
        "Threads of one engine call.",
        "1",
        "2",
    ),
    _setting(
        "poll",
        kinds.duration(0, 10 * MS, off="off", example="200us"),
        "Speed",
        "How long an idle worker looks for requests before it sleeps: "
        "lower latency for a busy core.",
        "off",
        "200us",
    ),
    _setting(
        "host",
        kinds.HOST,
        "Address and access",
        "The address to listen on; another than loopback asks for a key.",
        "127.0.0.1",
        "0.0.0.0",
    ),
    _setting(
        "port",
        kinds.whole(0, 65535, noun="a port", metavar="PORT"),
        "Address and access",
        "The port to listen on; 0 takes any free one.",
        "8080",
        "8081",
    ),
    _setting(
        "key",
        kinds.TEXT,
        "Address and access",
        "A secret that callers send as Authorization: Bearer SECRET. NAME=SECRET names the caller; "
        "@FILE reads keys from a file, one a line.",
        "none: loopback only",
        "@keys.txt",
        many=True,
        secret=True,
        in_file="keys",
    ),
    _setting(
        "tls_cert",
        kinds.PATH,
        "Address and access",
        "The certificate chain (PEM); serves HTTPS.",
        "",
        "cert.pem",
    ),
    _setting(
        "tls_key",
        kinds.PATH,
        "Address and access",
        "The certificate's private key (PEM).",
        "",
        "key.pem",
    ),
    _setting(
        "tls_client_ca",
        kinds.PATH,
        "Address and access",
        "Certificates (PEM) that must have signed a client's own; asks each client for one.",
        "",
        "clients.pem",
    ),
    _setting(
        "record",
        kinds.PATH,
        "Recording",
        "The folder of the records.",
        "records in the data folder",
        "records",
    ),
    _setting(
        "no_record",
        kinds.SWITCH,
        "Recording",
        "Record nothing.",
        "no",
        "true",
    ),
    _setting(
        "record_inputs",
        kinds.choice("auto", "digest", "none"),
        "Recording",
        "What is kept of inputs: auto keeps small ones whole and of others the digest.",
        "auto",
        "digest",
    ),
    _setting(
        "record_outputs",
        kinds.choice("auto", "digest", "none"),
        "Recording",
        "What is kept of outputs.",
        "auto",
        "digest",
    ),
    _setting(
        "record_inline",
        kinds.size(0, 2**20),
        "Recording",
        "The size up to which auto keeps the inputs (or outputs) of a request whole.",
        "4KiB",
        "16KiB",
    ),
    _setting(
        "record_when_full",
        kinds.choice("serve", "refuse"),
        "Recording",
        "When an answer cannot be recorded: serve on and count it, or refuse.",
        "serve",
        "refuse",
    ),
    _setting(
        "record_budget",
        kinds.size(2**20, 2**60),
        "Recording",
        "Disk space for records; beyond it nothing more is recorded, as when the disk is full.",
        "10GiB",
        "100GiB",
    ),
    _setting(
        "fsync_interval",
        kinds.duration(10 * MS, HOUR, example="1s"),
        "Recording",
        "How often records are forced to disk: what the death of the machine may lose.",
        "1s",
        "250ms",
    ),
    _setting(
        "data",
        kinds.PATH,
        "Running",
        "The folder for records, converted models and their proofs.",
        "the platform's data folder",
        "/var/lib/pilotage",
    ),
    _setting(
        "log_format",
        kinds.choice("auto", "text", "json"),
        "Running",
        "How events are logged: auto is text on a terminal, else a JSON object a line.",
        "auto",
        "json",
    ),
    _setting(
        "reload",
        kinds.SWITCH,
        "Running",
        "Watch the model files and the configuration file, and reload what changed "
        "(SIGHUP does it once).",
        "no",
        "true",
    ),
    _setting(
        "drain",
        kinds.duration(0, HOUR, example="10s"),
        "Running",
        "How long requests under way may take to end on SIGTERM.",
        "10s",
        "30s",
    ),
    _setting(
        "config",
        kinds.PATH,
        "Running",
        "A YAML file with any of these settings.",
        "",
        "serve.yaml",
        in_file="",
    ),
    _setting(
        "limit",
        kinds.TEXT,
        "Limits",
        "A limit of the data plane as NAME=VALUE.",
        "see the limits",
        "body_bytes=16MiB",
        many=True,
        in_file="limits",
    ),
)
"""Every setting, in the order of the help."""

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
BY_FLAG: Final = {setting.flag: setting for setting in SETTINGS if setting.flag}
BY_VARIABLE: Final = {setting.variable: setting for setting in SETTINGS if setting.name != "limit"}
BY_KEY: Final = {setting.in_file: setting for setting in SETTINGS if setting.in_file}

PER_MODEL: Final = ("name", "max_batch_rows", "deadline", "trust", "sample")
"""Settings that an entry of `models` in the file may have for itself, beside its `path`."""

OTHER_VARIABLES: Final = {
    "PILOTAGE_DEBUG": "1 shows the traceback of an unexpected error.",
}
"""Variables with the prefix that are no settings."""


def limit_kind(name: str) -> Kind:
    """The kind of a limit, which the unit in its name tells."""
    if name.endswith("_bytes"):
        return kinds.size(1, 2**50)
    if name.endswith("_s"):
        return kinds.duration(1 * MS, 24 * HOUR, example="30s")
    return kinds.whole(1, 2**31 - 1)
