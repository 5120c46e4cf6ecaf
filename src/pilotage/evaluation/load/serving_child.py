"""The real `pilotage serve` as a child process, on a free loopback port, while it is needed.

One worker, nothing recorded, no setting taken from the environment.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from pilotage.errors import PilotageError

START_S: Final = 120.0
"""Seconds that a model may take to be served."""
END_S: Final = 15.0
"""Seconds after the signal to end, before it is killed."""
NAME: Final = "model"
SHOWN_LINES: Final = 5

PROC: Final = Path("/proc")


class Served:
    """A model that is being served.

    Attributes:
        host, port: where it listens.
        workers: process ids.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.host = "127.0.0.1"
        self.port = 0
        self.workers: list[int] = []
        self.path = f"/v2/models/{NAME}/infer"
        self._said: list[str] = []
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait(self) -> None:
        """Until it answers.

        Raises:
            PilotageError: it ended or took too long, with what it said last.
        """
        until = time.monotonic() + START_S
        while not self._ready.wait(0.05):
            ended = self.process.poll() is not None and not self._listener.is_alive()
            if ended or time.monotonic() > until:
                why = "ended" if ended else f"was not ready after {START_S:g} s"
                said = " ".join(self._said)[:500]
                raise PilotageError(
                    f"the server that is to be measured {why}" + (f": {said}" if said else ""),
                    fix="Try `pilotage serve` with the same model.",
                )

    def memory_bytes(self) -> int | None:
        """Memory of its workers, pages that several share counted in parts; None where the system
        does not tell."""
        found = [_pss_bytes(pid) for pid in self.workers]
        known = [each for each in found if each is not None]
        return sum(known) if known and len(known) == len(found) else None

    def end(self) -> None:
        """Ends it, by force where it does not end by itself."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._kill()
        self._listener.join(END_S)

    def _kill(self) -> None:
        for pid in [*self.workers, self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def _listen(self) -> None:
        """Reads what it logs, to the end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            event = _event(line)
            if event is None or "errors" in event:
                self._said += [line.strip()] if event is None else _errors(event)
                del self._said[:-SHOWN_LINES]
            elif event.get("event") == "serving":
                self.workers.append(int(event["pid"]))
            elif event.get("event") == "ready":
                self.port = int(urlsplit(str(event["url"])).port or 0)
                self._ready.set()


@contextlib.contextmanager
def serving(model: Path, *, threads: int = 1) -> Generator[Served]:
    """The ONNX model at `model`, served until the block is left.

    Raises:
        PilotageError: it cannot be served.
    """
    with tempfile.TemporaryDirectory(prefix="pilotage-latency-") as data:
        command = [sys.executable, "-m", "pilotage", "serve", f"{NAME}={model}"]
        command += ["--port", "0", "--host", "127.0.0.1", "--workers", "1"]
        command += [
            "--threads",
            str(threads),
            "--data",
            data,
            "--no-record",
            "--log-format",
            "json",
        ]
        served = Served(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={k: v for k, v in os.environ.items() if not k.startswith("PILOTAGE_")},
                text=True,
            )
        )
        try:
            served.wait()
            yield served
        finally:
            served.end()


def machine() -> str:
    """This machine in a few words: its processor and how many of its cores are ours."""
    name = ""
    with contextlib.suppress(OSError):
        for line in (PROC / "cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    return f"{name or os.uname().machine}, {cores} {'core' if cores == 1 else 'cores'}"


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        read: Any = json.loads(line)
    except ValueError:
        return None
    return cast(dict[str, Any], read) if isinstance(read, dict) else None


def _errors(event: dict[str, Any]) -> list[str]:
    """What each error of a failing start says."""
    return [str(each.get("what", "")) for each in event["errors"]]


def _pss_bytes(pid: int) -> int | None:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
    return 1024 * found[0] if found else None
