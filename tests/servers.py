"""A real server as a process of its own, on a free port, with folders of its own.

    with serving(folder, {"mlp": models.mlp()}, "--workers", "2") as server:
        reply = server.call("POST", "/v2/models/mlp/infer", body)

What the server logs is read as events; tests wait for an event or a condition, never for a time.
"""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from pilotage.contracts.records import Record
from pilotage.records.store import Store
from pilotage.records.values import values_of

PATIENCE_S: Final = 60.0
"""How long a condition may take to come true; only a broken server needs so long."""
POLL_S: Final = 0.005
TESTS: Final = Path(__file__).parent

Event = dict[str, Any]
Answer = TypeVar("Answer")


class Reply(NamedTuple):
    """One whole response; header names are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def prediction_id(self) -> bytes:
        return bytes.fromhex(self.headers["pilotage-prediction-id"])


class Caller:
    """One connection that is kept, and opened again when the server ended it."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port
        if tls is None:
            self.connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        else:
            self.connection = http.client.HTTPSConnection(
                host, port, timeout=PATIENCE_S, context=tls
            )

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request; `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        response = self.connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, received, response.read())


class Server:
    """A server that runs. `folder` is its own: models in it, `records`, `data`."""

    def __init__(self, folder: Path, command: list[str], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.records_folder = folder / "records"
        self.events: list[Event] = []
        self.url = ""
        self._news = threading.Condition()
        self._plain: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = str(self.event("ready")["url"])

    # --- asking ----------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return int(urlsplit(self.url).port or 0)

    def caller(self) -> Caller:
        return Caller(self.url)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own."""
        with self.caller() as caller:
            return caller.call(method, path, body, Connection="close", **headers)

    def infer(self, model: str, arrays: Mapping[str, Any], **headers: str) -> Reply:
        """An infer request in JSON, on a connection of its own."""
        return self.call("POST", f"/v2/models/{model}/infer", infer_body(arrays), **headers)

    def metrics(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Every sample by its name and its sorted labels, as Prometheus's own parser reads it."""
        from prometheus_client.parser import text_string_to_metric_families

        samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        text = self.call("GET", "/metrics").body.decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                samples.setdefault(sample.name, {})[labels] = sample.value
        return samples

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples that carry these labels; 0 where there is none."""
        wanted = set(labels.items())
        found = self.metrics().get(name, {})
        return sum(value for key, value in found.items() if wanted <= set(key))

    def store(self) -> Store:
        return Store(self.records_folder)

    def record_of(self, prediction_id: bytes) -> Record:
        """The only record of a whole answer."""
        finding = self.store().find(prediction_id)
        assert finding is not None, "an answer without a record"
        (record,) = finding.records
        return record

    # --- what it is made of ----------------------------------------------------------------

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers that serve, by worker."""
        latest: dict[str, int] = {}
        for event in self._seen("serving"):
            latest[str(event["process"])] = int(event["pid"])
        return [latest[name] for name in sorted(latest)]

    @property
    def recorder(self) -> int:
        """The process id of the recorder: the child that is no worker, while nothing reloads."""
        workers = set(self.workers)
        return until(
            lambda: next((p for p in children_of(self.process.pid) if p not in workers), 0)
        )

    def memory_bytes(self) -> int:
        """Proportional set size of all its processes."""
        pids = [self.process.pid, *children_of(self.process.pid)]
        return sum(_pss_bytes(pid) for pid in pids)

    # --- what it says ----------------------------------------------------------------------

    def event(self, name: str, *, after: int = 0, **fields: object) -> Event:
        """The first event of this name with these fields, from the `after`th of them on."""
        end = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                found = [each for each in self._seen(name) if fields.items() <= each.items()]
                if len(found) > after:
                    return found[after]
                alive = self._reader.is_alive()
                if not alive:
                    code = self.process.wait(PATIENCE_S)
                    raise AssertionError(f"exit code {code} before {name}:\n" + self.said())
                left = end - time.monotonic()
                assert left > 0, f"it never said {name} {fields}:\n" + self.said()
                self._news.wait(min(left, 0.5))

    def count(self, name: str) -> int:
        return len(self._seen(name))

    def said(self) -> str:
        """All that it logged."""
        return "\n".join([json.dumps(event) for event in self.events] + self._plain)

    def _seen(self, name: str) -> list[Event]:
        return [event for event in list(self.events) if event["event"] == name]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                if line.startswith('{"at":'):
                    self.events.append(json.loads(line))
                else:
                    self._plain.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    # --- changing and ending ---------------------------------------------------------------

    def put_model(self, name: str, content: bytes) -> None:
        """Another file under the name, whole at any moment."""
        fresh = self.folder / f"{name}.fresh"
        fresh.write_bytes(content)
        os.replace(fresh, self.folder / f"{name}.onnx")

    def reload(self) -> int:
        """SIGHUP, and the revision that every worker then serves."""
        before = self.count("reloading")
        self.process.send_signal(signal.SIGHUP)
        revision = int(self.event("reloading", after=before)["revision"])
        for worker in range(len(self.workers)):
            self.event("serving", process=f"worker {worker}", revision=revision)
        return revision

    def stop(self) -> None:
        """SIGTERM; it must end by itself, with exit code 0 and nothing but events logged."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert code == 0, f"exit code {code}\n" + self.said()
        assert not self._plain, self.said()

    def kill(self) -> None:
        """Every process of it, at once."""
        for pid in [self.process.pid, *children_of(self.process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


@contextmanager
def serving(
    folder: Path,
    files: Mapping[str, bytes],
    *options: str,
    engines: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A running server, stopped in order at the end (killed when the test failed).

    Args:
        files: models by name.
        options: flags of `pilotage serve`.
        engines: a module of `simulators` whose endpoints are served beside the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.onnx").write_bytes(content)
    words = ["serve", *(f"{name}={folder / name}.onnx" for name in files), "--port", "0"]
    words += ["--data", str(folder / "data"), "--log-format", "json", *options]
    if "--no-record" not in options:
        words += ["--record", str(folder / "records")]
    start = [sys.executable, "-m", "pilotage"]
    if engines:
        start = [sys.executable, str(TESTS / "simulators" / "serve_engines.py"), engines]
    server = Server(folder, start + words, environment or {})
    try:
        yield server
    except BaseException:
        server.kill()
        print(server.said())
        raise
    if server.process.poll() is None:
        server.stop()


def until(ask: Callable[[], Answer], what: str = "it") -> Answer:
    """What `ask` says once it says something that counts as true."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"{what} never came true"
        time.sleep(POLL_S)


def children_of(pid: int) -> list[int]:
    """Process ids of the children that live."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(word) for word in text.split()]


def memory_bytes_of(pid: int) -> int:
    """Private memory of one process."""
    return sum(_kib_of(pid, name) for name in ("Private_Clean", "Private_Dirty"))


def anonymous_bytes_of(pid: int) -> int:
    """Its share of memory that belongs to no file and no ring: summed, each page counts once."""
    return _kib_of(pid, "Pss_Anon")


def _pss_bytes(pid: int) -> int:
    return _kib_of(pid, "Pss")


def _kib_of(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(name + ":"))


# --- bodies of the v2 protocol, written plainly ------------------------------------------------

_NAMES: Final = {
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "object": "BYTES",
}


def datatype_of(array: npt.NDArray[Any]) -> str:
    return _NAMES.get(str(array.dtype)) or str(array.dtype).upper()


def infer_body(arrays: Mapping[str, Any], **members: Any) -> bytes:
    """An infer request in JSON; further members stand beside `inputs`."""
    inputs = [
        {
            "name": name,
            "datatype": datatype_of(np.asarray(array)),
            "shape": list(np.asarray(array).shape),
            "data": np.asarray(array).ravel().tolist(),
        }
        for name, array in arrays.items()
    ]
    return json.dumps({**members, "inputs": inputs}).encode()


def binary_body(arrays: Mapping[str, npt.NDArray[Any]], **members: Any) -> tuple[bytes, str]:
    """An infer request with binary tensors, and the length of its JSON part for the header."""
    raws = [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
    inputs = [
        {
            "name": name,
            "datatype": datatype_of(array),
            "shape": list(array.shape),
            "parameters": {"binary_data_size": len(raw)},
        }
        for (name, array), raw in zip(arrays.items(), raws, strict=True)
    ]
    asked = {"parameters": {"binary_data_output": True}, **members, "inputs": inputs}
    head = json.dumps(asked).encode()
    return head + b"".join(raws), str(len(head))


def outputs_of(reply: Reply) -> dict[str, Any]:
    """The outputs of a JSON answer, as nested lists of their shapes."""
    assert reply.status == 200, reply.body
    return {
        output["name"]: np.array(output["data"], object).reshape(output["shape"]).tolist()
        for output in reply.json["outputs"]
    }


def binary_outputs_of(reply: Reply) -> dict[str, npt.NDArray[Any]]:
    """The outputs of an answer that carries all of them as binary FP32."""
    assert reply.status == 200, reply.body
    at = int(reply.headers["inference-header-content-length"])
    outputs: dict[str, npt.NDArray[Any]] = {}
    for output in json.loads(reply.body[:at])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        raw = reply.body[at : at + size]
        outputs[output["name"]] = np.frombuffer(raw, np.float32).reshape(output["shape"])
        at += size
    assert at == len(reply.body)
    return outputs


def recorded(record: Record, side: str) -> dict[str, Any]:
    """The tensors of a record's `inputs` or `outputs`, as nested lists of their shapes."""
    return {
        payload.name: np.array(values_of(payload), object).reshape(payload.shape).tolist()
        for payload in getattr(record, side)
    }
