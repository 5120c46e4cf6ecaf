"""The prediction id: 128 bits that name a prediction and locate its record.

time (48 bits, ms since the epoch) | node (24) | boot (16) | worker (8) | sequence (32), big-endian,
so that ids sort by time. As text: 32 lower-case hex digits. Time, node, boot and worker make a
prefix of 24 digits that a whole batch shares, so an id costs a fraction of a microsecond.
"""

from msgspec import Struct

TEXT_LENGTH = 32


class PredictionId(Struct, frozen=True):
    """The parts of an id."""

    time_ms: int
    node: int
    boot: int
    worker: int
    sequence: int


def pack(parts: PredictionId) -> bytes:
    """The 16 bytes of an id."""
    return (
        parts.time_ms.to_bytes(6, "big")
        + parts.node.to_bytes(3, "big")
        + parts.boot.to_bytes(2, "big")
        + parts.worker.to_bytes(1, "big")
        + parts.sequence.to_bytes(4, "big")
    )


def unpack(data: bytes) -> PredictionId:
    """The parts of 16 bytes.

    Raises:
        ValueError: not 16 bytes.
    """
    if len(data) != 16:
        raise ValueError("a prediction id has 16 bytes")
    return PredictionId(
        time_ms=int.from_bytes(data[:6], "big"),
        node=int.from_bytes(data[6:9], "big"),
        boot=int.from_bytes(data[9:11], "big"),
        worker=data[11],
        sequence=int.from_bytes(data[12:], "big"),
    )
