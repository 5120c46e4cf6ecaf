"""What a person's command and the decider tell each other, over a local socket. Pure.

One JSON object a line each way: the command sends an `Order`, the decider answers with a `Reply`.
The socket belongs to the user who serves, and nobody else may open it.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from pilotage.control.rollouts.view import RolloutView

Verb = Literal["status", "pause", "resume", "promote", "abort", "rollback"]

LINE_BYTES: Final = 4 * 1024 * 1024
"""The longest line either side reads, in bytes."""
ORDER_BYTES: Final = 4096
"""The longest order, in bytes."""


class Order(Struct, frozen=True):
    """What is asked for, and by whom (the name of the user, for the ledger)."""

    verb: Verb
    by: str = ""


class Reply(Struct, frozen=True):
    """How the rollout stands now, or why the order was not followed."""

    view: RolloutView | None = None
    error: str = ""
    fix: str = ""


_encoder = msgspec.json.Encoder()
_orders = msgspec.json.Decoder(Order)
_replies = msgspec.json.Decoder(Reply)


def line_of(message: Order | Reply) -> bytes:
    """The message as one line."""
    return _encoder.encode(message) + b"\n"


read_order = _orders.decode
read_reply = _replies.decode
