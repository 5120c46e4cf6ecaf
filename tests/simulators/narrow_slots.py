"""Slots of shared memory that hold less than a worker's numbers."""

from typing import Any, cast

from pilotage.contracts.snapshot import Snapshot
from pilotage.serving import metrics
from pilotage.serving.engines.loading import Loader

LOADERS: dict[str, Loader] = {}
cast(Any, metrics).SLOT_BYTES = 128


def adjust(snapshot: Snapshot) -> Snapshot:
    """The snapshot as it is."""
    return snapshot
