"""The decider as a child of the supervisor: it asks and is answered, may die, may hang."""

import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from pilotage.contracts import directing, snapshot
from pilotage.contracts.directing import Directed, Direction, NotDirected, Seal, Told, WorkerDied
from pilotage.contracts.snapshot import FORMAT, PPM, Endpoint, Route, Snapshot
from pilotage.serving.processes import decider, messages
from rooms.serving.processes.test_directions import canary, version
from rooms.serving.processes.test_supervisor import nothing, supervise

OLD, NEW = "v1", "v2"
FIRST = Snapshot(FORMAT, 1, 0.0, (Endpoint("a", (Route(OLD),)),), (version(OLD), version(NEW)))


def work(index: int, starts: int, channel: socket.socket, _: object, path: str) -> int:
    """A worker that serves every snapshot it is told of, and ends when it is told to."""
    del index, starts, path
    channel.send(messages.encode(messages.Serving(1)))
    while True:
        message: messages.ToWorker = messages.decode_to_worker(channel.recv(65536))
        match message:
            case messages.Publish(revision=revision):
                channel.send(messages.encode(messages.Serving(revision)))
            case messages.Drain():
                return 0
            case messages.Handoff():
                continue


def ask(channel: socket.socket, message: directing.Ask) -> None:
    channel.send(directing.encode(message))


def hear(channel: socket.socket) -> Told:
    told: Told = directing.decode_told(channel.recv(directing.MESSAGE_BYTES))
    return told


def end(channel: socket.socket) -> int:
    """Ends the server and waits for the end of the channel; 0 when nothing else came."""
    os.kill(os.getppid(), signal.SIGTERM)
    return 3 if channel.recv(65536) else 0


class Codes:
    """What each decider that ran returned, seen from the test."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 64)

    def keep(self, run: Callable[[socket.socket, int], int]) -> Callable[[socket.socket], int]:
        """`run` with the number of deciders before it; what it returns is kept, plus 1."""

        def decide(channel: socket.socket) -> int:
            before = self._memory[63]
            self._memory[63] = before + 1
            self._memory[before] = 1 + (code := run(channel, before))
            return code

        return decide

    @property
    def each(self) -> list[int | None]:
        started = self._memory[63]
        return [self._memory[at] - 1 if self._memory[at] else None for at in range(started)]


def test_a_decider_directs_and_is_answered_and_ends_with_its_channel() -> None:
    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        del before
        ask(channel, canary(1, 5))
        assert hear(channel) == Directed(1, 2)
        ask(channel, canary(2, 5))
        assert hear(channel) == Directed(2, 2)
        ask(channel, Direction(3, "nowhere", (Route(OLD),)))
        assert isinstance(hear(channel), NotDirected)
        return end(channel)

    code = supervise(work, nothing, workers=2, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [0])


def test_workers_are_told_of_a_snapshot_file_that_is_directed() -> None:
    def look(index: int, starts: int, channel: socket.socket, *_: Any) -> int:
        del index, starts
        channel.send(messages.encode(messages.Serving(1)))
        publish = messages.decode_to_worker(channel.recv(65536))
        assert isinstance(publish, messages.Publish)
        assert not publish.renews_tls
        with open(publish.path, "rb") as file:
            found = snapshot.decode(file.read())
        shares = [route.weight_ppm for route in found.endpoints[0].routes]
        why = "" if shares == [PPM * 95 // 100, PPM * 5 // 100] else "not what was directed"
        answer = messages.Declined(2, why) if why else messages.Serving(2)
        channel.send(messages.encode(answer))
        channel.recv(65536)
        return 0

    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        del before
        ask(channel, canary(1, 5))
        assert hear(channel) == Directed(1, 2)
        return end(channel)

    code = supervise(look, nothing, workers=1, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [0])


def test_a_decider_that_dies_is_started_again_and_finds_what_is_in_force() -> None:
    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        ask(channel, canary(before, 5))
        assert hear(channel) == Directed(before, 2)
        if not before:
            os.kill(os.getpid(), signal.SIGKILL)
        return end(channel)

    code = supervise(work, nothing, workers=2, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [None, 0])


def test_a_decider_that_hangs_is_killed_at_the_end_and_holds_up_nothing_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decider, "CLOSE_S", 0.2)
    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        del before
        for number in range(2 * decider.UNREAD_MESSAGES):  # answers that nobody reads
            ask(channel, Direction(number, "nowhere", (Route(OLD),)))
        os.kill(os.getppid(), signal.SIGTERM)
        while True:
            time.sleep(60)

    started_s = time.monotonic()
    code = supervise(work, nothing, workers=2, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [None])
    assert time.monotonic() - started_s < 10


def test_a_decider_that_closes_in_time_is_not_killed() -> None:
    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        del before
        code = end(channel)
        time.sleep(1.5)
        return code

    code = supervise(work, nothing, workers=1, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [0])


def test_a_worker_that_dies_unasked_is_told() -> None:
    codes = Codes()

    def die_once(index: int, starts: int, channel: socket.socket, *rest: Any) -> int:
        if index == 1 and not starts:
            channel.send(messages.encode(messages.Serving(1)))
            time.sleep(decider.START_S + 0.3)
            os.kill(os.getpid(), signal.SIGKILL)
        return work(index, starts, channel, *rest)

    def decide(channel: socket.socket, before: int) -> int:
        del before
        assert hear(channel) == WorkerDied(1, -signal.SIGKILL)
        return end(channel)

    code = supervise(die_once, nothing, workers=2, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [0])


def test_what_is_no_message_is_passed_over() -> None:
    codes = Codes()

    def decide(channel: socket.socket, before: int) -> int:
        del before
        channel.send(b"\xc1 this is no message")
        ask(channel, Seal())  # nothing is recorded here
        ask(channel, canary(1, 5))
        assert hear(channel) == Directed(1, 2)
        return end(channel)

    code = supervise(work, nothing, workers=1, first=FIRST, run_decider=codes.keep(decide))
    assert (code, codes.each) == (0, [0])
