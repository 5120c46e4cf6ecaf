"""A function in a copy of the process: its answer, its errors, its death."""

import mmap
import os
import signal
import time

import pytest
from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.isolation.forked import ANSWER_BYTES, call_in_fork, private_bytes

WRITTEN_BYTES = 32 * 1024 * 1024


class Answer(Struct):
    number: int
    text: str = ""


def call(function, **named):
    return call_in_fork(function, Answer, what="trying", **{"timeout_s": 20.0, **named})


def test_the_answer_comes_back_from_another_process():
    assert call(lambda: Answer(os.getpid())).number != os.getpid()


def test_what_the_copy_does_leaves_this_process_as_it_was():
    changed = [1]
    assert call(lambda: Answer(changed.pop())).number == 1
    assert changed == [1]


def test_an_error_for_people_is_raised_here_with_all_its_fields():
    def fail():
        raise PilotageError("broken", where="there", expected="whole", fix="Mend it.")

    with pytest.raises(PilotageError) as caught:
        call(fail)
    error = caught.value
    assert (error.what, error.where, error.expected, error.fix) == (
        "broken",
        "there",
        "whole",
        "Mend it.",
    )


def test_any_other_error_is_told_by_its_type_and_message():
    with pytest.raises(PilotageError, match="ZeroDivisionError"):
        call(lambda: Answer(1 // 0))


def test_a_copy_that_crashes_is_told_by_its_signal():
    with pytest.raises(PilotageError, match="SIGKILL"):
        call(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_a_copy_that_hangs_is_stopped():
    started = time.monotonic()
    with pytest.raises(PilotageError, match=r"longer than 0\.2 s"):
        call(lambda: time.sleep(60), timeout_s=0.2)
    assert time.monotonic() - started < 10


def test_a_copy_that_takes_too_much_memory_is_stopped_and_a_modest_one_is_not():
    mib = 1024 * 1024
    assert call(lambda: Answer(len(bytearray(8 * mib))), memory_bytes=256 * mib).number == 8 * mib
    with pytest.raises(PilotageError, match="memory"):
        call(lambda: Answer(len(bytearray(512 * mib))), memory_bytes=256 * mib)


def test_an_answer_above_the_limit_is_refused():
    with pytest.raises(PilotageError, match="announced a message"):
        call(lambda: Answer(0, "x" * (ANSWER_BYTES + 1)))


def test_no_process_is_left_behind():
    call(lambda: Answer(1))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_memory_that_is_written_is_counted_as_private():
    before = private_bytes()
    # Pages of its own: a bytearray may be given heap that an earlier test wrote and freed.
    with mmap.mmap(-1, WRITTEN_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        held.write(b"x" * WRITTEN_BYTES)
        assert private_bytes() - before > 0.9 * WRITTEN_BYTES
