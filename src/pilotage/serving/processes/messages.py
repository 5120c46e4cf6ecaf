"""What the supervisor and its workers tell each other, over a socket that keeps messages whole.

A connection is handed over as `Handoff` with its descriptor attached (SCM_RIGHTS).
"""

import msgspec
from msgspec import Struct


class Publish(Struct, frozen=True, tag=True):
    """To a worker: a new snapshot lies at `path`.

    `renews_tls` with a reload: certificates are read again. A direction must not fail by them.
    """

    revision: int
    path: str
    renews_tls: bool = False


class Handoff(Struct, frozen=True, tag=True):
    """To a worker: the attached connection is yours."""


class Drain(Struct, frozen=True, tag=True):
    """To a worker: take nothing new, answer what you have, and end within `grace_s`."""

    grace_s: float


class Serving(Struct, frozen=True, tag=True):
    """From a worker: this revision is loaded, warmed and being served."""

    revision: int


class Declined(Struct, frozen=True, tag=True):
    """From a worker: this revision cannot be served here; the last one goes on.

    From a worker that starts: it ends. 0 where it was not the snapshot that stood in the way.
    """

    revision: int
    why: str


ToWorker = Publish | Handoff | Drain
FromWorker = Serving | Declined

MESSAGE_BYTES = 64 * 1024
"""The longest message, in bytes."""

_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
decode_to_worker = msgspec.msgpack.Decoder(ToWorker).decode
decode_from_worker = msgspec.msgpack.Decoder(FromWorker).decode
