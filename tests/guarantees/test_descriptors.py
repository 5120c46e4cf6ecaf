"""Connections up to their limit, whatever soft limit on descriptors the shell gave."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

import models
from servers import infer_body, serving
from simulators.raw import Raw, post

SOFT = 160
CONNECTIONS = 200
REQUEST = post("/v2/models/mlp/infer", infer_body({"x": np.ones((1, 30), np.float32)}))


@contextmanager
def soft_limit(descriptors: int) -> Iterator[None]:
    """What starts meanwhile is given this soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_connections_than_the_soft_limit_are_answered(tmp_path: Path) -> None:
    with ExitStack() as held:
        with soft_limit(SOFT):
            server = held.enter_context(serving(tmp_path, {"mlp": models.mlp()}))
        raws = [held.enter_context(Raw(server.port)) for _ in range(CONNECTIONS)]
        for raw in raws:
            raw.send(REQUEST)
        assert {raw.reply().status for raw in raws} == {200}
        assert server.count("few_descriptors") == 0
