"""Who listens on a port, and which port is free: what to say when one is taken."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LISTENING: Final = "0A"
"""The state TCP_LISTEN in `/proc/net/tcp`. Source: Linux, `include/net/tcp_states.h`."""

PORTS_TRIED: Final = 100
"""Ports above the taken one among which a free one is sought."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens."""

    name: str
    pid: int


def who_listens(port: int, *, proc: Path = Path("/proc")) -> Listener | None:
    """The process that listens on a TCP port; None when no one does, or it cannot be seen.

    Another user's processes cannot be seen, nor any on a system without `/proc`.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not sockets:
        return None
    for folder in proc.glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in sockets for fd in (folder / "fd").iterdir()):
                return Listener((folder / "comm").read_text().strip(), int(folder.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return None


def next_free_port(host: str, port: int) -> int | None:
    """The first free port above `port`; None when there is none near."""
    for candidate in range(port + 1, min(port + 1 + PORTS_TRIED, 65536)):
        if is_free(host, candidate):
            return candidate
    return None


def is_free(host: str, port: int) -> bool:
    """False when something listens there; another error counts as free, and `bind` will tell it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
        return True


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (proc / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
