"""Children: they run, they end, and what the parent keeps to itself stays with it."""

import os
import signal
import time

import pytest

from pilotage.serving.processes import children
from pilotage.serving.processes.children import Child, fork, reap


def ended(pid: int) -> int:
    """The exit code of a child, once it is there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for found, code in reap():
            if found == pid:
                return code
        time.sleep(0.005)
    raise AssertionError("the child goes on")


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_ends_with_the_code_it_returns(code: int) -> None:
    assert ended(fork(lambda: code)) == code


def test_an_exception_is_an_exit_code_and_not_a_second_parent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def run() -> int:
        raise ValueError("told on stderr")

    assert ended(fork(run)) == children.CRASHED
    assert "told on stderr" in capfd.readouterr().err


def test_a_killed_child_is_told_by_its_signal() -> None:
    pid = fork(lambda: time.sleep(30) or 0)
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL


def test_descriptors_of_the_parent_are_given_back() -> None:
    reads, writes = os.pipe()
    pid = fork(lambda: 0 if not os.path.exists(f"/proc/self/fd/{writes}") else 1, close=[writes])
    assert ended(pid) == 0
    os.close(reads)
    os.close(writes)


def test_an_interrupt_from_the_terminal_is_left_to_the_parent() -> None:
    reads, writes = os.pipe()

    def run() -> int:
        os.write(writes, b"x")
        time.sleep(30)
        return 0

    pid = fork(run)
    os.read(reads, 1)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    assert ended(pid) == -signal.SIGTERM
    os.close(reads)
    os.close(writes)


def test_a_child_that_dies_again_and_again_waits_longer() -> None:
    child = Child("worker 0")
    dues: list[float] = []
    for now_s in (10.0, 20.0, 30.0):
        child.started(123, now_s=now_s)
        child.died(now_s=now_s)
        dues.append(child.due_s - now_s)
    assert dues == pytest.approx([0.1, 0.2, 0.4])
    assert (child.pid, child.starts) == (0, 3)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_is_sent_to_the_whole_group_is_left_to_the_parent(number: int) -> None:
    assert ended(fork(lambda: os.kill(os.getpid(), number) or 0)) == 0
