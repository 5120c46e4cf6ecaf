"""The local socket over which a person's command steers the decider: where it is, and how to ask.

It lies in the data folder of the user who serves: `rollouts` (0700) holds one socket (0600) for
each endpoint with a rollout. Where that path is longer than the system allows, the socket lies in
a folder of the user's own among the temporary ones, under a digest of the path. Either end also
asks the kernel who the other is (SO_PEERCRED, where there is one), and turns other users away.
The decider's end is `steering_listener`.
"""

import hashlib
import os
import re
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pilotage.control.rollouts.steering import LINE_BYTES, Order, Reply, line_of, read_reply
from pilotage.errors import PilotageError

PATH_BYTES: Final = 107 if sys.platform == "linux" else 103
"""The longest path of a socket, in bytes: `sun_path` less its closing zero."""
NAME_BYTES: Final = 200
"""The longest name of a socket made of its endpoint's name, in bytes; beyond, a digest."""
PROBE_S: Final = 1.0
"""Seconds in which a living socket takes a connection."""
ASK_S: Final = 5.0
"""Seconds that a command waits for its reply."""
SUFFIX: Final = ".sock"


class NoDecider(PilotageError):
    """Nobody listens: no rollout is being decided there."""


def socket_path(data_folder: Path, endpoint: str) -> Path:
    """Where the socket of this endpoint's rollout is; nothing is made or looked up."""
    folder = data_folder.resolve() / "rollouts"
    path = folder / _file_name(endpoint)
    if len(os.fsencode(path)) <= PATH_BYTES:
        return path
    name = f"{_digest(os.fsencode(folder))}-{_digest(endpoint.encode())}{SUFFIX}"
    places = [place / name for place in _own_folders()]
    return next((each for each in places if len(os.fsencode(each)) <= PATH_BYTES), places[-1])


def sockets_in(data_folder: Path) -> list[Path]:
    """The sockets of all rollouts that are being decided for this folder, by name."""
    folder = data_folder.resolve() / "rollouts"
    found = sorted(folder.glob(f"*{SUFFIX}"))
    for own in _own_folders():
        found += sorted(own.glob(f"{_digest(os.fsencode(folder))}-*{SUFFIX}"))
    return [path for path in found if answers(path)]


def ask(path: Path, order: Order, timeout_s: float = ASK_S) -> Reply:
    """What the decider replies; blocks for at most `timeout_s` seconds.

    Raises:
        NoDecider: nobody listens at the path.
        PilotageError: another user does, or what listens does not reply as it should in time.
    """
    until = time.monotonic() + timeout_s
    where = str(path)
    try:
        with socket.socket(socket.AF_UNIX) as ours:
            ours.settimeout(timeout_s)
            ours.connect(str(path))
            if not is_ours(ours) or path.lstat().st_uid != os.geteuid():
                raise PilotageError("another user listens there", where=where)
            with suppress(BrokenPipeError):  # turned away already: why is there to be read
                ours.sendall(line_of(order))
            return read_reply(_line_from(ours, until))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoDecider("no rollout is being decided there", where=where) from error
    except TimeoutError as error:
        raise PilotageError(f"no reply within {timeout_s:g} s", where=where) from error
    except OSError as error:
        raise PilotageError(f"cannot ask: {error.strerror}", where=where) from error
    except msgspec.DecodeError as error:
        raise PilotageError(f"not a reply: {error}", where=where) from error


def _line_from(ours: socket.socket, until: float) -> bytes:
    """One whole line, its end included."""
    line = bytearray()
    while not line.endswith(b"\n"):
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        ours.settimeout(left_s)
        chunk = ours.recv(1 << 16)
        if not chunk:
            raise PilotageError("the decider left without a reply", fix="Ask again in a moment.")
        line += chunk
        if len(line) > LINE_BYTES:
            raise PilotageError(f"the reply is longer than {LINE_BYTES} bytes")
    return bytes(line)


def answers(path: Path) -> bool:
    """Whether a process listens there; one that is too busy does."""
    try:
        with socket.socket(socket.AF_UNIX) as ours:
            ours.settimeout(PROBE_S)
            ours.connect(str(path))
            return True
    except (TimeoutError, BlockingIOError):
        return True
    except OSError:
        return False


def is_ours(connected: socket.socket) -> bool:
    """Whether the other end runs as this user, as far as the system tells.

    Source: unix(7): SO_PEERCRED gives a `struct ucred` of pid, uid and gid.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user == os.geteuid()


def _own_folders() -> list[Path]:
    """Folders of this user's own, with short paths; the first that fits is taken."""
    roots = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]
    own = [Path(root) / f"pilotage-{os.geteuid()}" for root in roots if root.startswith("/")]
    return list(dict.fromkeys(own))


def _file_name(endpoint: str) -> str:
    """The endpoint's name, every byte but letters, digits, "-" and "_" written as %XX."""
    name = re.sub(
        rb"[^A-Za-z0-9_-]", lambda found: b"%%%02X" % found[0][0], endpoint.encode()
    ).decode()
    return (name if len(name) <= NAME_BYTES else _digest(endpoint.encode())) + SUFFIX


def _digest(name: bytes) -> str:
    return hashlib.sha256(name).hexdigest()[:16]
