"""What an engine is.

An answer is whole, or a stream of chunks. `WholeEngine.run` gives the first; `StreamEngine.stream`
gives the second, and is pulled: the next chunk is asked for when the client has room for it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class EngineFailureError(Exception):
    """An engine could not load or run. The message may go to the log, never to a caller."""


class WholeEngine(Protocol):
    """Runs a batch at once. Called by one thread at a time, unless it is `Concurrent`."""

    def run(self, inputs: Sequence[Array | None]) -> list[Array]:
        """The outputs, in the signature's order; rows in, rows out, in the same order.

        Raises:
            EngineFailureError: the batch failed; none of it is answered.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Concurrent(Protocol):
    """What a `WholeEngine` says that several threads may call at once, where it says so.

    Only such an engine is timed beside the traffic that it serves, and answers copies while it
    answers callers.
    """

    @property
    def concurrent(self) -> bool: ...


@runtime_checkable
class StreamEngine(Protocol):
    """Answers one request chunk by chunk. May be called by several threads at once."""

    def stream(self, inputs: Sequence[Array | None]) -> Iterator[list[Array]]:
        """Chunks of all outputs, in the signature's order.

        Pulled from a thread of its own. The iterator is closed (`GeneratorExit` at its `yield`)
        when the client hangs up, which must end the work.

        Raises:
            EngineFailureError: the stream ends here, and the client is told.
        """
        ...

    def close(self) -> None: ...


Engine = WholeEngine | StreamEngine
