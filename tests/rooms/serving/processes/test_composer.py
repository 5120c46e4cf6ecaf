"""A composition in a child: what it sends, and what is said of one that dies."""

import pytest

from pilotage.contracts.snapshot import FORMAT, Endpoint, Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.processes.composer import Composer

MANY = 40_000


def composed(revision: int) -> Snapshot:
    """More than a pipe holds."""
    endpoints = tuple(Endpoint(f"endpoint {number}", ()) for number in range(MANY))
    return Snapshot(FORMAT, revision, 0.0, endpoints, ())


def test_the_snapshot_comes_whole() -> None:
    composer = Composer(composed, 7, close=())
    while not composer.read():
        continue
    found = composer.snapshot()
    assert (found.revision, len(found.endpoints)) == (7, MANY)


def test_a_child_that_is_killed_half_way_is_an_error_and_no_crash() -> None:
    composer = Composer(composed, 7, close=())
    assert not composer.read()
    composer.kill()
    while not composer.read():
        continue
    with pytest.raises(PilotageError, match="died"):
        composer.snapshot()
