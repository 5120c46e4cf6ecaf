"""Snapshots whose key of the principal `narrow` opens the endpoint `floats` alone."""

import msgspec

from pilotage.contracts.snapshot import Snapshot
from pilotage.serving.engines.loading import Loader

LOADERS: dict[str, Loader] = {}


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot with that key narrowed."""
    replace = msgspec.structs.replace
    keys = tuple(
        replace(key, endpoints=("floats",)) if key.principal == "narrow" else key
        for key in snapshot.keys
    )
    return replace(snapshot, keys=keys)
