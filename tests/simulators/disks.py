"""Disks that fail on purpose, behind the interface of `segment_file.Disk`."""

import errno
import os
import signal
from pathlib import Path

from pilotage.serving.recording.segment_file import Buffers, Disk


class SmallDisk(Disk):
    """A disk with `room` bytes left: it writes what fits, then says that it is full.

    `syncs` counts the syncs that were asked for.
    """

    def __init__(self, room: int = 1 << 40) -> None:
        self.room = room
        self.syncs = 0
        self.error = errno.ENOSPC

    def create(self, path: Path) -> int:
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        return super().create(path)

    def write(self, descriptor: int, buffers: Buffers, offset: int) -> int:
        data = b"".join(buffers)[: max(0, self.room)]
        if not data:
            raise OSError(self.error, os.strerror(self.error))
        self.room -= len(data)
        return super().write(descriptor, [data], offset)

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        super().sync(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        self.room += max(0, os.fstat(descriptor).st_size - size)
        super().cut(descriptor, size)


class DeadlyDisk(Disk):
    """A disk that kills the process for good after `lives` bytes, in the middle of a write."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def write(self, descriptor: int, buffers: Buffers, offset: int) -> int:
        data = b"".join(buffers)
        super().write(descriptor, [data[: self.lives]], offset)
        if len(data) >= self.lives:
            os.kill(os.getpid(), signal.SIGKILL)
        self.lives -= len(data)
        return len(data)
