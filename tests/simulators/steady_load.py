"""Callers that ask a running server again and again, and keep every reply."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from servers import Reply, Server


@contextmanager
def load(server: Server, path: str, body: bytes, callers: int = 4) -> Generator[list[Reply]]:
    """Callers that ask until the block ends, each on a connection that is kept; their replies."""
    replies: list[Reply] = []
    over = threading.Event()

    def ask() -> None:
        with server.caller() as caller:
            while not over.is_set():
                try:
                    replies.append(caller.call("POST", path, body))
                except ConnectionRefusedError:
                    return  # the server accepts nobody any more: it is about to end

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield replies
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
