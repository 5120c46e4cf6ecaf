"""The rollout's page on a port of loopback: many readers, none of whom can hold the decider up.

Acting, and thin: what is answered stands in `answering`, how in `http`. The decider calls `show`
with each new view, which only keeps it; it becomes bytes when the first reader wants them.
"""

import asyncio
import ipaddress
from contextlib import suppress
from importlib.resources import files as resources
from typing import Final

import msgspec

from pilotage.console import answering
from pilotage.console.answering import KINDS
from pilotage.console.http import (
    Malformed,
    Reader,
    Request,
    comment,
    encoded,
    event,
    stream_head,
)
from pilotage.control.rollouts.view import RolloutView
from pilotage.errors import PilotageError

CONNECTIONS: Final = 64
"""Open connections; one more is answered with 503 and closed."""
IDLE_S: Final = 30.0
"""Seconds in which the next request must have come whole, and in which an answer must be taken."""
PACE_S: Final = 0.5
"""Seconds between two views that one reader is sent; of those between, the last is sent."""
HEARTBEAT_S: Final = 15.0
"""Seconds without a view after which a reader is told that the stream stands."""
READ_BYTES: Final = 16 * 1024
"""Bytes that are read of a connection at a time."""

_encoder = msgspec.json.Encoder()


async def serve(host: str, port: int) -> "Page":
    """Listens until the page is closed; port 0 takes any free one.

    Raises:
        PilotageError: `host` is not of loopback, or cannot be listened on.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise PilotageError(
            f"the rollout's page cannot be served on {host}",
            expected="an address of loopback, such as 127.0.0.1",
        )
    page = Page()
    try:
        server = await asyncio.start_server(page.converse, host, port, limit=READ_BYTES)
    except OSError as error:
        raise PilotageError(
            f"the rollout's page cannot be served: {error.strerror}",
            where=f"{host}:{port}",
            fix="Choose another --control-port.",
        ) from error
    page.listening(server)
    return page


class Page:
    """The page as it is served; made by `serve`.

    Attributes:
        url: where it is.
    """

    def __init__(self) -> None:
        self.url = ""
        self._files = _page_files()
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._view: RolloutView | None = None
        self._number = 0
        self._bytes: bytes | None = None
        self._changed = asyncio.Event()

    # --- for the decider -------------------------------------------------------------------

    def listening(self, server: asyncio.Server) -> None:
        """Told once by `serve`."""
        self._server = server
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def show(self, view: RolloutView) -> None:
        """The rollout as it is from now on; call it on the loop."""
        self._view = view
        self._bytes = None
        self._number += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """Answers nobody any more; readers are cut."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for client in self._clients:
            client.cancel()

    # --- readers ---------------------------------------------------------------------------

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one connection until it ends, is idle, or breaks a rule."""
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        writer.transport.set_write_buffer_limits(high=0)  # so what is drained is on its way
        try:
            if len(self._clients) > CONNECTIONS:
                await self._refuse(writer, Malformed(503, f"{CONNECTIONS} connections are open"))
            else:
                await self._answer_all(reader, writer)
            writer.close()
        except (OSError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()  # it left, was idle, did not read, or we are closing
        finally:
            self._clients.discard(task)

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = Reader()
        while True:
            found: list[Request | Malformed] = []
            async with asyncio.timeout(IDLE_S):
                while not found:
                    data = await reader.read(READ_BYTES)
                    if not data:
                        return
                    found = requests.receive(data)
            for each in found:
                if isinstance(each, Malformed):
                    await self._refuse(writer, each)
                    return
                if not await self._answer(each, reader, writer):
                    return

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """True when the connection can be used again."""
        response = answering.answer(request, self._files, self._json)
        if response is None:
            await self._stream_until_gone(reader, writer)
            return False
        without_body = request.method == "HEAD"
        await _send(writer, encoded(response, keeps=request.keeps, without_body=without_body))
        return request.keeps

    async def _refuse(self, writer: asyncio.StreamWriter, malformed: Malformed) -> None:
        await _send(writer, encoded(answering.refused(malformed), keeps=False))

    # --- the stream ------------------------------------------------------------------------

    async def _stream_until_gone(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """A reader that leaves is noticed by its end, not only when it is written to."""
        stream = asyncio.ensure_future(self._stream(writer))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (stream, gone):
                each.cancel()
                with suppress(OSError, TimeoutError, asyncio.CancelledError):
                    await each

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """The view, and each later one; of those that came while the reader read, the last."""
        await _send(writer, stream_head())
        sent = 0
        while True:
            changed, number, shown = self._changed, self._number, self._json()
            if shown is not None and number > sent:
                await _send(writer, event("view", shown))
                sent = number
                await asyncio.sleep(PACE_S)
                continue
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
            except TimeoutError:
                await _send(writer, comment("beat") + event("beat", b"0"))

    def _json(self) -> bytes | None:
        if self._bytes is None and self._view is not None:
            self._bytes = _encoder.encode(self._view)
        return self._bytes


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(IDLE_S):
        await writer.drain()


def _page_files() -> dict[str, bytes]:
    """The page's files by their names."""
    folder = resources("pilotage.console") / "page"
    names = [entry.name for entry in folder.iterdir()]
    return {
        name: (folder / name).read_bytes()
        for name in names
        if f".{name.rpartition('.')[2]}" in KINDS
    }
