"""Who a server is in its prediction ids: a node, which stays, and a boot, which is counted up.

Both are kept in the record folder, so that ids of two servers that share it never meet.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from msgspec import Struct

NODE_BITS: Final = 24
BOOT_BITS: Final = 16
FILE: Final = "identity"


class Identity(Struct, frozen=True):
    """The node (24 bits, drawn by chance once a folder) and the boot (16 bits, goes round)."""

    node: int
    boot: int


def chance() -> Identity:
    """An identity for a server that records nothing."""
    return Identity(_chance(NODE_BITS), _chance(BOOT_BITS))


def next_identity(folder: Path) -> Identity:
    """The identity of a server that starts now and records into `folder`, which is made.

    Where the folder cannot be written to, chance decides: a server starts without a record too.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return chance()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _count_up(descriptor)
    except OSError:
        return chance()
    finally:
        os.close(descriptor)


def _count_up(descriptor: int) -> Identity:
    """Read the file, write the next boot over it (same length, so never half), and return it."""
    words = os.pread(descriptor, 64, 0).split()
    try:
        node, boot = int(words[0], 16), (int(words[1], 16) + 1) % (1 << BOOT_BITS)
    except (IndexError, ValueError):
        node, boot = _chance(NODE_BITS), _chance(BOOT_BITS)
    os.pwrite(descriptor, b"%06x %04x\n" % (node, boot), 0)
    os.fsync(descriptor)
    return Identity(node, boot)


def _chance(bits: int) -> int:
    return int.from_bytes(os.urandom(4), "big") >> (32 - bits)
