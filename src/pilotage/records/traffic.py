"""How much traffic an endpoint had lately, counted in its records.

The last day that has records counts, whenever that was; of a busy service, the newest predictions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilotage.contracts import records
from pilotage.contracts.records import Entry
from pilotage.contracts.segments import BLOCK
from pilotage.errors import PilotageError
from pilotage.records.frames import Address, Found, frames_of, segments_in, waiting_in

DAY_NS: Final = 86_400 * 10**9
COUNTED: Final = 200_000
"""Predictions that are enough; older segments are not opened for more."""
FEWEST: Final = 100
"""Predictions below which no rate is told."""
GIVE_IT: Final = "Give --rate, such as 100/s, and --error-rate, such as 0.3%."
"""What to do where there is nothing to measure."""
FAILED: Final = frozenset({"engine_error", "invalid_output"})
"""What counts against an arm, as in `contracts.records.Status`."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Traffic that was counted.

    Attributes:
        requests: predictions, copies for a shadow not among them.
        failed: those that the engine failed, or that gave what is no answer.
        units: different values of the sticky key; 0 where requests had none.
        seconds: from the first that was counted to the last, or a day if there were older ones.
    """

    requests: int
    failed: int
    units: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def error_rate(self) -> float:
        """The share of requests that failed."""
        return self.failed / self.requests


def measured(folder: Path, endpoint: str, *, counted: int = COUNTED) -> Measured:
    """What came to the endpoint on the last day that has records.

    Raises:
        PilotageError: there is no such folder, or it holds too little to tell a rate.
    """
    if not folder.is_dir():
        raise PilotageError(
            "there are no records here to measure the traffic in", where=str(folder), fix=GIVE_IT
        )
    kept: list[tuple[int, bool, bytes]] = []
    newest_ns, older = 0, False
    for group in _newest_first(folder):
        fresh = list(_entries(group, endpoint))
        if not fresh:
            continue
        newest_ns = newest_ns or max(entry.received_ns for entry in fresh)
        since_ns = newest_ns - DAY_NS
        inside = [entry for entry in fresh if entry.received_ns > since_ns]
        kept += [(each.received_ns, each.status in FAILED, each.unit) for each in inside]
        older = len(inside) < len(fresh)
        if older or len(kept) >= counted:
            break
    seconds = _seconds(kept, older=older)
    if len(kept) < FEWEST or seconds <= 0:
        raise PilotageError(
            f"{len(kept)} records of {endpoint} are too few to measure its traffic",
            where=str(folder),
            expected=f"at least {FEWEST}",
            fix=GIVE_IT,
        )
    return Measured(
        requests=len(kept),
        failed=sum(failed for _, failed, _ in kept),
        units=len({unit for _, _, unit in kept if unit}),
        seconds=seconds,
    )


def _seconds(kept: list[tuple[int, bool, bytes]], *, older: bool) -> float:
    if not kept:
        return 0.0
    moments = [received_ns for received_ns, _, _ in kept]
    return (DAY_NS if older else max(moments) - min(moments)) / 1e9


def _newest_first(folder: Path) -> Iterator[list[Found]]:
    """Frames in groups, the newest group first: what waits in rings, then segment by segment."""
    waiting = waiting_in(folder)
    yield waiting
    given: set[Address] = {found.address for found in waiting}
    for segment in reversed(segments_in(folder)):
        fresh = [found for found in frames_of(segment, []) if found.address not in given]
        given |= {found.address for found in fresh}
        yield fresh


def _entries(frames: list[Found], endpoint: str) -> Iterator[Entry]:
    """The predictions that a caller asked for; a stream counts when it ends."""
    for found in frames:
        if found.kind != BLOCK:
            continue
        block = records.decode_block(found.payload)
        if block.endpoint == endpoint and block.phase != "opened":
            yield from (entry for entry in block.entries if not entry.pair_id)
