"""The local socket over which a person's command steers the decider: where it is, both its ends.

It lies in the data folder of the user who serves: `rollouts` (0700) holds one socket (0600) for
each endpoint with a rollout. Where that path is longer than the system allows, the socket lies in
a folder of the user's own among the temporary ones, under a digest of the path. Either end also
asks the kernel who the other is (SO_PEERCRED, where there is one), and turns other users away.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import socket
import stat
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from pilotage.control.rollouts.steering import (
    LINE_BYTES,
    ORDER_BYTES,
    Order,
    Reply,
    line_of,
    read_order,
    read_reply,
)
from pilotage.errors import PilotageError

PATH_BYTES: Final = 107 if sys.platform == "linux" else 103
"""The longest path of a socket, in bytes: `sun_path` less its closing zero."""
NAME_BYTES: Final = 200
"""The longest name of a socket made of its endpoint's name, in bytes; beyond, a digest."""
CLIENTS: Final = 8
"""Commands that are heard at a time; one more is told so and closed."""
IDLE_S: Final = 10.0
"""Seconds that a client may be silent, or take to read its reply."""
PROBE_S: Final = 1.0
"""Seconds in which a living socket takes a connection."""
ASK_S: Final = 5.0
"""Seconds that a command waits for its reply."""
SUFFIX: Final = ".sock"

Handle = Callable[[Order], Reply]


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
    return [path for path in found if _answers(path)]


async def serve(path: Path, handle: Handle) -> "Listener":
    """Listens at the path, which `socket_path` gave, until the listener is closed.

    `handle` is called on the loop and must be quick; a `PilotageError` of its becomes the reply.
    Any other fault of its closes the client and goes to the loop's exception handler.

    Raises:
        PilotageError: another decider answers there, or the folder is not this user's own.
    """
    listening = _bound(path)
    listener = Listener(path, handle, listening)
    await listener.start()
    return listener


class Listener:
    """The decider's end of the socket; made by `serve`."""

    def __init__(self, path: Path, handle: Handle, listening: socket.socket) -> None:
        self.path = path
        self._handle = handle
        self._listening = listening
        self._inode = path.lstat().st_ino
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begins to accept."""
        self._server = await asyncio.start_unix_server(
            self._client, sock=self._listening, limit=ORDER_BYTES
        )

    def close(self) -> None:
        """Hears nobody any more, and takes the socket away unless another has replaced it."""
        if self._server is None:
            return
        server, self._server = self._server, None
        with suppress(OSError):
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()
        server.close()
        for client in self._clients:
            client.cancel()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        writer.transport.set_write_buffer_limits(high=0)  # so a reply that is sent is on its way
        try:
            refusal = self._refusal(writer)
            if refusal is not None:
                await _send(writer, refusal)
            else:
                await self._converse(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # it left, was silent for too long, or we are closing
        except Exception as fault:
            told = {"message": "an order was not followed", "exception": fault, "task": task}
            asyncio.get_running_loop().call_exception_handler(told)
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    def _refusal(self, writer: asyncio.StreamWriter) -> Reply | None:
        if not _is_ours(writer.get_extra_info("socket")):
            return Reply(error="only the user who serves may steer this rollout")
        if len(self._clients) > CLIENTS:
            return Reply(error=f"{CLIENTS} commands are being heard", fix="Ask again in a moment.")
        return None

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One reply for each order, until the client leaves or breaks a limit."""
        while True:
            try:
                line = await asyncio.wait_for(reader.readuntil(b"\n"), IDLE_S)
            except asyncio.LimitOverrunError:
                line = b" " * (ORDER_BYTES + 1)
            if len(line) > ORDER_BYTES:
                await _send(writer, Reply(error=f"an order is at most {ORDER_BYTES} bytes"))
                return
            await _send(writer, self._reply(line))

    def _reply(self, line: bytes) -> Reply:
        try:
            return self._handle(read_order(line))
        except msgspec.DecodeError as error:
            return Reply(error=f"not an order: {error}")
        except PilotageError as error:
            expected = f"expected {error.expected}. " if error.expected else ""
            return Reply(error=error.what, fix=f"{expected}{error.fix}".strip())


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
            if not _is_ours(ours) or path.lstat().st_uid != os.geteuid():
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


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    line = line_of(reply)
    if len(line) > LINE_BYTES:
        line = line_of(Reply(error=f"the reply is longer than {LINE_BYTES} bytes"))
    writer.write(line)
    await asyncio.wait_for(writer.drain(), IDLE_S)


def _bound(path: Path) -> socket.socket:
    """A socket bound at the path, which is private; one that nobody answers is replaced."""
    _make_private(path.parent)
    if len(os.fsencode(path)) > PATH_BYTES:
        raise PilotageError(
            "the path is too long for a socket",
            where=str(path),
            expected=f"at most {PATH_BYTES} bytes",
            fix="Choose a shorter --data.",
        )
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _alone_in(path.parent):
            _take_away_stale(path)
            listening.bind(str(path))
            path.chmod(0o600)
            listening.listen(CLIENTS)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise PilotageError(f"cannot listen: {error.strerror}", where=str(path)) from error
    except PilotageError:
        listening.close()
        raise
    return listening


def _make_private(folder: Path) -> None:
    """The folder, made where it is missing, belongs to this user, and nobody else may enter."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PilotageError(
                "the folder of the rollout's socket is not yours",
                where=str(folder),
                expected="a folder of the user who serves",
                fix="Remove it, or choose another --data.",
            )
        folder.chmod(0o700)
    except OSError as error:
        raise PilotageError(f"cannot be made: {error.strerror}", where=str(folder)) from error


def _take_away_stale(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise PilotageError("something that is no socket is in the way", where=str(path))
    if _answers(path):
        raise PilotageError(
            "a rollout of this endpoint is being decided already",
            where=str(path),
            fix="Stop the other `pilotage serve`, or give this one another --data.",
        )
    path.unlink()


@contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """Two deciders that start at once look and bind one after the other."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _answers(path: Path) -> bool:
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


def _is_ours(connected: socket.socket) -> bool:
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
    return [Path(root) / f"pilotage-{os.geteuid()}" for root in roots if root.startswith("/")]


def _file_name(endpoint: str) -> str:
    """The endpoint's name, every byte but letters, digits, "-" and "_" written as %XX."""
    name = re.sub(
        rb"[^A-Za-z0-9_-]", lambda found: b"%%%02X" % found[0][0], endpoint.encode()
    ).decode()
    return (name if len(name) <= NAME_BYTES else _digest(endpoint.encode())) + SUFFIX


def _digest(name: bytes) -> str:
    return hashlib.sha256(name).hexdigest()[:16]
