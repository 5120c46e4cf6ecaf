"""The door: connections go to the worker that holds the fewest."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pilotage.errors import PilotageError
from pilotage.serving.processes import handoff, messages
from pilotage.serving.processes.handoff import Handoff


class Door:
    """A listening socket, and workers that are nothing but the ends of their channels."""

    def __init__(self, stack: ExitStack, workers: int, connections: int = 100) -> None:
        self._stack = stack
        (self.listening,) = handoff.bind("127.0.0.1", 0)
        stack.enter_context(self.listening)
        self.closed = memoryview(bytearray(8 * workers)).cast("q")
        self.handoff = Handoff(self.closed, workers, connections)
        self.ends: list[socket.socket] = []
        for worker in range(workers):
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(ours)
            stack.enter_context(its)
            self.handoff.open_worker(worker, ours)
            self.ends.append(its)

    def connect(self) -> socket.socket:
        client = self._stack.enter_context(socket.create_connection(self.listening.getsockname()))
        assert self.handoff.accept_from(self.listening)
        return client

    def taken_by(self, worker: int) -> socket.socket:
        data, descriptors, _, _ = socket.recv_fds(self.ends[worker], messages.MESSAGE_BYTES, 1)
        assert messages.decode_to_worker(data) == messages.Handoff()
        return self._stack.enter_context(socket.socket(fileno=descriptors[0]))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_a_connection_is_handed_over_whole(stack: ExitStack) -> None:
    door = Door(stack, 1)
    client = door.connect()
    taken = door.taken_by(0)
    client.sendall(b"hello")
    assert taken.recv(5) == b"hello"


def test_connections_are_spread_evenly(stack: ExitStack) -> None:
    door = Door(stack, 3)
    for _ in range(9):
        door.connect()
    assert [door.handoff.held_by(worker) for worker in range(3)] == [3, 3, 3]


def test_a_worker_that_let_connections_go_gets_the_next_ones(stack: ExitStack) -> None:
    door = Door(stack, 2)
    for _ in range(6):
        door.connect()
    door.closed[1] = 2
    door.connect()
    door.connect()
    assert [door.handoff.held_by(worker) for worker in range(2)] == [3, 3]


def test_a_worker_that_died_gets_nothing_and_starts_with_none(stack: ExitStack) -> None:
    door = Door(stack, 2)
    for _ in range(4):
        door.connect()
    door.handoff.close_worker(0)
    door.connect()
    assert [door.handoff.held_by(worker) for worker in range(2)] == [0, 3]


def test_a_worker_that_swapped_snapshots_keeps_its_connections(stack: ExitStack) -> None:
    door = Door(stack, 2)
    for _ in range(4):
        door.connect()
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stack.enter_context(its)
    door.handoff.open_worker(0, stack.enter_context(ours))
    assert [door.handoff.held_by(worker) for worker in range(2)] == [2, 2]


@pytest.mark.parametrize(("limit", "turned_away"), [(3, 0), (2, 1)])
def test_one_connection_more_than_the_limit_is_closed_at_once(
    stack: ExitStack, limit: int, turned_away: int
) -> None:
    door = Door(stack, 1, connections=limit)
    clients = [door.connect() for _ in range(3)]
    assert door.handoff.turned_away == turned_away
    if turned_away:
        assert clients[-1].recv(1) == b""


def test_without_a_worker_that_takes_it_a_connection_waits(stack: ExitStack) -> None:
    door = Door(stack, 1)
    door.handoff.close_worker(0)
    client = stack.enter_context(socket.create_connection(door.listening.getsockname()))
    assert not door.handoff.accept_from(door.listening)
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stack.enter_context(ours)
    door.ends[0] = stack.enter_context(its)
    door.handoff.open_worker(0, ours)
    assert door.handoff.accept_from(door.listening)
    client.sendall(b"x")
    assert door.taken_by(0).recv(1) == b"x"


def test_a_taken_port_is_told(stack: ExitStack) -> None:
    (first,) = handoff.bind("127.0.0.1", 0)
    stack.enter_context(first)
    with pytest.raises(PilotageError, match="Address already in use"):
        handoff.bind("127.0.0.1", first.getsockname()[1])


def test_a_host_that_is_none_is_told() -> None:
    with pytest.raises(PilotageError, match="is not an address"):
        handoff.bind("host.invalid", 0)
