"""Which protections the mechanisms of a kernel give."""

import struct

import pytest

from pilotage.isolation.limits import WITHOUT, missing_of
from pilotage.isolation.syscalls import filter_program

ALL = ("namespaces", "landlock", "seccomp", "no_new_privs", "rlimits", "pdeathsig")


def test_a_kernel_with_every_mechanism_misses_nothing():
    assert missing_of(ALL) == ()


@pytest.mark.parametrize(
    ("absent", "missing"),
    [
        ({"namespaces"}, ()),
        ({"seccomp"}, ("processes",)),
        ({"namespaces", "seccomp"}, ("network", "processes")),
        ({"landlock"}, ("files",)),
        ({"no_new_privs"}, ("privileges",)),
        ({"rlimits"}, ("limits",)),
        ({"pdeathsig"}, ("orphans",)),
    ],
)
def test_a_missing_mechanism_is_told_as_the_protection_it_would_give(absent, missing):
    assert missing_of(set(ALL) - absent) == missing


def test_every_missing_protection_can_be_explained():
    assert set(missing_of(())) == set(WITHOUT)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_stays_inside_it(machine):
    program = filter_program(machine, 77)
    lines = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    assert len(lines) < 4096  # the kernel's BPF_MAXINSNS
    for index, (code, taken, other, _) in enumerate(lines):
        if code & 7 == 5:  # a jump
            assert index + 1 + max(taken, other) < len(lines)
    assert lines[-1][0] == 6  # it returns


def test_there_is_no_filter_for_a_machine_that_is_not_known():
    assert filter_program("vax", 1) is None
