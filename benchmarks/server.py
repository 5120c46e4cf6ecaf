"""Starts a server with all its processes on the server's core, and watches what it uses."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from benchmarks import processes
from benchmarks.places import HOST, REPOSITORY, SERVER_CORE
from pilotage.errors import PilotageError

START_S = 240.0
"""The slowest peer needs two minutes on a busy machine."""
STOP_S = 10.0
PROBE_S = 0.005


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


def ask(port: int, request: bytes, *, timeout_s: float = 30.0) -> tuple[bytes, bytes]:
    """Sends one request on a connection of its own; head and body of the answer."""
    with socket.create_connection((HOST, port), timeout=timeout_s) as connection:
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += _more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            while not body.endswith(b"0\r\n\r\n"):
                body += _more(connection)
            return head, _join_chunks(body)
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            body += _more(connection)
        return head, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 20)
    if not data:
        raise ConnectionError("the server closed the connection before its answer was whole")
    return data


def _join_chunks(body: bytes) -> bytes:
    joined = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line, 16)
        joined, body = joined + body[:size], body[size + 2 :]
    return joined


class Server:
    """A server under measurement, from its start to its end; use it as a context manager.

    Attributes:
        first_answer_s: seconds from the process's start to its first answer of 200.
    """

    def __init__(
        self, command: Sequence[str], port: int, *, environment: Mapping[str, str], log: Path
    ) -> None:
        self.port = port
        self.first_answer_s = 0.0
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, probe: bytes) -> None:
        """Starts the processes, then sends `probe` until it is answered with 200."""
        processes.adopt_orphans()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *self._command],
                cwd=REPOSITORY,
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not self._answers(probe):
            if self._process.poll() is not None or time.monotonic() - began > START_S:
                self.stop()
                raise PilotageError("the server did not start", where=self.log_tail())
            time.sleep(PROBE_S)
        self.first_answer_s = time.monotonic() - began

    def _answers(self, probe: bytes) -> bool:
        try:
            head, _ = ask(self.port, probe)
        except OSError:
            return False
        return head.split(b" ", 2)[1] == b"200"

    def log_tail(self) -> str:
        """The last lines that the server wrote."""
        return "\n".join(self._log.read_text(errors="replace").strip().splitlines()[-12:])

    def pids(self) -> list[int]:
        """The server's processes: all of ours on its core, so that daemons count too."""
        return [
            pid for pid in processes.descendants(os.getpid()) if _affinity(pid) == {SERVER_CORE}
        ]

    def cpu_s(self) -> dict[int, float]:
        """Seconds of CPU so far of each process, by its number."""
        return {pid: processes.cpu_s(pid) for pid in self.pids()}

    def pss_bytes(self) -> dict[int, int]:
        """PSS of each process, by its number."""
        return {pid: processes.pss_bytes(pid) for pid in self.pids()}

    def stop(self) -> None:
        """Asks the first process to end, then ends what is left."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        limit = time.monotonic() + STOP_S
        while self.pids() and time.monotonic() < limit:
            self._process.poll()
            time.sleep(0.05)
        for pid in self.pids():
            _kill(pid)
        self._process.wait(timeout=STOP_S)
        _reap()
        self._process = None

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _affinity(pid: int) -> set[int]:
    try:
        return os.sched_getaffinity(pid)
    except OSError:
        return set()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _reap() -> None:
    """Collects adopted processes that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
