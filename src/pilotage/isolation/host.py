"""Starts a host: a fresh Python without secrets, for one job with somebody else's code.

The host gets its own temporary folder, an environment without a single variable of ours, the
limits and protections of `confining`, and one pipe to answer on. Its answers are typed MessagePack
and are never unpickled. However it ends, the caller gets an answer or an error to read.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.isolation import messages
from pilotage.isolation.channel import Frames, frame
from pilotage.isolation.limits import HostLimits, Protection

Answer = TypeVar("Answer", bound=Struct)

READ_BYTES: Final = 65536
ENDING_S: Final = 5.0
"""Seconds a host may take to end after it closed its channel."""


class Answered(Struct, Generic[Answer], frozen=True):
    """What a host answered, and the protections it ran without."""

    answer: Answer
    missing: tuple[Protection, ...]


def run_in_host(
    adapter: str,
    request: Struct,
    answer: type[Answer],
    *,
    folder: Path,
    readable: Sequence[Path] = (),
    limits: HostLimits | None = None,
    progress: Callable[[str], None] | None = None,
) -> Answered[Answer]:
    """What the adapter answers to the request, from a host that is gone afterwards.

    Args:
        adapter: a key of `child.ADAPTERS`; `request` and `answer` are its own structs.
        folder: the host's own folder, which it may fill.
        readable: the files and folders it may read.
        progress: told what the host does.

    Raises:
        PilotageError: the adapter refused or failed, or the host died, hung or broke the channel.
    """
    limits = limits or HostLimits()
    job = messages.Job(
        adapter=adapter,
        folder=str(folder.resolve()),
        readable=tuple(str(path.resolve()) for path in readable),
        limits=limits,
        request=msgspec.Raw(messages.encode(request)),
        parent=os.getpid(),
    )
    reading, writing = os.pipe()
    try:
        process = _start(job.folder, writing)
    finally:
        os.close(writing)
    try:
        talk = _Talk(process, reading, limits, progress)
        talk.send(frame(messages.encode(job)))
        finished = talk.listen()
        if finished is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING_S)  # its channel closed: how it ends tells why
    finally:
        os.close(reading)
        _end(process)
    if finished is None:
        raise _died(process.returncode, limits, talk.last_words)
    missing, result = finished
    if isinstance(result, messages.Failed):
        raise PilotageError(
            result.what, where=result.where, expected=result.expected, fix=result.fix
        )
    try:
        return Answered(msgspec.msgpack.decode(result.answer, type=answer), missing)
    except msgspec.MsgspecError as error:
        raise PilotageError(f"the host's answer makes no sense: {error}") from error


def _start(folder: str, writing: int) -> subprocess.Popen[bytes]:
    """A fresh interpreter that sees no variable of ours."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "LOKY_MAX_CPU_COUNT": "1",
    }
    command = [sys.executable, "-I", "-B", "-m", "pilotage.isolation.child", str(writing)]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            pass_fds=(writing,),
            start_new_session=True,
        )
    except OSError as error:
        raise PilotageError(
            f"a host for the model's code cannot be started: {error.strerror}"
        ) from error


class _Talk:
    """One conversation: the job goes down, events come up, error output is kept to its end."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reading: int,
        limits: HostLimits,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.process = process
        self.reading = reading
        self.limits = limits
        self.progress = progress
        self.frames = Frames(limits.frame_bytes)
        self.missing: tuple[Protection, ...] | None = None
        self.last_words = b""

    def send(self, data: bytes) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died already: listening tells how
            stdin.write(data)
            stdin.close()

    def listen(self) -> tuple[tuple[Protection, ...], messages.Done | messages.Failed] | None:
        """The end of the job; None when the host ended without one."""
        until = time.monotonic() + self.limits.wall_s
        stderr = self.process.stderr
        assert stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.reading, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            while True:
                left_s = until - time.monotonic()
                ready = selector.select(left_s) if left_s > 0 else []
                if not ready:
                    raise PilotageError(
                        f"the model's code took longer than {self.limits.wall_s:g} s",
                        fix="Use a smaller model, or convert it to ONNX yourself.",
                    )
                # The error output first, so that a dying host's last words are kept.
                for key, _ in sorted(ready, key=lambda pair: pair[0].fd == self.reading):
                    chunk = os.read(key.fd, READ_BYTES)
                    if key.fd != self.reading:
                        self._hear(chunk)
                        if not chunk:
                            selector.unregister(stderr)
                    elif not chunk:
                        return None
                    elif (finished := self._take(chunk)) is not None:
                        return finished

    def _hear(self, chunk: bytes) -> None:
        self.last_words = (self.last_words + chunk)[-self.limits.stderr_bytes :]

    def _take(
        self, chunk: bytes
    ) -> tuple[tuple[Protection, ...], messages.Done | messages.Failed] | None:
        for payload in self.frames.receive(chunk):
            try:
                event = messages.decode_event(payload)
            except msgspec.MsgspecError as error:
                raise PilotageError(f"the host's message makes no sense: {error}") from error
            if isinstance(event, messages.Confined):
                # Sent before foreign code was loaded; a second one is not believed.
                self.missing = event.missing if self.missing is None else self.missing
            elif isinstance(event, messages.Progress):
                if self.progress is not None:
                    self.progress(event.text[:500])
            else:
                return self.missing or (), event
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the host's whole session and collects it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _died(code: int, limits: HostLimits, last_words: bytes) -> PilotageError:
    """Why a host ended without an answer, as far as its end tells."""
    if code == -signal.SIGXCPU:
        return PilotageError(
            f"the model's code used its {limits.cpu_s} s of processor time",
            fix="Use a smaller model, or convert it to ONNX yourself.",
        )
    if code == -signal.SIGXFSZ:
        return PilotageError(f"the model's code wrote more than {limits.file_bytes} bytes")
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    lines = last_words.decode("utf-8", "replace").strip().splitlines()
    said = f": {lines[-1][:300]}" if lines else ""
    return PilotageError(
        f"the host of the model's code ended without an answer ({how}){said}",
        fix=f"It may need more than the {limits.address_bytes} bytes of memory it is allowed.",
    )
