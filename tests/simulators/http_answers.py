"""An HTTP server that answers as a test tells it: at once, late, never, with any status."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a request gets: `status` after `after_s`; None leaves it without an answer. `ends`
    closes the connection, after the answer if there is one."""

    status: int | None = 200
    after_s: float = 0.0
    ends: bool = False


@contextmanager
def answering(decide: Callable[[int], Answer]) -> Iterator[int]:
    """The port of a server on the loopback; `decide` is given each request's number from 0."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    port: list[int] = []
    seen = iter(range(1_000_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                answer = decide(next(seen))
                await asyncio.sleep(answer.after_s)
                if answer.status is not None:
                    lasting = "close" if answer.ends else "keep-alive"
                    head = f"HTTP/1.1 {answer.status} X\r\nConnection: {lasting}"
                    writer.write(head.encode() + b"\r\nContent-Length: 2\r\n\r\nok")
                if answer.ends:
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        writer.close()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
        port.append(server.sockets[0].getsockname()[1])
        started.set()
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    yield port[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
