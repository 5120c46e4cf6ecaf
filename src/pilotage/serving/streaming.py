"""Answers that come in chunks: pulled from the engine as fast as the client takes them.

A stream has a thread of its own, which asks the engine for the next chunk only while it holds a
credit. Each chunk spends one; the loop gives it back once the client has room. So a client that
stops reading stops the engine (after `CREDITS` chunks), and one that hangs up ends it.

Its record is written twice: opened before the first chunk leaves, closed with how it ended.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from pilotage.contracts.records import Status
from pilotage.serving.calls import Call
from pilotage.serving.engines.engine import Array, StreamEngine
from pilotage.serving.http.streams import StreamOut
from pilotage.serving.refusals import Refusal

CREDITS: Final = 8
"""Chunks that may be on the way from an engine to its client."""

Events = Callable[[list[Array]], bytes]
"""A chunk's outputs -> its bytes on the wire."""
Ended = Callable[["Stream"], None]


class Stream:
    """One stream being answered.

    Attributes:
        chunks: chunks given to the connection so far.
        kept: the chunks' outputs while they are within `keep_bytes`, else empty; for the record.
        status: how it ended; `fault`: what of ours ended it, if anything did.
        withdrawn: it is cut since its version is not served any more.
    """

    def __init__(
        self,
        call: Call,
        out: StreamOut,
        events: Events,
        ended: Ended,
        *,
        loop: asyncio.AbstractEventLoop,
        keep_bytes: int,
    ) -> None:
        self.call = call
        self.chunks = 0
        self.kept: list[list[Array]] = []
        self.status: Status = "ok"
        self.fault: Exception | None = None
        self.withdrawn = False
        self.started_ns = time.monotonic_ns()
        self._out = out
        self._events = events
        self._ended = ended
        self._loop = loop
        self._keep_bytes = keep_bytes
        self._kept_bytes = 0
        self._credits = threading.Semaphore(CREDITS)
        self._owed = 0
        self._cancelled = False
        self._over = False
        self._broken: Status | None = None
        out.on_ready = self._give_back
        out.on_gone = self.cancel

    def start(self, engine: StreamEngine, inputs: list[Array | None]) -> None:
        """Starts the thread that pulls the chunks."""
        try:
            threading.Thread(
                target=self._pull, args=(engine, inputs), name="stream", daemon=True
            ).start()
        except RuntimeError as fault:  # no room for another thread
            self.fault = fault
            self._loop.call_soon(self._end, "engine_error")

    def cancel(self) -> None:
        """Nobody reads any more: the engine stops at its next chunk."""
        self._cancelled = True
        self._credits.release()

    # --- in the stream's own thread --------------------------------------------------------

    def _pull(self, engine: StreamEngine, inputs: list[Array | None]) -> None:
        status = _pulled(engine, inputs, self._pass_on)
        self._loop.call_soon_threadsafe(self._end, status)

    def _pass_on(self, chunks: Iterator[list[Array]]) -> Status:
        for chunk in chunks:
            self._credits.acquire()
            if self._cancelled:
                return "cancelled"
            self._loop.call_soon_threadsafe(self._send, chunk)
        return "ok"

    # --- on the loop -----------------------------------------------------------------------

    def _send(self, chunk: list[Array]) -> None:
        if self._cancelled or self._out.gone:
            self._cancelled = True
            self._credits.release()
            return
        try:
            data = self._events(chunk)
        except Refusal:
            self._broken = "invalid_output"
            self.cancel()
            return
        except Exception as fault:
            self._broken, self.fault = "engine_error", fault
            self.cancel()
            return
        self.chunks += 1
        if self._kept_bytes <= self._keep_bytes:
            self._kept_bytes += sum(array.nbytes for array in chunk) + len(data)
            self.kept.append(chunk)
            if self._kept_bytes > self._keep_bytes:
                self.kept.clear()
        self._out.write(data)
        if self._out.ready:
            self._credits.release()
        else:
            self._owed += 1

    def _give_back(self) -> None:
        """The client took what was written."""
        for _ in range(self._owed):
            self._credits.release()
        self._owed = 0

    def tell(self, data: bytes) -> None:
        """A last word to the client, before the stream breaks off."""
        self._out.write(data)

    def end_now(self) -> None:
        """Ends it although its engine has not come back; what comes later is passed over."""
        self.cancel()
        self._end("cancelled")

    def _end(self, status: Status) -> None:
        if self._over:
            return
        self._over = True
        gone = self._cancelled or self._out.gone
        self.status = self._broken or ("cancelled" if gone else status)
        self._ended(self)
        if self._out.gone:
            return
        if self.status == "ok":
            self._out.close()
        else:
            self._out.break_off()


class Gathering:
    """An answer in chunks that is wanted whole: pulled to its end, unless nobody waits any more.

    Attributes:
        chunks: what came.
        status: how it ended: "cancelled" when the client hung up, "expired" past its deadline.
        withdrawn: it is cut since its version is not served any more.
    """

    def __init__(
        self,
        call: Call,
        ended: Callable[["Gathering"], None],
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.call = call
        self.chunks: list[list[Array]] = []
        self.status: Status = "ok"
        self.withdrawn = False
        self._ended = ended
        self._loop = loop
        self._cancelled = False
        self._over = False

    def cancel(self) -> None:
        """Nobody waits any more: the engine stops at its next chunk."""
        self._cancelled = True

    def end_now(self) -> None:
        """Ends it although its engine has not come back; what comes later is passed over."""
        self.cancel()
        self._end("cancelled")

    def start(self, engine: StreamEngine, inputs: list[Array | None]) -> None:
        """Starts the thread that pulls the chunks."""
        try:
            threading.Thread(
                target=self._pull, args=(engine, inputs), name="gathering", daemon=True
            ).start()
        except RuntimeError:  # no room for another thread
            self._loop.call_soon(self._end, "engine_error")

    def _pull(self, engine: StreamEngine, inputs: list[Array | None]) -> None:
        status = _pulled(engine, inputs, self._gather)
        self._loop.call_soon_threadsafe(self._end, status)

    def _end(self, status: Status) -> None:
        if not self._over:
            self._over = True
            self.status = status
            self._ended(self)

    def _gather(self, chunks: Iterator[list[Array]]) -> Status:
        deadline_ns = self.call.deadline_ns
        for chunk in chunks:
            if self._cancelled or self.call.exchange.gone:
                return "cancelled"
            if deadline_ns is not None and time.monotonic_ns() > deadline_ns:
                return "expired"
            self.chunks.append(chunk)
        return "ok"


def _pulled(
    engine: StreamEngine,
    inputs: list[Array | None],
    take: Callable[[Iterator[list[Array]]], Status],
) -> Status:
    """How `take` ended with the engine's chunks; the engine's work is over on return."""
    try:
        chunks = engine.stream(inputs)
        try:
            return take(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
    except Exception:  # whatever an engine raises ends this answer alone
        return "engine_error"


def joined(chunks: list[list[Array]]) -> list[Array]:
    """The outputs of all chunks as one answer: strings run together, arrays stacked."""
    if not chunks:
        return []
    outputs: list[Array] = []
    for parts in zip(*chunks, strict=True):
        if parts[0].dtype == object:
            text = "".join(_text(part) for part in parts)
            outputs.append(np.array([text], dtype=object))
        else:
            outputs.append(np.concatenate(parts))
    return outputs


def _text(part: Array) -> str:
    """All strings of a chunk."""
    found: list[str] = [
        item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
        for item in part.ravel()
    ]
    return "".join(found)
