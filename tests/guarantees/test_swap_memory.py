"""Memory over swaps: what cannot fit is refused with numbers, and the old is let go of."""

import signal
from pathlib import Path
from typing import Final

import numpy as np

import models
from servers import Server, infer_body, outputs_of, serving, until
from simulators.raw import Raw, post

PATH: Final = "/v2/models/tripled/infer"
BODY: Final = infer_body({"x": np.ones((1, 4), np.float32)})
BALLAST_BYTES: Final = 24 * 2**20
"""Weights of each version: one that were kept would be seen."""
SWAPS: Final = 10


def _y(server: Server) -> float:
    return outputs_of(server.call("POST", PATH, BODY))["y"][0][0]


def test_a_swap_that_cannot_fit_is_refused_with_numbers(tmp_path: Path) -> None:
    files = {"tripled": models.tripled(3.0)}
    with serving(tmp_path, files, "--workers", "2", engines="heavy_versions") as server:
        server.put_model("tripled", models.tripled(4.0))
        server.process.send_signal(signal.SIGHUP)
        why = str(server.event("reload_refused")["why"])
        assert "needs 2,147,483,648 MiB" in why  # of two workers
        assert "MiB are available" in why
        assert _y(server) == 3.0
        assert server.metric("pilotage_snapshot_revision") == 1
        server.put_model("tripled", models.tripled(3.0))
        server.reload()  # nothing new: nothing to load, and nothing to refuse
        assert _y(server) == 3.0


def test_ten_swaps_of_a_large_model_leave_one_in_memory(tmp_path: Path) -> None:
    files = {"tripled": models.tripled(3.0, ballast_bytes=BALLAST_BYTES)}
    with serving(tmp_path, files) as server:
        sizes: list[int] = []
        for number in range(1, SWAPS + 1):
            fresh = models.tripled(3.0 + number, ballast_bytes=BALLAST_BYTES)
            server.put_model("tripled", fresh)
            server.reload()
            assert _y(server) == 3.0 + number
            server.event("retired", after=number - 1)
            sizes.append(server.memory_bytes())
        assert max(sizes) - sizes[0] < 2 * BALLAST_BYTES


def test_after_a_swap_connections_are_still_spread_evenly(tmp_path: Path) -> None:
    files = {"tripled": models.tripled(3.0)}
    with serving(tmp_path, files, "--workers", "2") as server:
        server.event("serving", process="worker 1")
        held = [Raw(server.port) for _ in range(5)]
        workers = [_worker_of(raw) for raw in held]
        fuller = max(set(workers), key=workers.count)
        server.put_model("tripled", models.tripled(4.0))
        server.reload()
        with Raw(server.port) as next_one:
            assert _worker_of(next_one) != fuller
        for raw in held:
            raw.close()
        until(lambda: server.metric("pilotage_connections") == 1)


def _worker_of(raw: Raw) -> int:
    """The worker behind a connection, which its prediction ids tell."""
    raw.send(post(PATH, BODY))
    return raw.reply().prediction_id[11]
