"""The table of who is measured: packages, command, wires and settings of each."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.models import WIDE, Model, make
from benchmarks.places import BUILD, ENVIRONMENTS, HERE, HOST, SECRET
from benchmarks.programs import compile_program
from benchmarks.wires import Encoding, Wire

_V2 = "/v2/models/{model}/infer"
ENGINE = ("numpy==2.4.6", "onnxruntime==1.32.0")


@dataclass(frozen=True)
class Contender:
    """One server to measure.

    Attributes:
        name: the word for `--peers` and for the tables.
        wires: how it is asked, by encoding; what is missing here it cannot do.
        packages: what its own environment holds; empty for those that need none.
        settings: which choices make it as fast as it gets, for the report.
        slow: starts or answers so slowly that two rounds must do.
        file: its file in `peers/`.
        environment: variables for its processes.
        options: flags for our own command.
    """

    name: str
    wires: Mapping[Encoding, Wire]
    settings: str
    packages: tuple[str, ...] = ()
    slow: bool = False
    file: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    options: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ENVIRONMENTS / self.name / "bin" / "python"

    def variables(self, model: Model, port: int, encoding: Encoding) -> dict[str, str]:
        """Its environment variables, those that quieten usage reports among them."""
        return {
            "BENCHMARK_MODEL": str(make(model)),
            "BENCHMARK_PORT": str(port),
            "BENCHMARK_ENCODING": encoding,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **self.environment,
        }

    def command(self, model: Model, port: int) -> list[str]:
        """What starts it."""
        if self.name == "floor":
            return [str(compile_program("floor")), str(port), *self.options]
        if self.name.startswith("pilotage"):
            return pilotage_command([model], port, self.options)
        if self.name == "bentoml":
            program = self.python.with_name("bentoml")
            served = f"{self.file}:Service"
            return [str(program), "serve", served, "--host", HOST, "--port", str(port),
                    "--working-dir", str(HERE / "peers")]  # fmt: skip
        file = HERE / "peers" / f"{self.file}.py"
        return [str(self.python), str(file), str(make(model)), str(port)]


def pilotage_command(models: list[Model], port: int, options: tuple[str, ...]) -> list[str]:
    """Our own command with all that the aims ask for: key, limits, deadline, metrics, record."""
    program = Path(sys.executable).with_name("pilotage")
    command = [str(program), "serve", *(str(make(model)) for model in models)]
    command += ["--host", HOST, "--port", str(port), "--key", SECRET]
    command += ["--workers", "1", "--threads", "1"]
    if "--deadline" not in options:
        command += ["--deadline", "1000ms"]
    if not {"--record", "--no-record"} & set(options):
        command += ["--record", str(BUILD / "records" / str(port))]
    return [*command, *options]


def _plain(path: str) -> dict[Encoding, Wire]:
    return {"json": Wire("plain", "json", path)}


V2_JSON: dict[Encoding, Wire] = {"json": Wire("v2", "json", _V2)}
V2_BOTH: dict[Encoding, Wire] = {**V2_JSON, "binary": Wire("v2", "binary", _V2)}

OURS = Contender(
    "pilotage",
    V2_BOTH,
    "one worker, one engine thread; key, limits, deadline of 1 s, metrics and recording on",
)
OURS_POLLING = Contender(
    "pilotage-poll", V2_JSON, "as pilotage, with --poll 200us", options=("--poll", "200us")
)
OURS_UNRECORDED = Contender(
    "pilotage-unrecorded", V2_JSON, "as pilotage, with --no-record", options=("--no-record",)
)
FLOOR = Contender(
    "floor", V2_JSON, "C epoll loop, fixed answer of the size of ours", options=("400",)
)
FASTAPI = Contender(
    "fastapi",
    {
        "json": Wire("plain", "json", "/infer"),
        "binary": Wire("plain", "binary", "/infer-binary"),
    },
    "async endpoint, msgspec, model inline, uvloop, httptools, one worker, no access log",
    packages=(
        "fastapi==0.165.0", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0",
        "msgspec==0.22.0", *ENGINE,
    ),
    file="fastapi_by_hand",
)  # fmt: skip
MOSEC = Contender(
    "mosec",
    {
        "json": Wire("plain", "json", "/inference"),
        "binary": Wire("plain", "binary", "/inference"),
    },
    "one worker, batches up to 64, wait 1 ms, msgspec",
    packages=("mosec==0.9.8", "msgspec==0.22.0", *ENGINE),
    file="mosec_batched",
)
LITSERVE = Contender(
    "litserve",
    _plain("/infer"),
    "one worker, one API process, ZeroMQ queue, batches up to 64, wait 1 ms",
    packages=("litserve==0.2.19", *ENGINE),
    slow=True,
    file="litserve_batched",
)
BENTOML = Contender(
    "bentoml",
    _plain("/infer"),
    "one worker, async method, model inline (tiny) or adaptive batches to 64 (wide); "
    "metrics, tracing and access log off",
    packages=("bentoml==1.4.39", *ENGINE),
    slow=True,
    file="bentoml_inline",
    environment={"BENTOML_DO_NOT_TRACK": "True"},
)
MLSERVER = Contender(
    "mlserver",
    V2_JSON,
    "custom runtime in the server's process (parallel_workers 0); wide in batches to 64, "
    "wait 1 ms; no gzip, no debug",
    packages=("mlserver==1.7.1", *ENGINE),
    slow=True,
    file="mlserver_runtime",
)
KSERVE = Contender(
    "kserve",
    V2_BOTH,
    "custom model run inline, one worker, no gRPC, no latency or access logs",
    packages=("kserve==0.21.0", *ENGINE),
    slow=True,
    file="kserve_inline",
)
RAY_SERVE = Contender(
    "rayserve",
    _plain("/infer"),
    "one replica, one proxy, serve.batch up to 64, wait 1 ms, no dashboard, no access log",
    packages=("ray[serve]==2.60.0", *ENGINE),
    slow=True,
    file="ray_serve",
    environment={"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"},
)

_FOR_WIDE = {
    MLSERVER.name: replace(
        MLSERVER,
        environment={"BENCHMARK_MLSERVER_BATCH": "1"},
    ),
    BENTOML.name: replace(
        BENTOML,
        wires={"json": Wire("rows", "json", "/infer")},
        environment={**BENTOML.environment, "BENCHMARK_BENTOML_BATCH": "1"},
    ),
}
"""Where batching wins on `wide` and loses on `tiny`, each model gets its better setting."""


def suited(contender: Contender, model: Model) -> Contender:
    """The contender in its best setting for a model."""
    return _FOR_WIDE.get(contender.name, contender) if model is WIDE else contender


PEERS = (FASTAPI, MOSEC, LITSERVE, BENTOML, MLSERVER, KSERVE, RAY_SERVE)
