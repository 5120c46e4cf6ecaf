import asyncio
import os
import socket
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from pilotage.control.rollouts import steering_listener
from pilotage.control.rollouts.steering import (
    LINE_BYTES,
    ORDER_BYTES,
    Order,
    Reply,
    line_of,
    read_reply,
)
from pilotage.control.rollouts.steering_listener import CLIENTS, serve
from pilotage.control.rollouts.steering_socket import (
    NAME_BYTES,
    PATH_BYTES,
    NoDecider,
    ask,
    socket_path,
    sockets_in,
)
from pilotage.errors import PilotageError
from simulators.steered import listening

STATUS = Order(verb="status", by="ada")


def by_name(order):
    return Reply(error=f"heard {order.verb} of {order.by}")


def decider(path, handle=by_name, faults=None):
    return listening(path, handle, faults)


def connected(path):
    ours = socket.socket(socket.AF_UNIX)
    ours.settimeout(10)
    ours.connect(str(path))
    return ours


def replied(ours):
    """The next reply; None when the other end closed."""
    line = b""
    while not line.endswith(b"\n"):
        try:
            chunk = ours.recv(1)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            return None
        line += chunk
    return read_reply(line)


@pytest.fixture
def path(tmp_path):
    return socket_path(tmp_path, "iris")


def test_an_order_gets_its_reply(path):
    with decider(path):
        assert ask(path, Order(verb="pause", by="ada")).error == "heard pause of ada"


def test_one_client_may_give_several_orders_cut_anywhere(path):
    with decider(path), connected(path) as ours:
        line = line_of(STATUS)
        for piece in (line[:1], line[1:7], line[7:] + line):
            ours.sendall(piece)
        assert replied(ours) == replied(ours) == Reply(error="heard status of ada")


def test_a_client_that_hangs_hinders_no_other(path):
    with decider(path), connected(path) as silent, connected(path) as half:
        half.sendall(line_of(STATUS)[:5])
        assert ask(path, STATUS).error == "heard status of ada"
        del silent


def test_a_client_that_is_silent_for_too_long_is_let_go(path, monkeypatch):
    monkeypatch.setattr(steering_listener, "IDLE_S", 0.05)
    with decider(path), connected(path) as silent:
        assert replied(silent) is None


def test_a_client_that_does_not_read_is_let_go(path, monkeypatch):
    monkeypatch.setattr(steering_listener, "IDLE_S", 0.05)
    second = threading.Event()

    def handle(order):
        if order.verb == "pause":
            second.set()
        return Reply(error="x" * 2_000_000)

    with decider(path, handle), connected(path) as deaf:
        deaf.sendall(line_of(STATUS) + line_of(Order(verb="pause")))
        assert len(ask(path, STATUS).error) == 2_000_000
        assert not second.wait(0.5)
        received = 0
        while chunk := deaf.recv(1 << 16):
            received += len(chunk)
        assert received < 2_000_000


@pytest.mark.parametrize(("more", "heard"), [(0, True), (1, False)])
def test_an_order_has_at_most_order_bytes(path, more, heard):
    order = Order(verb="status", by="a" * (ORDER_BYTES - len(line_of(Order("status"))) + more))
    assert len(line_of(order)) == ORDER_BYTES + more
    with decider(path):
        error = ask(path, order).error
    assert error.startswith("heard status") is heard
    assert (error == f"an order is at most {ORDER_BYTES} bytes") is not heard


def test_an_order_without_an_end_is_refused_too(path):
    with decider(path), connected(path) as ours:
        ours.sendall(b"x" * (ORDER_BYTES + 1))
        assert "at most" in replied(ours).error
        assert replied(ours) is None


@pytest.mark.parametrize(("more", "sent"), [(0, True), (1, False)])
def test_a_reply_has_at_most_line_bytes(path, more, sent):
    long = Reply(error="x" * (LINE_BYTES - len(line_of(Reply())) + more))
    assert len(line_of(long)) == LINE_BYTES + more
    with decider(path, lambda _: long):
        assert (ask(path, STATUS) == long) is sent


