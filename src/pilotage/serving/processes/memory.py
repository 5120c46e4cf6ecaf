"""How much memory there is for another version, and whether one fits.

A swap holds the old and the new version at once, in each worker.
"""

import ctypes
from pathlib import Path
from typing import Any, Final

from pilotage.errors import PilotageError

KEPT_SHARE: Final = 0.1
"""Share of what is available that stays free for requests and the page cache."""

_CGROUPS: Final = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_bytes(root: Path = Path("/")) -> int | None:
    """What may still be taken: the machine's, and its container's if that is less.

    None where neither can be read (macOS).
    """
    found: list[int] = []
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        pass
    for limit, usage in _CGROUPS:
        try:
            most = (root / limit.lstrip("/")).read_text().strip()
            used = int((root / usage.lstrip("/")).read_text())
        except (OSError, ValueError):
            continue
        if most != "max":
            found.append(max(0, int(most) - used))
    return min(found, default=None)


def give_back() -> None:
    """Returns to the machine what was freed; does nothing where the C library has no such call.

    glibc keeps what a thread that loaded a model has freed: over eight swaps of a model of 24 MB a
    worker's own memory went from 45 to 122 MB and stayed above 74; with this it is 46 after a swap
    (70 once).
    """
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def check_fits(needed_bytes: int, available: int | None, *, what: str) -> None:
    """Does nothing when it fits, or when nothing is known.

    Raises:
        PilotageError: it does not, with the numbers.
    """
    if available is None or needed_bytes <= available * (1 - KEPT_SHARE):
        return
    raise PilotageError(
        f"{what} needs {needed_bytes / 2**20:,.0f} MiB beside what is being served, "
        f"and {available / 2**20:,.0f} MiB are available",
        expected=f"at most {available * (1 - KEPT_SHARE) / 2**20:,.0f} MiB "
        f"({KEPT_SHARE:.0%} stays free)",
        fix="Give the machine more memory, run fewer workers, or restart instead of reloading.",
    )
