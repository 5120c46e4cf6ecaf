"""Child processes made by forking this one.

The parent has imported the engine already, so a child starts in milliseconds and shares those
pages. Forking is safe here because the parent has no other thread: it runs no engine itself.
"""

import contextlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pilotage.serving.processes.restarts import Restarts

CRASHED = 70
"""Exit code of a child that ended by an exception (EX_SOFTWARE)."""


def fork(run: Callable[[], int], *, close: Iterable[socket.socket | int] = ()) -> int:
    """The pid of a child that does `run` and exits with what it returns.

    The child gives back the parent's descriptors in `close`, takes the parent's signal handlers
    off, and leaves an interrupt and a hang-up to the parent, which ends its children in order and
    reloads: both are sent to a whole group, or to every process of one name.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = CRASHED
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in close:
            with contextlib.suppress(OSError):
                if isinstance(descriptor, int):
                    os.close(descriptor)
                else:
                    descriptor.close()
        code = run()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(code)


def reap() -> list[tuple[int, int]]:
    """(pid, exit code) of every child that has ended; a negative code is a signal's number."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        ended.append((pid, os.waitstatus_to_exitcode(status)))


@dataclass
class Child:
    """One child that is started again when it dies. `pid` is 0 while it is not running."""

    name: str
    pid: int = 0
    starts: int = 0
    restarts: Restarts = field(default_factory=Restarts)
    due_s: float = 0.0

    def started(self, pid: int, *, now_s: float) -> None:
        self.pid = pid
        self.starts += 1
        self.restarts = self.restarts.started(now_s=now_s)

    def died(self, *, now_s: float) -> None:
        self.pid = 0
        self.restarts = self.restarts.died(now_s=now_s)
        self.due_s = now_s + self.restarts.wait_s
