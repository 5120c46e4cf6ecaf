"""`pilotage serve` beside this process, started as a terminal would start it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

PILOTAGE = [sys.executable, "-m", "pilotage"]
READY_S = 60.0
ENDS_S = 30.0


@contextmanager
def served(
    words: Sequence[str], port: int, environment: Mapping[str, str], *, quiet: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server with these words, ready on the port; ended in order afterwards.

    With `quiet` nothing that it says is shown.
    """
    said = subprocess.DEVNULL if quiet else None
    command = [*PILOTAGE, "serve", *words, "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, **environment}, stdout=said, stderr=said)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", server)
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(ENDS_S)


def wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + READY_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit(f"the server ended with code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"the server was not ready after {READY_S:.0f} s")


def wait_for_interrupt(server: "subprocess.Popen[bytes]") -> None:
    try:
        server.wait()
    except KeyboardInterrupt:
        return


def free_port(wanted: int = 0) -> int:
    """A port of this machine that nobody uses: the wanted one, if it is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("no port is free")
