"""The end, asked for by SIGTERM: what is under way is answered, nothing new is taken."""

import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest

import models
from servers import Reply, Server, infer_body, outputs_of, serving, until
from simulators.gated_engine import Gate

PATH = "/v2/models/gated/infer"
Running = tuple[Server, Gate, "Future[Reply]"]


@pytest.fixture(params=["60s", "1s"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server whose engine is busy with one request while the gate is closed."""
    folder = tmp_path_factory.mktemp("draining")
    gate = Gate(folder)
    options = ["--drain", str(request.param)]
    files = {"floats": models.identity("FP32")}
    environment = {"GATE": str(folder)}
    body = infer_body({"x": np.array([[7.0]], np.float32)})
    with (
        ThreadPoolExecutor(1) as pool,
        serving(folder, files, *options, engines="gated_engine", environment=environment) as server,
    ):
        gate.close()
        answer = pool.submit(server.call, "POST", PATH, body)
        until(lambda: gate.has_run(7.0))
        yield server, gate, answer
        gate.open()


@pytest.mark.parametrize("running", ["60s"], indirect=True)
def test_a_request_under_way_is_answered_however_long_it_takes(running: Running) -> None:
    server, gate, answer = running
    with ExitStack() as stack:
        callers = [stack.enter_context(server.caller()) for _ in range(8)]
        for caller in callers:
            assert caller.call("GET", "/v2/health/ready").json == {"ready": True}
        server.process.send_signal(signal.SIGTERM)
        server.event("stopping")
        asked = iter(callers)
        last = until(lambda: _unready(next(asked).call("GET", "/v2/health/ready")))
        assert last.json == {"ready": False}
    until(lambda: _refuses(server))
    assert not answer.done()
    gate.open()
    assert outputs_of(answer.result()) == {"y": [[14.0]]}
    assert server.process.wait(30) == 0
    assert server.record_of(answer.result().prediction_id).status == "ok"


@pytest.mark.parametrize("running", ["1s"], indirect=True)
def test_a_request_that_outlasts_the_drain_time_is_cut(running: Running) -> None:
    server, _, answer = running
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises((ConnectionError, TimeoutError)):
        answer.result(60)
    assert server.process.wait(60) == 0


def test_a_second_signal_ends_it_at_once(running: Running) -> None:
    server, _, answer = running
    server.process.send_signal(signal.SIGTERM)
    server.event("stopping")
    server.process.send_signal(signal.SIGTERM)
    server.event("stopping_now")
    with pytest.raises(ConnectionError):
        answer.result(60)
    assert server.process.wait(60) == 0


def _unready(reply: Reply) -> Reply | None:
    return reply if reply.status == 503 else None


def _refuses(server: Server) -> bool:
    try:
        server.call("GET", "/v2/health/live")
    except ConnectionError:
        return True
    return False
