"""The system call filter of a host, as a seccomp program for the kernel.

Pure: numbers in, bytes out. It refuses (EPERM) what a model never needs: sockets, new processes
and programs, signals to others, other processes' memory, mounts and namespaces, kernel modules,
changed owners and modes. Threads may be started; memory, files and time are others' concern.

Source: the kernel's Documentation/userspace-api/seccomp_filter.rst and its syscall tables.
"""

import struct
from typing import Final

EPERM: Final = 1
ENOSYS: Final = 38
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # struct seccomp_data, little-endian
_CLONE_THREAD: Final = 0x00010000
_X32_BIT: Final = 0x40000000

_EVERYWHERE: Final = (
    *(424, 425, 426, 427),  # pidfd_send_signal, io_uring_setup, _enter, _register
    *(428, 429, 430, 431, 432, 433),  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
    *(434, 438, 440, 442),  # pidfd_open, pidfd_getfd, process_madvise, mount_setattr
    *(452, 463, 466),  # fchmodat2, setxattrat, removexattrat
)
_X86_64: Final = (
    *(41, 42, 43, 49, 50, 288),  # socket, connect, accept, bind, listen, accept4
    *(57, 58, 59, 322),  # fork, vfork, execve, execveat
    *(129, 200, 297),  # rt_sigqueueinfo, tkill, rt_tgsigqueueinfo
    *(90, 91, 268, 92, 93, 94, 260),  # chmod, fchmod, fchmodat, chown, fchown, lchown, fchownat
    *(188, 189, 190, 197, 198, 199),  # setxattr, l-, f-, removexattr, l-, f-
    *(132, 235, 261, 280),  # utime, utimes, futimesat, utimensat
    *(101, 310, 311),  # ptrace, process_vm_readv, process_vm_writev
    *(155, 161, 165, 166, 272, 308),  # pivot_root, chroot, mount, umount2, unshare, setns
    *(175, 176, 313, 246, 320, 169),  # init_module, delete_, finit_, kexec_load, _file_load, reboot
    *(248, 249, 250),  # add_key, request_key, keyctl
    *(298, 321, 323, 303, 304),  # perf_event_open, bpf, userfaultfd, name_to_handle_at, open_by_
    *(135, 154, 163, 164, 167, 168),  # personality, modify_ldt, acct, settimeofday, swapon, swapoff
    *(
        170,
        171,
        172,
        173,
        179,
        227,
    ),  # sethostname, setdomainname, iopl, ioperm, quotactl, clock_settime
)
_AARCH64: Final = (
    *(198, 203, 202, 200, 201, 242),  # socket, connect, accept, bind, listen, accept4
    *(221, 281),  # execve, execveat
    *(138, 130, 240),  # rt_sigqueueinfo, tkill, rt_tgsigqueueinfo
    *(52, 53, 54, 55),  # fchmod, fchmodat, fchownat, fchown
    *(5, 6, 7, 14, 15, 16, 88),  # the xattr calls, utimensat
    *(117, 270, 271),  # ptrace, process_vm_readv, process_vm_writev
    *(41, 51, 40, 39, 97, 268),  # pivot_root, chroot, mount, umount2, unshare, setns
    *(105, 106, 273, 104, 294, 142),  # modules, kexec, reboot
    *(217, 218, 219),  # add_key, request_key, keyctl
    *(241, 280, 282, 264, 265),  # perf_event_open, bpf, userfaultfd, name_to_handle_at, open_by_
    *(92, 89, 170, 224, 225, 161, 162, 60, 112),  # personality … clock_settime
)
# machine: (audit number, refused calls, clone, kill, tgkill)
_MACHINES: Final = {
    "x86_64": (0xC000003E, _X86_64, 56, 62, 234),
    "aarch64": (0xC00000B7, _AARCH64, 220, 129, 131),
}
_CLONE3: Final = 435


def filter_program(machine: str, process_id: int) -> bytes | None:
    """The BPF instructions for this machine and process; None where the machine is not known.

    Args:
        machine: as `os.uname().machine` says.
        process_id: the one process that may be signalled.
    """
    known = _MACHINES.get(machine)
    if known is None:
        return None
    audit, refused, clone, kill, tgkill = known
    lines = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _ERRNO | EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _ERRNO | EPERM),
        # glibc falls back to clone, whose flags can be looked at, where clone3 is not there
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | ENOSYS),
        *_only_if(clone, (_ANY_BIT, 0, 1, _CLONE_THREAD)),
        *_only_if(kill, (_EQUAL, 0, 1, process_id)),
        *_only_if(tgkill, (_EQUAL, 0, 1, process_id)),
    ]
    for number in (*refused, *_EVERYWHERE):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | EPERM)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _only_if(number: int, test: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Instructions that allow a call when its first argument passes the test."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        test,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | EPERM),
    ]
