"""What a host may use, and which protections hold it: numbers and words.

Pure. A protection the kernel does not allow is told, never silently left out.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB

Protection = Literal["network", "files", "processes", "privileges", "limits", "orphans"]

WITHOUT: Final[dict[Protection, str]] = {
    "network": "the model's code could reach the network",
    "files": "the model's code could read and write whatever this user may",
    "processes": "the model's code could start programs and signal other processes",
    "privileges": "the model's code could gain rights through setuid programs",
    "limits": "the model's code could use all memory, time and disk",
    "orphans": "the host could outlive this process when it is killed",
}
"""Protection to what could happen without it."""


class HostLimits(Struct, frozen=True):
    """The resources of one host.

    Attributes:
        wall_s: seconds from its start until it is killed.
        cpu_s: seconds of processor time.
        address_bytes: address space, which bounds memory.
        file_bytes: the longest file it may write.
        open_files: open file descriptors.
        processes: processes and threads of this user in all; the host itself may start threads
            but no second process.
        frame_bytes: one message to this process.
        stderr_bytes: what is kept of its error output, the last bytes.
    """

    wall_s: float = 600.0
    cpu_s: int = 600
    address_bytes: int = 8 * GIB
    file_bytes: int = 2 * GIB
    open_files: int = 256
    processes: int = 4096
    frame_bytes: int = 16 * MIB
    stderr_bytes: int = 16 * 1024


def missing_of(mechanisms: Iterable[str]) -> tuple[Protection, ...]:
    """The protections that the mechanisms which worked do not give.

    Args:
        mechanisms: of "namespaces", "landlock", "seccomp", "no_new_privs", "rlimits", "pdeathsig".
    """
    worked = frozenset(mechanisms)
    given: dict[Protection, frozenset[str]] = {
        "network": frozenset({"namespaces", "seccomp"}),
        "files": frozenset({"landlock"}),
        "processes": frozenset({"seccomp"}),
        "privileges": frozenset({"no_new_privs"}),
        "limits": frozenset({"rlimits"}),
        "orphans": frozenset({"pdeathsig"}),
    }
    return tuple(name for name, by in given.items() if not by & worked)
