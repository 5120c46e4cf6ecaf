"""As many descriptors as the connection limit needs, or a lower connection limit."""

import os
import resource
from collections.abc import Callable

import pytest

from pilotage.serving.processes.descriptors import (
    OWN_DESCRIPTORS,
    connections_within,
    make_room,
)

FAILED = 255


def in_a_process_of_its_own(work: Callable[[], int]) -> int:
    """What `work` returns, below 255; a hard limit once lowered stays so for its process."""
    pid = os.fork()
    if not pid:
        code = FAILED
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def limited(soft: int, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [
        (OWN_DESCRIPTORS + 101, 100),
        (OWN_DESCRIPTORS + 100, 100),
        (OWN_DESCRIPTORS + 99, 99),
        (OWN_DESCRIPTORS, 1),
        (3, 1),
    ],
)
def test_descriptors_leave_room_for_connections_beside_our_own(
    descriptors: int, connections: int
) -> None:
    assert connections_within(100, descriptors) == connections


def test_a_low_soft_limit_is_raised_to_what_the_connections_need() -> None:
    def work() -> int:
        limited(64, 512)
        assert make_room(200) == 200
        return int(resource.getrlimit(resource.RLIMIT_NOFILE) != (200 + OWN_DESCRIPTORS, 512))

    assert in_a_process_of_its_own(work) == 0


def test_a_soft_limit_that_is_high_enough_stays() -> None:
    def work() -> int:
        limited(400, 512)
        assert make_room(200) == 200
        return int(resource.getrlimit(resource.RLIMIT_NOFILE) != (400, 512))

    assert in_a_process_of_its_own(work) == 0


@pytest.mark.parametrize(
    ("hard", "room"), [(OWN_DESCRIPTORS + 100, 100), (OWN_DESCRIPTORS + 99, 99)]
)
def test_a_hard_limit_that_is_too_low_leaves_fewer_connections(hard: int, room: int) -> None:
    def work() -> int:
        limited(64, hard)
        found = make_room(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        return found

    assert in_a_process_of_its_own(work) == room
