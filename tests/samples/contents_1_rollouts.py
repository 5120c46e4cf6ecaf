"""What format 1 says since there are rollouts, as values: every new field away from its default."""

import hashlib

from msgspec import structs

from pilotage.contracts import records, segments
from pilotage.contracts.records import Block, Outcome, Probe
from pilotage.contracts.segments import Position, Seal
from pilotage.contracts.snapshot import Route, Snapshot, Trial
from samples.contents_1 import BLOCK, ENTRIES, FIRST_ID, HEAD, OUTCOME, RING, SNAPSHOT

TRIAL = Trial(
    candidate="0123456789ac",
    rollout="rollout-3",
    stage="canary 25 %",
    shadow_budget_ppm=50_000,
    probe_budget_ppm=5_000,
    probe_every=10,
    queue_requests=7,
    queue_bytes=1_000_000,
    streams="cut",
)
ROUTES = (
    Route("0123456789ab", 750_000, "baseline", "rollout-3", "canary 25 %"),
    Route("0123456789ac", 250_000, "candidate", "rollout-3", "canary 25 %"),
)
TRIED: Snapshot = structs.replace(
    SNAPSHOT,
    revision=8,
    requires=(*SNAPSHOT.requires, "trial"),
    endpoints=(
        structs.replace(SNAPSHOT.endpoints[0], routes=ROUTES, salt="pepper 3", trial=TRIAL),
        SNAPSHOT.endpoints[1],
    ),
)
PAIRED: Block = structs.replace(
    BLOCK, entries=[structs.replace(ENTRIES[0], pair_status="engine_error"), ENTRIES[1]]
)
PROBE = Probe(
    endpoint="iris",
    rollout="rollout-3",
    stage="canary 25 %",
    baseline="0123456789ab",
    candidate="0123456789ac",
    rows=5,
    baseline_ns=1_234_567,
    candidate_ns=2_345_678,
    candidate_first=True,
    at_ns=1_790_000_000_300_000_000,
    pair_id=FIRST_ID,
)
NARROWED: Outcome = structs.replace(OUTCOME, endpoint="iris")


def segment() -> bytes:
    """A position, a block, a probe, an outcome and the seal."""
    data = segments.head(HEAD) + segments.position(Position(RING, 4096), HEAD.mark)
    data += segments.frame(segments.BLOCK, records.encode(PAIRED))
    data += segments.frame(segments.PROBE, records.encode(PROBE))
    data += segments.frame(segments.OUTCOME, records.encode(NARROWED))
    return data + segments.seal(seal_of(data))


def seal_of(data: bytes) -> Seal:
    return Seal(
        sealed_ns=1_790_000_600_000_000_000,
        blocks=1,
        outcomes=1,
        total_bytes=len(data),
        digest=hashlib.sha256(data).digest(),
        rings=(RING,),
    )
