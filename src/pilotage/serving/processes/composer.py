"""A snapshot made by a child, so that the supervisor goes on serving while models are converted."""

import contextlib
import math
import os
import signal
import socket
from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from pilotage.contracts import snapshot as snapshots
from pilotage.contracts.snapshot import Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.processes.children import fork


class _Composed(Struct, frozen=True):
    """What the child sends: a snapshot, or the fields of an error."""

    snapshot: bytes = b""
    error: tuple[str, str, str, str] | None = None


class Composer:
    """One composition under way. `reads` becomes readable as the child sends and ends; by
    `until_s`, on the steady clock, it should have."""

    until_s = math.inf

    def __init__(
        self,
        compose: Callable[[int], Snapshot],
        revision: int,
        *,
        close: Iterable[socket.socket | int],
    ) -> None:
        self.reads, writes = os.pipe()
        reads = self.reads

        def run() -> int:
            try:
                composed = _Composed(snapshots.encode(compose(revision)))
            except PilotageError as error:
                composed = _Composed(error=(str(error), error.where, error.expected, error.fix))
            except Exception as error:
                composed = _Composed(error=(f"the reload failed: {error!r}", "", "", ""))
            with os.fdopen(writes, "wb") as pipe:
                pipe.write(msgspec.msgpack.encode(composed))
            return 0

        try:
            self.pid = fork(run, close=[*close, reads])
        except OSError:
            os.close(reads)
            raise
        finally:
            os.close(writes)
        self._data = bytearray()

    def read(self) -> bool:
        """Takes what has come; True when that was all."""
        chunk = os.read(self.reads, 1 << 20)
        self._data += chunk
        return not chunk

    def snapshot(self) -> Snapshot:
        """The snapshot.

        Raises:
            PilotageError: it could not be composed, or the child died on the way.
        """
        os.close(self.reads)
        try:
            composed = msgspec.msgpack.decode(bytes(self._data), type=_Composed)
        except msgspec.MsgspecError as error:  # nothing came, or a part
            raise PilotageError("the process that read the models died") from error
        if composed.error is not None:
            raise PilotageError(composed.error[0])
        return snapshots.decode(composed.snapshot)

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
