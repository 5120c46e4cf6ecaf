"""File descriptors: as many as the connection limit needs, or a lower connection limit.

Each connection is a descriptor of the worker that holds it, and one worker may hold them all while
the others start again. Most shells start a process with a soft limit of 1024.
"""

import contextlib
import resource
from typing import Final

OWN_DESCRIPTORS: Final = 128
"""What a process needs besides connections (files, rings, channels, the engine's own), at most."""


def connections_within(connections: int, descriptors: int) -> int:
    """The connections that so many descriptors leave room for, at most those asked for; one at
    least, since a server without any serves nobody."""
    return max(1, min(connections, descriptors - OWN_DESCRIPTORS))


def make_room(connections: int) -> int:
    """Raises the soft limit of this process, which its children inherit, as far as needed.

    Returns the connections that there is room for: those asked for, or fewer where the hard limit
    is too low. A soft limit that is high enough stays as it is.
    """
    needed = connections + OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _holds(soft, needed):
        return connections
    wanted = needed if _holds(hard, needed) else hard
    # macOS says that its hard limit is infinite, and refuses what is above the kernel's own.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if _holds(soft, needed) else connections_within(connections, soft)


def _holds(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