def test_as_many_clients_as_stated_are_heard_and_the_next_is_told(path):
    with decider(path):
        heard = [connected(path) for _ in range(CLIENTS)]
        for each in heard:
            each.sendall(line_of(STATUS))
            assert replied(each).error == "heard status of ada"
        assert ask(path, STATUS).error == f"{CLIENTS} commands are being heard"
        for each in heard:
            each.close()


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"verb":"explode"}\n', b"\xff\n", b"[]\n"])
def test_what_is_no_order_is_told_so_and_the_client_is_heard_on(path, line):
    with decider(path), connected(path) as ours:
        ours.sendall(line)
        assert replied(ours).error.startswith("not an order")
        ours.sendall(line_of(STATUS))
        assert replied(ours).error == "heard status of ada"


def test_what_the_rollout_does_not_allow_is_the_reply(path):
    def handle(_):
        raise PilotageError("it is live", expected="rollback", fix="Start it again with --anew.")

    with decider(path, handle):
        reply = ask(path, Order(verb="pause"))
    possible = "Possible now: rollback. Start it again with --anew."
    assert reply == Reply(error="it is live", fix=possible)


def test_a_fault_of_the_decider_is_told_there_and_hinders_no_other(path):
    def handle(order):
        if order.verb == "pause":
            raise ZeroDivisionError
        return Reply(error="well")

    faults = []
    with decider(path, handle, faults):
        with pytest.raises(PilotageError, match="left without a reply"):
            ask(path, Order(verb="pause"))
        assert ask(path, STATUS).error == "well"
    assert [type(fault) for fault in faults] == [ZeroDivisionError]


def test_nobody_there_is_told(path):
    with pytest.raises(NoDecider):
        ask(path, STATUS)
    with decider(path):
        pass
    assert not path.exists()
    with pytest.raises(NoDecider):
        ask(path, STATUS)


def test_a_decider_that_does_not_reply_in_time_is_told(path):
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        with pytest.raises(PilotageError, match=r"no reply within 0\.05 s"):
            ask(path, STATUS, timeout_s=0.05)


@pytest.mark.parametrize("said", [b"hello\n", b'{"view":3}\n'])
def test_what_is_no_reply_is_told(path, said):
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as strange:
        strange.bind(str(path))
        strange.listen()
        answering = threading.Thread(target=lambda: strange.accept()[0].sendall(said))
        answering.start()
        with pytest.raises(PilotageError, match="not a reply"):
            ask(path, STATUS)
        answering.join()


def test_a_socket_that_a_dead_process_left_is_replaced(path):
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.exists()
    with decider(path):
        assert ask(path, STATUS).error == "heard status of ada"


def test_a_second_decider_is_refused_and_the_first_goes_on(path):
    with decider(path):
        with pytest.raises(PilotageError, match="decided already"):
            asyncio.run(serve(path, lambda _: Reply()))
        assert ask(path, STATUS).error == "heard status of ada"


def test_a_file_in_the_way_is_not_removed(path):
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(PilotageError, match="no socket"):
        asyncio.run(serve(path, lambda _: Reply()))
    assert path.read_text() == "mine"


def test_a_decider_that_was_replaced_leaves_its_successor_alone(path):
    with ExitStack() as first:
        first.enter_context(decider(path))
        path.unlink()
        with decider(path):
            first.close()
            assert ask(path, STATUS).error == "heard status of ada"


def test_only_the_user_may_reach_the_socket(path):
    path.parent.mkdir(parents=True, mode=0o755)
    with decider(path):
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_a_link_is_refused(tmp_path, path):
    (tmp_path / "elsewhere").mkdir()
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PilotageError, match="not yours"):
        asyncio.run(serve(path, lambda _: Reply()))


