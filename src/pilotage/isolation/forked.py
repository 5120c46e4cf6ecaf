"""One function, run in a throwaway copy of this process, whose answer comes back as MessagePack.

For work that may crash or leave threads behind, where starting a fresh interpreter costs too much:
the copy shares the pages this process has already loaded, so it starts in about 10 ms. It is no
protection against code that means harm (see `host`); it protects against crashes, hangs and memory.
"""

import contextlib
import os
import re
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.isolation.channel import Frames, frame

ANSWER_BYTES = 16 * 1024 * 1024
"""The longest answer that is taken from the copy."""

Answer = TypeVar("Answer", bound=Struct)


class _Failure(Struct, frozen=True):
    """What went wrong in the copy, in the fields of a PilotageError."""

    what: str
    where: str = ""
    expected: str = ""
    fix: str = ""


class _Reply(Struct, frozen=True):
    answer: msgspec.Raw = msgspec.Raw(b"\xc0")
    failure: _Failure | None = None


def call_in_fork(
    function: Callable[[], Answer],
    answer: type[Answer],
    *,
    what: str,
    timeout_s: float,
    memory_bytes: int | None = None,
) -> Answer:
    """What `function` returns, computed in a forked copy of this process.

    Call it while this process has one thread: a copy holds only the thread that forked.

    Args:
        function: returns a struct of type `answer`; its PilotageErrors are raised here again.
        what: what it does, for errors ("reading model.onnx").
        timeout_s: seconds after which the copy is killed.
        memory_bytes: how much address space it may add to what this process has; None for any.

    Raises:
        PilotageError: the function raised, the copy died, took too long or too much memory.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _run_as_copy(function, writing, memory_bytes)
    os.close(writing)
    try:
        payload = _receive(reading, time.monotonic() + timeout_s)
    except TimeoutError:
        raise PilotageError(
            f"{what} took longer than {timeout_s:g} s and was stopped",
            fix="Use a smaller model, or try again when the machine is less busy.",
        ) from None
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    if payload is None:
        raise PilotageError(
            f"{what} ended without an answer ({_how_it_ended(status)})",
            fix="The file is damaged, or it needs more memory than there is.",
        )
    reply = msgspec.msgpack.decode(payload, type=_Reply)
    if reply.failure is not None:
        failure = reply.failure
        raise PilotageError(
            failure.what, where=failure.where, expected=failure.expected, fix=failure.fix
        )
    return msgspec.msgpack.decode(reply.answer, type=answer)


def private_bytes() -> int:
    """Memory that this process holds for itself alone, in bytes; 0 where the system cannot say."""
    try:
        text = Path("/proc/self/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    found = re.search(r"^Private_Dirty:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _run_as_copy(function: Callable[[], Struct], writing: int, memory_bytes: int | None) -> None:
    """Runs in the copy, and never returns."""
    try:
        if memory_bytes is not None:
            allowed = _address_space_bytes() + memory_bytes
            resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
        reply = _reply_of(function)
        data = memoryview(frame(msgspec.msgpack.encode(reply)))
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)  # no exit handlers: they belong to the process that was copied


def _reply_of(function: Callable[[], Struct]) -> _Reply:
    try:
        return _Reply(answer=msgspec.Raw(msgspec.msgpack.encode(function())))
    except PilotageError as error:
        return _Reply(failure=_Failure(error.what, error.where, error.expected, error.fix))
    except MemoryError:
        return _Reply(failure=_Failure("the memory allowed for reading the file is used up"))
    except Exception as error:
        return _Reply(failure=_Failure(f"{type(error).__name__}: {error}"[:2000]))


def _receive(reading: int, until: float) -> bytes | None:
    """The one payload of the copy; None when it ended without one."""
    frames = Frames(ANSWER_BYTES)
    while True:
        left_s = until - time.monotonic()
        if left_s <= 0 or not select.select([reading], [], [], left_s)[0]:
            raise TimeoutError
        chunk = os.read(reading, 1 << 16)
        if not chunk:
            return None
        payloads = frames.receive(chunk)
        if payloads:
            return payloads[0]


def _address_space_bytes() -> int:
    """What RLIMIT_AS counts for this process now."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.WEXITSTATUS(status)}"
