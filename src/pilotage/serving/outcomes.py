"""`POST /v1/outcomes`: what turned out to be true goes into the record beside the predictions.

Nothing is looked up here: whether an outcome is late, early, a duplicate or of an unknown
prediction is for those who read the records.
"""

from typing import TYPE_CHECKING

from pilotage.serving.accounts import Accounts
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.responses import json_response
from pilotage.serving.plan import CallPlan
from pilotage.serving.protocols import outcomes
from pilotage.serving.refusals import Refusal
from pilotage.serving.replies import Replies
from pilotage.serving.requests import Operation

if TYPE_CHECKING:
    from pilotage.serving.answering import Face


class Reporting:
    """Takes outcomes."""

    def __init__(self, books: Bookkeeping, accounts: Accounts, replies: Replies) -> None:
        self._books = books
        self._accounts = accounts
        self._replies = replies

    def table(self) -> "dict[Operation, Face]":
        return {Operation.OUTCOMES: self._report}

    def _report(self, exchange: Exchange, plan: CallPlan) -> None:
        try:
            count = self._keep(exchange, plan)
        except Refusal as refusal:
            exchange.refuse(refusal)
        else:
            exchange.reply(json_response(202, outcomes.accepted(count)))

    def _keep(self, exchange: Exchange, plan: CallPlan) -> int:
        """How many outcomes were recorded: all of the body.

        Raises:
            Refusal: 400, 403, 413 for what is wrong in it; 503 when they cannot be recorded.
        """
        limits = plan.plan.snapshot.limits
        found = outcomes.read(
            exchange.body,
            source=plan.principal,
            now_ns=exchange.received_ns + self._replies.epoch_ns,
            json_depth=limits.json_depth,
            key_bytes=limits.client_id_bytes,
        )
        found = outcomes.narrowed(
            found, served=plan.plan.endpoints.__contains__, allowed=plan.allowed
        )
        if not self._books.records:
            raise Refusal(
                503,
                "unavailable",
                "nothing is recorded here, so outcomes cannot be kept",
                fix="Start the server without --no-record; if it was, its log says what failed.",
            )
        recorded = self._books.put_outcomes(found)
        self._accounts.reported(len(found), recorded=recorded)
        if not recorded:
            raise Refusal(
                503,
                "unavailable",
                "the outcomes could not be recorded, none of them",
                fix="Send them again later.",
                retry_after_s=5.0,
            )
        return len(found)
