"""Reads from /proc which processes a server has, and what each has used."""

import ctypes
import os
from pathlib import Path

PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def adopt_orphans() -> None:
    """Makes this process the parent of descendants that daemonize, so that none gets away."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """All living processes below `root`, parents first."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            state, parent = fields[0], int(fields[1])
            if state != "Z":
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def name_of(pid: int) -> str:
    """The process's name as the kernel keeps it (15 characters)."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def cpu_s(pid: int) -> float:
    """Seconds on a core so far, user and kernel, over all threads.

    From the scheduler's nanoseconds; a kernel without them gives ticks of 10 ms.
    """
    try:
        tasks = list((PROC / str(pid) / "task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        fields = _stat(pid)
        return (int(fields[11]) + int(fields[12])) * _TICK_S if fields else 0.0


def split_s(pid: int) -> tuple[float, float]:
    """Seconds in user and in system mode so far, in ticks of 10 ms."""
    fields = _stat(pid)
    return (int(fields[11]) * _TICK_S, int(fields[12]) * _TICK_S) if fields else (0.0, 0.0)


def pss_bytes(pid: int) -> int:
    """Memory of a process with shared pages divided among their users (PSS)."""
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def core_busy_s(core: int) -> float:
    """Seconds that a core has been busy for anybody since boot, stolen time included."""
    for line in (PROC / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) * _TICK_S
    return 0.0


def _stat(pid: int) -> list[str]:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()