def test_a_folder_of_another_user_is_refused(path, monkeypatch):
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PilotageError, match="not yours"):
        asyncio.run(serve(path, lambda _: Reply()))


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system names no peer")
def test_another_user_is_turned_away_by_either_end(path, monkeypatch):
    with decider(path), connected(path) as ours:
        ours.sendall(line_of(STATUS))
        assert replied(ours).error == "heard status of ada"
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with connected(path) as other:
            assert "only the user who serves" in replied(other).error
            assert replied(other) is None
        with pytest.raises(PilotageError, match="another user listens"):
            ask(path, STATUS)


def test_a_path_as_long_as_a_socket_may_have_is_taken_as_it_is(tmp_path):
    room = PATH_BYTES - len(str(socket_path(tmp_path, ""))) - 1
    fitting, longer = tmp_path / ("d" * room), tmp_path / ("d" * (room + 1))
    assert len(str(socket_path(fitting, ""))) == PATH_BYTES
    assert socket_path(fitting, "").is_relative_to(tmp_path)
    with decider(socket_path(fitting, "")):
        assert sockets_in(fitting) == [socket_path(fitting, "")]
    assert not socket_path(longer, "").is_relative_to(tmp_path)


@pytest.fixture
def short():
    with tempfile.TemporaryDirectory(prefix="p") as folder:
        yield Path(folder)


def test_a_long_path_goes_to_a_folder_of_the_users_own(tmp_path, short, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    deep, other = tmp_path / ("d" * PATH_BYTES), tmp_path / ("e" * PATH_BYTES)
    path = socket_path(deep, "iris")
    assert path.parent == short / f"pilotage-{os.geteuid()}"
    assert len({path, socket_path(deep, "wine"), socket_path(other, "iris")}) == 3
    with decider(path):
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert sockets_in(deep) == [path]
        assert sockets_in(other) == []
        assert ask(socket_path(deep, "iris"), STATUS).error == "heard status of ada"


def test_a_runtime_folder_that_is_too_deep_itself_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("d" * PATH_BYTES)))
    path = socket_path(tmp_path / ("d" * PATH_BYTES), "iris")
    assert len(os.fsencode(path)) <= PATH_BYTES


def test_a_path_that_is_too_long_all_the_same_is_refused(tmp_path):
    with pytest.raises(PilotageError, match="too long"):
        asyncio.run(serve(tmp_path / ("d" * PATH_BYTES), lambda _: Reply()))


def test_every_endpoint_has_a_socket_of_its_own_inside_the_folder(tmp_path):
    names = ["iris", "Iris", "iris.v2", "../../etc", "", ".", "a/b", "a%2Fb", "ü", "x" * 400]
    names += ["x" * (NAME_BYTES + 1), "x" * NAME_BYTES]
    paths = {socket_path(tmp_path, name) for name in names}
    assert len(paths) == len(names)
    for each in paths:
        assert each.parent == tmp_path / "rollouts" or len(str(tmp_path)) > 60
        assert len(each.name) <= NAME_BYTES + len(".sock")


def test_the_same_folder_by_another_name_is_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert socket_path(Path(), "iris") == socket_path(tmp_path, "iris")


def test_all_that_live_are_found_and_no_others(tmp_path):
    iris, wine = socket_path(tmp_path, "iris"), socket_path(tmp_path, "wine")
    assert sockets_in(tmp_path) == []
    with decider(wine), decider(iris):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(socket_path(tmp_path, "dead")))
        (iris.parent / "notes.txt").write_text("")
        assert sockets_in(tmp_path) == [iris, wine]


def test_one_decider_of_a_long_path_is_found_once_where_temporary_files_are_in_tmp(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    deep = tmp_path / ("d" * PATH_BYTES)
    path = socket_path(deep, "iris")
    with decider(path):
        assert sockets_in(deep) == [path]
