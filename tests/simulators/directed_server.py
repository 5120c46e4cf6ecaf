"""A running server of two versions, whose decider is the test.

with decided(folder) as (server, decider, place):
    decider.ask(to(1, server, candidate_percent=5))
"""

import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

import models
from pilotage.contracts import records, segments
from pilotage.contracts.directing import Direction
from pilotage.contracts.snapshot import PPM, Route, Trial
from servers import Server, infer_body, serving
from simulators.relayed_decider import Decider, relayed

PATH: Final = "/v2/models/old/infer"
BODY: Final = infer_body({"x": np.ones((1, 4), np.float32)})
_versions: dict[str, tuple[str, str]] = {}


@contextmanager
def decided(folder: Path, *options: str) -> Generator[tuple[Server, Decider, Path]]:
    """A server of `old` (x 3) and `new` (x 5) with two workers, and the place of its decider."""
    files = {"old": models.tripled(3.0), "new": models.tripled(5.0)}
    with tempfile.TemporaryDirectory(prefix="d") as name:
        place = Path(name)
        options = ("--workers", "2", *options)
        with serving(
            folder, files, *options, engines="relayed_decider", environment=relayed(place)
        ) as server:
            for worker in range(2):
                server.event("serving", process=f"worker {worker}")
            yield server, Decider(place), place


def to(number: int, server: Server, candidate_percent: int) -> Direction:
    """So much of `old`'s traffic goes to the version that `new` was started with."""
    if server.url not in _versions:
        _versions[server.url] = (_version_of(server, "old"), _version_of(server, "new"))
    old, new = _versions[server.url]
    if not candidate_percent:
        return Direction(number, "old", (Route(old),))
    share = candidate_percent * PPM // 100
    stage = f"canary {candidate_percent} %"
    routes = (Route(old, PPM - share), Route(new, share, "candidate", "r1", stage))
    return Direction(number, "old", routes, trial=Trial(new, "r1", stage))


def _version_of(server: Server, model: str) -> str:
    return str(server.call("GET", f"/v2/models/{model}").json["versions"][0])


def ids_in(folder: Path) -> Counter[bytes]:
    """How often each prediction is in the sealed segments, none of which is damaged."""
    found: Counter[bytes] = Counter()
    for path in sorted(folder.glob("*.seg")):
        for frame in segments.read(path.read_bytes()):
            assert isinstance(frame, segments.Frame)
            if frame.kind == segments.BLOCK:
                found.update(entry.id for entry in records.decode_block(frame.payload).entries)
    return found
