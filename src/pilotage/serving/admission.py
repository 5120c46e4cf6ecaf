"""Whether a request is taken in: decided before its body is read, from the load alone.

A request whose answer cannot be ready in time is refused at once, while the client can still go
elsewhere; it then costs a few microseconds instead of an engine call that nobody waits for. The
estimate uses the baseline's cost for every arm: a refusal that depended on the arm would bias what
the guards compare.
"""

from typing import Final

from pilotage.serving.cost import Cost
from pilotage.serving.refusals import Refusal

ADMIT_SHARE: Final = 0.75
"""Share of a deadline that the expected wait and run may take. The rest is for what the estimate
does not see (decoding beside a running batch, the socket): measured goodput at twice the capacity
0.80-0.91 of capacity with the whole deadline, 0.94-0.97 with three quarters (DESIGN.md)."""

SPARE_SHARE: Final = 0.15
"""Share of a batch's expected time kept in hand when it is about to be run."""


def expected_ns(waiting_rows: int, max_rows: int, running_ns: float, cost: Cost) -> float:
    """Until the last of the waiting rows would be answered.

    `running_ns` is what the batch in the engine will still take.
    """
    return running_ns + cost.of_queue(waiting_rows, max_rows)


def too_late(budget_ns: float, expected: float) -> bool:
    """True when a request with so much time left should not be taken in."""
    return expected > ADMIT_SHARE * budget_ns


def hopeless(left_ns: float, batch_ns: float) -> bool:
    """True when a request that waited must not be run any more: its batch would end too late."""
    return left_ns < (1 - SPARE_SHARE) * batch_ns


def overdue(expected: float, budget_ns: float) -> Refusal:
    """The refusal of a request that cannot make its deadline."""
    return Refusal(
        503,
        "deadline",
        "the answer could not be ready within the deadline",
        where="header pilotage-deadline-ms",
        expected=f"a deadline above {expected / ADMIT_SHARE / 1e6:.0f} ms at the present load",
        came=f"{budget_ns / 1e6:g} ms",
        retry_after_s=max(1.0, expected / 1e9),
    )


def queue_full(what: str, limit: int, unit: str) -> Refusal:
    """The refusal of a request for which there is no room."""
    return Refusal(
        503,
        "overload",
        f"the server holds as many {what} as it may",
        expected=f"at most {limit} {unit}",
        retry_after_s=1.0,
    )
