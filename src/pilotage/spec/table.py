"""Every setting of `pilotage serve` in one table; flags, variables, YAML, help and docs follow it.

A setting has one name. `max_batch_rows` is `--max-batch-rows` as a flag, `PILOTAGE_MAX_BATCH_ROWS`
as a variable and `max_batch_rows` in the file. Flags win over variables, variables over the file.
"""

from typing import Final

from pilotage.spec import kinds
from pilotage.spec.kinds import Kind
from pilotage.spec.rollout_table import ROLLOUT_SETTINGS
from pilotage.spec.setting import HOUR, MS, Setting, setting

SETTINGS: Final[tuple[Setting, ...]] = (
    setting(
        "models",
        kinds.TEXT,
        "Models",
        "A model file, or NAME=FILE to choose its name. In the variable, separated by commas.",
        "",
        "iris=models/iris.onnx",
        many=True,
    ),
    setting(
        "name",
        kinds.NAME,
        "Models",
        "The name in /v2/models/NAME, where one model is served.",
        "the file's name",
        "iris",
    ),
    setting(
        "trust",
        kinds.SWITCH,
        "Models",
        "Allow formats that can carry code (joblib, pickle), after a scan, in a locked-up process.",
        "no",
        "true",
    ),
    setting(
        "sample",
        kinds.TEXT,
        "Models",
        "Rows (CSV, JSON lines or Parquet) on which a conversion is proven too; "
        "NAME=FILE with several models.",
        "",
        "rows.csv",
        many=True,
    ),
    setting(
        "max_batch_rows",
        kinds.whole(1, 65536),
        "Speed",
        "Rows of one engine call; more wait for the next or are split.",
        "32",
        "64",
    ),
    setting(
        "deadline",
        kinds.duration(1_000, 24 * HOUR, off="none"),
        "Speed",
        "The deadline of a request that brings none; what cannot make it is refused at once.",
        "none",
        "50ms",
    ),
    setting(
        "workers",
        kinds.whole(1, 255),
        "Speed",
        "Worker processes; each loads the models.",
        "1",
        "4",
    ),
    setting(
        "threads",
        kinds.whole(1, 1024),
        "Speed",
        "Threads of one engine call.",
        "1",
        "2",
    ),
    setting(
        "poll",
        kinds.duration(0, 10 * MS, off="off", example="200us"),
        "Speed",
        "How long an idle worker looks for requests before it sleeps: "
        "lower latency for a busy core.",
        "off",
        "200us",
    ),
    setting(
        "host",
        kinds.HOST,
        "Address and access",
        "The address to listen on; another than loopback asks for a key.",
        "127.0.0.1",
        "0.0.0.0",
    ),
    setting(
        "port",
        kinds.whole(0, 65535, noun="a port", metavar="PORT"),
        "Address and access",
        "The port to listen on; 0 takes any free one.",
        "8080",
        "8081",
    ),
    setting(
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
    setting(
        "tls_cert",
        kinds.PATH,
        "Address and access",
        "The certificate chain (PEM); serves HTTPS.",
        "",
        "cert.pem",
    ),
    setting(
        "tls_key",
        kinds.PATH,
        "Address and access",
        "The certificate's private key (PEM).",
        "",
        "key.pem",
    ),
    setting(
        "tls_client_ca",
        kinds.PATH,
        "Address and access",
        "Certificates (PEM) that must have signed a client's own; asks each client for one.",
        "",
        "clients.pem",
    ),
    setting(
        "record",
        kinds.PATH,
        "Recording",
        "The folder of the records.",
        "records in the data folder",
        "records",
    ),
    setting(
        "no_record",
        kinds.SWITCH,
        "Recording",
        "Record nothing.",
        "no",
        "true",
    ),
    setting(
        "record_inputs",
        kinds.choice("auto", "digest", "none"),
        "Recording",
        "What is kept of inputs: auto keeps small ones whole and of others the digest.",
        "auto",
        "digest",
    ),
    setting(
        "record_outputs",
        kinds.choice("auto", "digest", "none"),
        "Recording",
        "What is kept of outputs.",
        "auto",
        "digest",
    ),
    setting(
        "record_inline",
        kinds.size(0, 2**20),
        "Recording",
        "The size up to which auto keeps the inputs (or outputs) of a request whole.",
        "4KiB",
        "16KiB",
    ),
    setting(
        "record_when_full",
        kinds.choice("serve", "refuse"),
        "Recording",
        "When an answer cannot be recorded: serve on and count it, or refuse.",
        "serve",
        "refuse",
    ),
    setting(
        "record_budget",
        kinds.size(2**20, 2**60),
        "Recording",
        "Disk space for records; beyond it nothing more is recorded, as when the disk is full.",
        "10GiB",
        "100GiB",
    ),
    setting(
        "fsync_interval",
        kinds.duration(10 * MS, HOUR, example="1s"),
        "Recording",
        "How often records are forced to disk: what the death of the machine may lose.",
        "1s",
        "250ms",
    ),
    *ROLLOUT_SETTINGS,
    setting(
        "data",
        kinds.PATH,
        "Running",
        "The folder for records, converted models and their proofs.",
        "the platform's data folder",
        "/var/lib/pilotage",
    ),
    setting(
        "log_format",
        kinds.choice("auto", "text", "json"),
        "Running",
        "How events are logged: auto is text on a terminal, else a JSON object a line.",
        "auto",
        "json",
    ),
    setting(
        "reload",
        kinds.SWITCH,
        "Running",
        "Watch the model files and the configuration file, and reload what changed "
        "(SIGHUP does it once).",
        "no",
        "true",
    ),
    setting(
        "drain",
        kinds.duration(0, HOUR, example="10s"),
        "Running",
        "How long requests under way may take to end on SIGTERM.",
        "10s",
        "30s",
    ),
    setting(
        "config",
        kinds.PATH,
        "Running",
        "A YAML file with any of these settings.",
        "",
        "serve.yaml",
        in_file="",
    ),
    setting(
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

BY_NAME: Final = {each.name: each for each in SETTINGS}
BY_FLAG: Final = {each.flag: each for each in SETTINGS if each.flag}
BY_VARIABLE: Final = {each.variable: each for each in SETTINGS if each.name != "limit"}
BY_KEY: Final = {
    each.in_file: each for each in SETTINGS if each.in_file and each not in ROLLOUT_SETTINGS
}
"""By the key at the top of the file."""
BY_ROLLOUT_KEY: Final = {each.in_file.removeprefix("rollout."): each for each in ROLLOUT_SETTINGS}
"""By the key under `rollout`."""

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
