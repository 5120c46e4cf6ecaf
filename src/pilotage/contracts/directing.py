"""Directing: what a decider asks of the one publisher of snapshots, and what it is told.

In `pilotage serve` the supervisor publishes and the decider asks it, over a socket of theirs that
keeps messages whole. A `Direction` says how one endpoint's traffic goes; everything else of the
snapshot stays. It names a state and not a change, so that sending it twice does nothing twice.
"""

from typing import Final

import msgspec
from msgspec import Struct

from pilotage.contracts.snapshot import Endpoint, Route, Trial


class Direction(Struct, frozen=True, tag=True):
    """To the publisher: from the next revision on, the endpoint's traffic goes so.

    Attributes:
        number: the asker's own count; the answer names it.
        shadow: a `Version.id` that answers copies; "" for none.
        trial: None where no candidate is on trial any more.
    """

    number: int
    endpoint: str
    routes: tuple[Route, ...]
    sticky_by: str = ""
    salt: str = ""
    shadow: str = ""
    trial: Trial | None = None


class Seal(Struct, frozen=True, tag=True):
    """To the publisher: have the recorder seal the segment that is open now."""


class Directed(Struct, frozen=True, tag=True):
    """To the decider: every worker that runs serves this direction."""

    number: int
    revision: int


class NotDirected(Struct, frozen=True, tag=True):
    """To the decider: the direction is not served, and the last one goes on."""

    number: int
    why: str


class WorkerDied(Struct, frozen=True, tag=True):
    """To the decider: a worker ended with this exit code; a negative one is a signal's number."""

    worker: int
    code: int


Ask = Direction | Seal
Told = Directed | NotDirected | WorkerDied

MESSAGE_BYTES: Final = 64 * 1024
"""The longest message, in bytes."""

encode = msgspec.msgpack.Encoder().encode
decode_ask = msgspec.msgpack.Decoder(Ask).decode
decode_told = msgspec.msgpack.Decoder(Told).decode


def directed(endpoint: Endpoint, by: Direction) -> Endpoint:
    """The endpoint as the direction has it; its own name, kind, deadline and record stay."""
    return msgspec.structs.replace(
        endpoint,
        routes=by.routes,
        sticky_by=by.sticky_by,
        salt=by.salt or endpoint.salt,
        shadow=by.shadow,
        trial=by.trial,
    )
