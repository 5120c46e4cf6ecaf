import os
import socket
from pathlib import Path

import pytest

from pilotage.cli.ports import is_free, next_free_port, who_listens


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_the_process_that_listens_is_named(taken):
    listener = who_listens(taken)
    assert listener is not None
    assert listener.pid == os.getpid()
    assert listener.name == Path("/proc/self/comm").read_text().strip()


def test_a_port_that_nobody_listens_on_has_no_listener():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert who_listens(free.getsockname()[1]) is None


def test_without_proc_nobody_is_seen(taken, tmp_path):
    assert who_listens(taken, proc=tmp_path) is None


def test_the_next_free_port_is_above_and_can_be_bound(taken):
    assert not is_free("127.0.0.1", taken)
    following = next_free_port("127.0.0.1", taken)
    assert following is None or following > taken
    if following:
        assert is_free("127.0.0.1", following)


def test_above_the_last_port_there_is_none():
    assert next_free_port("127.0.0.1", 65535) is None
