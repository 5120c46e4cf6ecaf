"""A decider that is the test itself: what it asks and hears goes through a socket in a folder.

with serving(folder, files, engines="relayed_decider", environment=relayed(place)) as server:
    decider = Decider(place)
    decider.ask(Direction(...))
    assert decider.hear() == Directed(...)
"""

import contextlib
import os
import select
import socket
import time
from pathlib import Path
from typing import Any, Final

from pilotage.cli import running
from pilotage.contracts import directing
from pilotage.contracts.directing import Ask, Told
from pilotage.contracts.snapshot import Snapshot
from pilotage.serving.engines.loading import Loader
from pilotage.serving.processes.handoff import channel_kind

PLACE: Final = "RELAYED_DECIDER"
"""The variable that names the folder of the socket; its path must be short."""
PATIENCE_S: Final = 30.0
LOADERS: dict[str, Loader] = {}


def relayed(place: Path) -> dict[str, str]:
    """The environment of a server whose decider is in this folder."""
    return {PLACE: str(place)}


class Decider:
    """The test's side. `pid` is the process that relays, which the supervisor started."""

    def __init__(self, place: Path, *, not_pid: int = 0) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError):
                self._channel = _connected(place / "socket")
                self.pid = int(self._channel.recv(64))
                if self.pid != not_pid:
                    return
            assert time.monotonic() < end_s, "no decider was started"
            time.sleep(0.005)

    def ask(self, message: Ask) -> None:
        self._channel.send(directing.encode(message))

    def hear(self) -> Told:
        told: Told = directing.decode_told(self._channel.recv(directing.MESSAGE_BYTES))
        return told

    def ended(self) -> bool:
        """Waits for the next message or the end; whether it was the end."""
        return not self._channel.recv(directing.MESSAGE_BYTES)


def _connected(path: Path) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, channel_kind())
    try:
        channel.settimeout(PATIENCE_S)
        channel.connect(str(path))
    except OSError:
        channel.close()
        raise
    return channel


# --- in the server -----------------------------------------------------------------------------


def adjust(snapshot: Snapshot) -> Snapshot:
    return snapshot


def relay(channel: socket.socket) -> int:
    """Passes every message on until the channel ends."""
    path = Path(os.environ[PLACE]) / "socket"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, channel_kind()) as listening:
        listening.bind(str(path))
        listening.listen()
        while True:
            test = _accepted(listening, channel)
            if test is None:
                return 0
            with test:
                test.send(str(os.getpid()).encode())
                if _pass_on(channel, test):
                    return 0


def _accepted(listening: socket.socket, channel: socket.socket) -> socket.socket | None:
    """The test; None when the server ends before it comes."""
    while True:
        readable = select.select([listening, channel], [], [])[0]
        if listening in readable:
            return listening.accept()[0]
        if not channel.recv(directing.MESSAGE_BYTES, socket.MSG_PEEK):
            return None
        time.sleep(0.01)  # a message that waits for the test


def _pass_on(channel: socket.socket, test: socket.socket) -> bool:
    """True when the server ended it, False when the test did."""
    while True:
        for source in select.select([channel, test], [], [])[0]:
            data = source.recv(directing.MESSAGE_BYTES)
            if not data:
                return source is channel
            (test if source is channel else channel).send(data)


def _serve(*arguments: Any, **named: Any) -> int:
    return _real(*arguments, **{**named, "run_decider": relay})


_real = running.serve
if PLACE in os.environ:
    running.serve = _serve
