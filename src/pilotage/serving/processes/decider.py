"""The decider's process, as the supervisor sees it: asks come from it, answers go to it.

It may die or hang at any moment: nothing here waits for it, and what it does not read is kept up to
a bound.
"""

import contextlib
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from pilotage.contracts import directing
from pilotage.contracts.directing import Ask, Told, WorkerDied
from pilotage.serving.processes.children import Child, fork
from pilotage.serving.processes.handoff import channel_kind

START_S: Final = 0.2
"""How long after the first worker serves it is started, in seconds: first answers come first."""
CLOSE_S: Final = 5.0
"""How long it may take to close once its channel has ended, in seconds; then it is killed."""
UNREAD_MESSAGES: Final = 256
"""Messages kept for a decider that reads none, in messages; the oldest are dropped first."""


class DeciderProcess(Child):
    """The decider; `run` is None where none is wanted. `asked` is called with what it asks."""

    def __init__(
        self,
        run: Callable[[socket.socket], int] | None,
        selector: selectors.BaseSelector,
        *,
        asked: Callable[[Ask], None],
        log: Callable[..., None],
    ) -> None:
        super().__init__("decider")
        self.run = run
        self.channel: socket.socket | None = None
        self._selector = selector
        self._asked = asked
        self._log = log
        self._unsent: deque[Told] = deque(maxlen=UNREAD_MESSAGES)
        self._kill_at_s: float | None = None

    def start(self, close: Callable[[], Iterable[socket.socket | int]]) -> None:
        """Forks it. `close` gives what no child may keep.

        Raises:
            OSError: there is no room for another process.
        """
        run = self.run
        if run is None:
            return
        ours, its = socket.socketpair(socket.AF_UNIX, channel_kind())

        def decide() -> int:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it may be sent to the whole group
            ours.close()
            return run(its)

        with its, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            pid = fork(decide, close=close())
            undo.pop_all()
        ours.setblocking(False)
        self.channel = ours
        self._selector.register(ours, selectors.EVENT_READ, self._on_message)
        self.started(pid, now_s=time.monotonic())
        self.send()

    def tell(self, message: Told) -> None:
        """Sends a message, or keeps it until the decider reads."""
        if self.run is not None:
            self._unsent.append(message)
            self.send()

    def send(self) -> None:
        """Sends what it can of what is kept."""
        while self.channel is not None and self._unsent:
            try:
                self.channel.send(directing.encode(self._unsent[0]))
            except OSError:  # full, or its end comes soon
                return
            self._unsent.popleft()

    def gone(self, *, now_s: float) -> None:
        """It died. The next one is told of workers that died, and not what this one asked."""
        self._drop_channel()
        deaths = [each for each in self._unsent if isinstance(each, WorkerDied)]
        self._unsent.clear()
        self._unsent.extend(deaths)
        self.died(now_s=now_s)

    def end(self, *, now_s: float) -> None:
        """Gives it the end of its channel, and `CLOSE_S` to close; to be called again and again."""
        self._drop_channel()
        if self._kill_at_s is None:
            self._kill_at_s = now_s + CLOSE_S
        if self.pid and now_s > self._kill_at_s:
            self._log("killed", process=self.name, reason="it did not end")
            self.kill()

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _on_message(self, channel: socket.socket) -> None:
        if channel is not self.channel:
            return  # it was reaped in this very turn of the loop
        try:
            data = channel.recv(directing.MESSAGE_BYTES)
        except (BlockingIOError, ConnectionResetError):
            return
        if not data:
            self._drop_channel()
            return
        try:
            ask: Ask = directing.decode_ask(data)
        except msgspec.MsgspecError as error:
            self._log("not_understood", process=self.name, why=str(error))
            return
        self._asked(ask)

    def _drop_channel(self) -> None:
        if self.channel is not None:
            self._selector.unregister(self.channel)
            self.channel.close()
            self.channel = None
