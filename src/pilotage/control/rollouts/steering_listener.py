"""The decider's end of the local socket: orders in, replies out, several clients at a time.

A client that hangs, talks too much or is somebody else's never holds the decider up.
"""

import asyncio
import fcntl
import os
import socket
import stat
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
)
from pilotage.control.rollouts.steering_socket import PATH_BYTES, answers, is_ours
from pilotage.errors import PilotageError

CLIENTS: Final = 8
"""Commands that are heard at a time; one more is told so and closed."""
IDLE_S: Final = 10.0
"""Seconds that a client may be silent, or take to read its reply."""

Handle = Callable[[Order], Reply]


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
        if not is_ours(writer.get_extra_info("socket")):
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
            possible = f"Possible now: {error.expected}. " if error.expected else ""
            return Reply(error=error.what, fix=f"{possible}{error.fix}".strip())


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
    if answers(path):
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
