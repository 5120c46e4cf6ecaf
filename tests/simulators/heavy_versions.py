"""Snapshots whose versions say, from the second revision on, that they need a pebibyte."""

import msgspec

from pilotage.contracts.snapshot import Snapshot
from pilotage.serving.engines.loading import Loader

LOADERS: dict[str, Loader] = {}
NEEDED_BYTES = 1 << 50


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with that claim."""
    if snapshot.revision < 2:
        return snapshot
    replace = msgspec.structs.replace
    heavy = tuple(replace(each, memory_bytes=NEEDED_BYTES) for each in snapshot.versions)
    return replace(snapshot, versions=heavy)
