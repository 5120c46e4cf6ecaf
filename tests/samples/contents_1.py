"""What the samples of format 1 say, as values: every field away from its default."""

import hashlib
import struct

from pilotage.contracts import records, segments
from pilotage.contracts.keys import Key, Quota, digest_of
from pilotage.contracts.limits import Limits
from pilotage.contracts.predictions import PredictionId, pack
from pilotage.contracts.records import Block, Column, Entry, Outcome
from pilotage.contracts.segments import Head, Position, Seal
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Endpoint, RecordPolicy, Route, Snapshot, Step, Version

SIGNATURE = Signature(
    inputs=(
        Tensor("age", "FP32", ("n", 2), low=0.0, high=120.0),
        Tensor("colour", "BYTES", ("n", 1), categories=("red", "blue"), optional=True),
    ),
    outputs=(Tensor("label", "INT64", ("n",)),),
)
SNAPSHOT = Snapshot(
    format=1,
    revision=7,
    made_at=1_790_000_000.25,
    requires=("routes", "keys", "limits", "record", "steps"),
    expires_at=1_890_000_000.5,
    keys=(
        Key(
            digest=digest_of(b"a secret of the samples"),
            principal="ada",
            endpoints=("iris",),
            rights=("call", "outcome"),
            quota=Quota(requests_per_s=12.5, burst=40),
            expires_at=1_800_000_000.0,
        ),
    ),
    limits=Limits(body_bytes=1_000_000, idle_s=12.5),
    endpoints=(
        Endpoint(
            name="iris",
            kind="chat",
            deadline_ms=50.5,
            sticky_by="header:x-user",
            salt="pepper",
            shadow="0123456789ac",
            record=RecordPolicy("digest", "none", inline_bytes=77, when_full="refuse"),
            routes=(
                Route("0123456789ab", 750_000),
                Route("0123456789ac", 250_000, "candidate", "rollout-3", "canary"),
            ),
        ),
        Endpoint(name="plain", routes=(Route("0123456789ab"),), record=None),
    ),
    versions=(
        Version(
            id="0123456789ab",
            model="iris",
            digest="0123456789ab" + 52 * "0",
            signature=SIGNATURE,
            steps=(Step("onnxruntime", 64 * "a", "/models/iris.onnx", "cpu", 2, {"threads": 1}),),
            max_batch_rows=64,
            memory_bytes=123_456,
            platform="onnx_onnxv1",
        ),
        Version(
            id="0123456789ac",
            model="iris",
            digest="0123456789ac" + 52 * "0",
            signature=SIGNATURE,
            steps=(Step("onnxruntime", 64 * "b", "/models/iris-2.onnx"),),
        ),
    ),
)

FIRST_ID = pack(PredictionId(1_790_000_000_123, 0xABCDEF, 0x1234, 5, 1))
SECOND_ID = pack(PredictionId(1_790_000_000_200, 0xABCDEF, 0x1234, 5, 2))
ENTRIES = [
    Entry(
        id=FIRST_ID,
        received_ns=1_790_000_000_123_456_789,
        rows=2,
        queue_us=11,
        client_id="order 5",
        trace="4bf92f3577b34da6a3ce929d0e0e4736",
        principal="ada",
        unit=b"12345678",
        status="invalid_output",
        pair_id=bytes(range(16)),
        comparison=(False, 0.125),
    ),
    Entry(id=SECOND_ID, received_ns=1_790_000_000_200_000_000, rows=1, queue_us=0),
]
BLOCK = Block(
    endpoint="iris",
    version="0123456789ab",
    revision=7,
    arm="candidate",
    propensity_ppm=250_000,
    rollout="rollout-3",
    stage="canary",
    batch_rows=5,
    engine_us=42,
    encode_us=3,
    phase="closed",
    inputs=(
        Column("age", "FP32", (2,), struct.pack("<6f", 1, 2, 3, 4, 5, 6)),
        Column("colour", "BYTES", (1,), b"\3\0\0\0red\4\0\0\0blue\0\0\0\0"),
    ),
    outputs=(Column("label", "INT64", (), digests=(bytes(32), b"\xff" * 32)),),
    entries=ENTRIES,
    usage={"tokens": 17},
)
OUTCOME = Outcome(
    kind="label",
    value="blue",
    observed_ns=1_790_000_100_000_000_000,
    source="till",
    prediction_id=FIRST_ID,
    key="order 5",
    attributes={"shop": "3"},
)
HEAD = Head(
    node=0xABCDEF, boot=0x1234, opened_ns=1_790_000_000_000_000_000, mark=b"\x01mark\xfe\x00\x03"
)
RING = 0xABCDEF1234050000


def segment(*, sealed: bool) -> bytes:
    """A position, a block, an outcome, and the seal where it is sealed."""
    data = segments.head(HEAD) + segments.position(Position(RING, 4096), HEAD.mark)
    data += segments.frame(segments.BLOCK, records.encode(BLOCK))
    data += segments.frame(segments.OUTCOME, records.encode(OUTCOME))
    if not sealed:
        return data
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
