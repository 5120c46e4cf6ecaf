"""`kill -9` of a worker, of the recorder, or of every process of a server under load.

Clients keep the id of each answer that is not marked as unrecorded. In the end each of them is in
the record once, no segment is damaged, and the server answers again after every kill.
"""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pilotage.contracts import segments
from pilotage.records.frames import Damage
from pilotage.records.store import Query, Store
from pilotage.serving.recording.ring import places_of

SEED = 20_252
CLIENTS = 3
PATIENCE_S = 30.0
MOST_IN_A_ROW = 5
"""Single kills before everything is killed: a child that dies often is started again ever later."""
BODY = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[2,3],"data":[1,2,3,4,5,6]}]}'


def _model(path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: no model can be made")
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.eye(3, dtype=np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [weights],
    )
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Server:
    """`pilotage serve` in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = folder / "records"
        self.port = _free_port()
        _model(folder / "eye.onnx")

    def start(self) -> None:
        words = ["serve", str(self.folder / "eye.onnx"), "--workers", "2"]
        words += ["--port", str(self.port), "--record", str(self.records)]
        words += ["--data", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pilotage", *words],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def children(self) -> list[int]:
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def kill_everything(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + PATIENCE_S
        while not _is_free(self.port):  # the others of the group may still be dying
            assert time.monotonic() < end, "the port is still taken"
            time.sleep(0.002)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


class Load:
    """Clients that ask again and again, and keep what was answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = False
        self.recorded: list[list[str]] = [[] for _ in range(CLIENTS)]
        self.unrecorded = 0
        self._threads = [threading.Thread(target=self._ask, args=(kept,)) for kept in self.recorded]
        for thread in self._threads:
            thread.start()

    def answers(self) -> int:
        return sum(map(len, self.recorded)) + self.unrecorded

    def end(self) -> None:
        self._over = True
        for thread in self._threads:
            thread.join()

    def _ask(self, kept: list[str]) -> None:
        while not self._over:
            try:
                self._ask_on_one_connection(kept)
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)

    def _ask_on_one_connection(self, kept: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            while not self._over:
                connection.request("POST", "/v2/models/eye/infer", BODY)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    continue
                if answer.headers.get("Pilotage-Recorded") == "no":
                    self.unrecorded += 1
                else:
                    kept.append(answer.headers["Pilotage-Prediction-Id"])
        finally:
            connection.close()


def _wait_for_answers(load: Load, more: int) -> None:
    """Until so many more answers came: the service is there (again)."""
    wanted, end = load.answers() + more, time.monotonic() + PATIENCE_S
    while load.answers() < wanted:
        assert time.monotonic() < end, "no answers any more"
        time.sleep(0.002)


def _play(server: Server, rounds: int) -> Load:
    chance = random.Random(SEED)
    server.start()
    load = Load(server.port)
    try:
        _wait_for_answers(load, 1)
        in_a_row = 0
        for _ in range(rounds):
            time.sleep(chance.random() * 0.05)
            if in_a_row == MOST_IN_A_ROW or chance.random() < 0.3:
                in_a_row = 0
                server.kill_everything()
                server.start()
            elif children := server.children():
                in_a_row += 1
                with suppress(ProcessLookupError):  # it died just now by itself
                    os.kill(chance.choice(children), signal.SIGKILL)
            _wait_for_answers(load, 5)
        # Start once more: what the last kill left in a ring or an open segment is taken over.
        server.kill_everything()
        server.start()
        _wait_for_answers(load, 5)
    finally:
        load.end()
        code = server.stop()
    assert code == 0
    return load


@pytest.mark.serial
@pytest.mark.skipif(sys.platform != "linux", reason="children are found through Linux's /proc")
@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
def test_kills_at_random_moments_under_load_lose_no_recorded_answer(tmp_path, rounds):
    server = Server(tmp_path)
    load = _play(server, rounds)
    damage: list[Damage] = []
    store = Store(server.records)
    kept = Counter(record.id.hex() for record in store.records(Query(), damage))
    answered = [each for ids in load.recorded for each in ids]
    assert len(set(answered)) == len(answered) > 5 * rounds
    assert not [each for each in answered if kept[each] != 1]
    assert max(kept.values()) == 1
    assert damage == []
    for path in server.records.glob("*-*"):
        assert segments.read_seal(path.read_bytes()[-4096:]) is not None, path.name
    assert not places_of(server.records)[0].exists()
