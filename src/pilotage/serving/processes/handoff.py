"""New connections: accepted in one place, each handed to the worker that holds the fewest.

Several processes accepting from one socket leave the choice to the kernel, which favours whoever
wakes first: some workers idle while others queue. While no worker can take one, connections wait
in the kernel's backlog, so a restart of a worker refuses nobody.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from typing import Final

from pilotage.errors import PilotageError
from pilotage.serving.processes import messages

BACKLOG: Final = 4096
"""Connections that the kernel holds for us, in connections (the kernel may cap it lower)."""
ACCEPTED_AT_ONCE: Final = 64
"""Connections accepted before the supervisor looks at its children again."""

_HANDOFF: Final = messages.encode(messages.Handoff())


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets at every address of the host.

    Raises:
        PilotageError: the host is unknown, or the port is taken (`errno` EADDRINUSE is its cause).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise PilotageError(
            f"the host {host} is not an address of this machine", where="--host"
        ) from error
    sockets: list[socket.socket] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Port 0 asks for any free port; the second address then takes the first one's.
            chosen = (address[0], sockets[0].getsockname()[1]) if port == 0 and sockets else address
            listening.bind(chosen)
            listening.listen(BACKLOG)
            listening.setblocking(False)
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL and sockets:
                continue
            for opened in sockets:
                opened.close()
            raise PilotageError(
                f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}",
                where="--port",
            ) from error
        sockets.append(listening)
    return sockets


class Handoff:
    """The workers' side of the door: who holds how many, and who gets the next one.

    `closed` is shared memory: each worker counts there the connections it has let go.
    """

    def __init__(self, closed: memoryview, workers: int, connections: int) -> None:
        self._closed = closed
        self._handed = [0] * workers
        self._channels: dict[int, socket.socket] = {}
        self._connections = connections
        self._held: socket.socket | None = None
        self.turned_away = 0

    def open_worker(self, worker: int, channel: socket.socket) -> None:
        """A worker serves; one that says so again, after a swap, keeps its connections."""
        if worker not in self._channels:
            self._handed[worker] = self._closed[worker]
        self._channels[worker] = channel

    def close_worker(self, worker: int) -> None:
        """A worker is gone, and its connections with it."""
        self._channels.pop(worker, None)
        self._handed[worker] = self._closed[worker]

    @property
    def can_take(self) -> bool:
        return bool(self._channels)

    def serves(self, worker: int) -> bool:
        """Whether the worker takes connections."""
        return worker in self._channels

    @property
    def holds_one(self) -> bool:
        """A connection was accepted and is not handed over yet: `accept_from` tries again."""
        return self._held is not None

    def held_by(self, worker: int) -> int:
        return self._handed[worker] - self._closed[worker]

    def accept_from(self, listening: socket.socket) -> bool:
        """Hands over what waits; False when the workers' channels are full and it must wait."""
        for _ in range(ACCEPTED_AT_ONCE):
            connection = self._held
            self._held = None
            if connection is None:
                try:
                    connection, _ = listening.accept()
                except BlockingIOError:
                    return True
                except OSError:
                    # The peer is gone already, or descriptors ran out: leave the rest for later.
                    return False
            if sum(map(self.held_by, self._channels)) >= self._connections:
                self.turned_away += 1
                connection.close()
            elif not self._hand_over(connection):
                self._held = connection
                return False
        return True

    def _hand_over(self, connection: socket.socket) -> bool:
        for worker in sorted(self._channels, key=self.held_by):
            with contextlib.suppress(OSError):  # full, gone, or too many descriptors on the way
                socket.send_fds(
                    self._channels[worker], [_HANDOFF], [connection.fileno()], socket.MSG_DONTWAIT
                )
                self._handed[worker] += 1
                connection.close()
                return True
        return False


def addresses(sockets: Sequence[socket.socket]) -> list[tuple[str, int]]:
    """(host, port) of each listening socket."""
    return [listening.getsockname()[:2] for listening in sockets]


def channel_kind() -> socket.SocketKind:
    """Messages stay whole and the end is seen; macOS lacks the first kind for Unix sockets."""
    return getattr(socket, "SOCK_SEQPACKET", socket.SOCK_DGRAM)
