"""Takes this process's rights away, for good: limits, network, files, system calls.

Called in a host before any foreign code is loaded. Each mechanism is tried by itself; the names of
those that worked are returned, and what is missing then is told to the user (`limits.missing_of`).
Linux only; elsewhere resource limits alone hold.

Source: the kernel's Documentation/userspace-api/landlock.rst, and the manual pages unshare(2),
user_namespaces(7), prctl(2), capabilities(7).
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pilotage.isolation.limits import HostLimits
from pilotage.isolation.syscalls import filter_program

_NEW_USER, _NEW_NET, _NEW_IPC, _NEW_UTS = 0x10000000, 0x40000000, 0x08000000, 0x04000000
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER: Final = 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_CAPSET: Final = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3: Final = 0x20080522

# Landlock's file rights: bits 0 to 12 from its first version, then one or two a version.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FIRST_VERSION: Final = (1 << 13) - 1
_REFER, _TRUNCATE, _DEVICE_IOCTL = 1 << 13, 1 << 14, 1 << 15
_READ: Final = _READ_FILE | _READ_DIR
_FILE_RIGHTS: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_IOCTL

CPU_GRACE_S: Final = 2
"""Seconds of processor time between the signal and the kill."""

_SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system"),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)


def confine(limits: HostLimits, folder: Path, readable: Iterable[str], parent: int) -> list[str]:
    """Confines this process and returns the mechanisms that worked.

    Args:
        folder: the only place that stays writable.
        readable: what may be read besides Python and the system's libraries.
        parent: the process that this one must not outlive.
    """
    worked = ["rlimits"] if _set_limits(limits) else []
    if sys.platform != "linux":
        return worked
    libc = ctypes.CDLL(None, use_errno=True)
    worked += ["pdeathsig"] if _die_with(libc, parent) else []
    worked += ["namespaces"] if _leave_network(libc) else []
    worked += ["no_new_privs"] if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 else []
    worked += ["landlock"] if _restrict_files(libc, folder, readable) else []
    _drop_capabilities(libc)
    worked += ["seccomp"] if _filter_calls(libc) else []
    return worked


def _set_limits(limits: HostLimits) -> bool:
    wanted = (
        (resource.RLIMIT_CPU, limits.cpu_s + CPU_GRACE_S),
        (resource.RLIMIT_AS, limits.address_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_CORE, 0),
    )
    try:
        for kind, number in wanted:
            hard = resource.getrlimit(kind)[1]
            least = number if hard == resource.RLIM_INFINITY else min(number, hard)
            # The soft limit of time first: its signal says why the host ended.
            soft = max(1, least - CPU_GRACE_S) if kind == resource.RLIMIT_CPU else least
            resource.setrlimit(kind, (soft, least))
    except (OSError, ValueError):
        return False
    return True


def _die_with(libc: ctypes.CDLL, parent: int) -> bool:
    """Asks for a kill when the parent dies, and looks whether it already has."""
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        return False
    if os.getppid() != parent:
        os._exit(1)
    return True


def _leave_network(libc: ctypes.CDLL) -> bool:
    """Moves into namespaces of its own, in which there is no network interface that is up."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC | _NEW_UTS) != 0:
        return False
    with contextlib.suppress(OSError):  # unmapped ids work too: they only print as nobody
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
    return True


def _restrict_files(libc: ctypes.CDLL, folder: Path, readable: Iterable[str]) -> bool:
    """Leaves reading where Python lives and where it was allowed, writing in `folder` alone."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = _FIRST_VERSION
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    handled |= _DEVICE_IOCTL if version >= 5 else 0
    fields = [handled]
    fields += [3] if version >= 4 else []  # TCP: bind, connect
    fields += [3] if version >= 6 else []  # scope: abstract Unix sockets, signals
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*_SYSTEM, *_python_paths(), *readable):
            _allow(libc, ruleset, path, _READ)
        _allow(libc, ruleset, "/dev/null", (_READ | _WRITE_FILE) & handled)
        allowed = _allow(libc, ruleset, str(folder), handled & ~_EXECUTE)
        return allowed and libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> bool:
    """Adds one rule; a path that is not there needs none."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, handle)
        return libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0) == 0
    finally:
        os.close(handle)


def _python_paths() -> list[str]:
    """Where this Python and its packages live."""
    paths = [path for path in sys.path if path]
    paths += [sys.prefix, sys.base_prefix, sys.exec_prefix]
    return paths + list(sysconfig.get_paths().values())


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Gives up every capability, among them those that a new user namespace gave."""
    number = _CAPSET.get(os.uname().machine)
    if number is not None:
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        libc.syscall(number, header, bytes(24))


def _filter_calls(libc: ctypes.CDLL) -> bool:
    program = filter_program(os.uname().machine, os.getpid())
    if program is None:
        return False
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) == 0
