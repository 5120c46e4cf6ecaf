"""A request whose body is still coming while the model is exchanged is answered all the same."""

from collections.abc import Iterator

import numpy as np
import pytest

import models
from servers import Server, infer_body, outputs_of, serving, until
from simulators.raw import Raw, post

PATH = "/v2/models/tripled/infer"
BODY = infer_body({"x": np.ones((1, 4), np.float32)})


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("late")
    with serving(folder, {"tripled": models.tripled(3.0)}) as server:
        yield server


@pytest.mark.parametrize("swaps", [1, 2])
def test_a_body_that_comes_after_the_swap_is_answered_by_the_new_version(
    server: Server, swaps: int
) -> None:
    request = post(PATH, BODY)
    with Raw(server.port) as raw:
        raw.send(request[:-10])
        until(lambda: server.metric("pilotage_inflight_bytes") > 0)
        for number in range(swaps):
            server.put_model("tripled", models.tripled(5.0 + number))
            server.reload()
        until(lambda: server.count("retired") == swaps, "the old version is let go of")
        raw.send(request[-10:])
        assert outputs_of(raw.reply()) == {"y": [[4.0 + swaps] * 4]}
