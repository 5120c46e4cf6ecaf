"""What a worker writes down: a batch's predictions, under their ids, before the answers leave."""

from collections.abc import Iterable, Sequence

from pilotage.contracts.predictions import Ids
from pilotage.contracts.records import Entry, Outcome, Phase, Probe
from pilotage.contracts.snapshot import Endpoint
from pilotage.serving.calls import Batch
from pilotage.serving.engines.engine import Array
from pilotage.serving.plan import RoutePlan
from pilotage.serving.recording.blocks import Timing
from pilotage.serving.recording.to_ring import Recording


class Bookkeeping:
    """The ids and the record of one worker. Without a recording, nothing is recorded."""

    def __init__(self, ids: Ids, recording: Recording | None) -> None:
        self.ids = ids
        self._recording = recording

    def put(
        self,
        route: RoutePlan,
        batch: Batch,
        entries: list[Entry],
        inputs: Sequence[Array | None],
        outputs: Sequence[Array],
        *,
        encode_us: int = 0,
        phase: Phase = "whole",
        usage: dict[str, int] | None = None,
    ) -> bool:
        """Records predictions; False when they could not be, or nothing is recorded here.

        `inputs` and `outputs` hold the rows of all entries, in order; no outputs where no answer
        came to be.
        """
        if self._recording is None or route.origin is None:
            return False
        timing = Timing(batch.rows, (batch.ended_ns - batch.started_ns) // 1000, encode_us)
        return self._recording.put(
            route.origin, inputs, outputs, entries, timing, phase=phase, usage=usage
        )

    def put_probe(self, probe: Probe) -> bool:
        """Records a timing probe; False when it could not be."""
        return self._recording is not None and self._recording.put_probe(probe)

    def put_outcomes(self, outcomes: Sequence[Outcome]) -> bool:
        """Records all of the outcomes; False, and none, when they could not be, or nothing is
        recorded here."""
        return self._recording is not None and self._recording.put_outcomes(outcomes)

    @property
    def records(self) -> bool:
        """Whether anything is recorded here at all."""
        return self._recording is not None

    @property
    def full(self) -> bool:
        """The recorder cannot write at present (disk full, budget used up)."""
        return self._recording is not None and self._recording.full

    def blocked(self, endpoints: Iterable[Endpoint]) -> str:
        """Why nothing should be sent here, where an endpoint answers only what it can record."""
        return "" if self._recording is None else self._recording.blocked(endpoints)

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()
