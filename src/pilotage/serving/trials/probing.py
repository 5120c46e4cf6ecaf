"""Timing probes: one batch of the baseline run through both versions back to back.

A probe must not tell two equal versions apart. So the order is a coin's, and both are run in turns
without being timed before they are: first runs pay for memory, and traffic keeps the baseline's
weights in the caches and drives the candidate's out. Timed at once, the same network of 4 MB of
weights came out more than 5 % slower as the candidate in 82 % of probes; after `WARM_ROUNDS` in
32 % (benchmarks/probe_bias.py). Models that take long are warmed for less, since what memory costs
is small beside what they compute.

A probe starts while nothing of the endpoint runs or waits; what comes meanwhile runs beside it and
disturbs both timings alike, the order being chance. A batch becomes due once in `probe_every`,
waits for a quiet moment, and gives way to the next one that becomes due.
"""

import random
import time
from functools import partial
from typing import Final

from msgspec import Struct

from pilotage.contracts.records import Probe
from pilotage.contracts.snapshot import Trial
from pilotage.serving.accounts import Accounts
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch
from pilotage.serving.engines.engine import Array
from pilotage.serving.plan import RoutePlan
from pilotage.serving.replica import Replica
from pilotage.serving.trials.beside import Work
from pilotage.serving.trials.budget import Budget

WARM_ROUNDS: Final = 3
WARM_NS: Final = 100_000_000
"""No further round of warming begins once they have taken so long; there is always one."""


class Due(Struct, frozen=True):
    """A batch that waits to be timed, and whose trial it belongs to; `pair_id` is its first
    prediction."""

    baseline: RoutePlan
    candidate: RoutePlan
    trial: Trial
    inputs: list[Array | None]
    rows: int
    pair_id: bytes


class Timed(Struct, frozen=True):
    """What the thread measured; no timings where an engine failed."""

    due: Due
    candidate_first: bool
    at_ns: int
    took_ns: int
    baseline_ns: int = 0
    candidate_ns: int = 0
    failed: bool = False


def time_both(due: Due, *, candidate_first: bool) -> Timed:
    """Runs a batch through both, warm. For the thread beside the loop."""
    at_ns = time.time_ns()
    began_ns = time.monotonic_ns()
    baseline, candidate = due.baseline.replica, due.candidate.replica
    order = (candidate, baseline) if candidate_first else (baseline, candidate)
    try:
        for turn in range(WARM_ROUNDS):
            if turn and time.monotonic_ns() - began_ns > WARM_NS:
                break
            for replica in order:
                replica.run(due.inputs, due.rows)
        first_ns, second_ns = (_time(replica, due) for replica in order)
    except Exception:  # whatever an engine raises: there is nothing to compare
        took_ns = time.monotonic_ns() - began_ns
        return Timed(due, candidate_first, at_ns, took_ns, failed=True)
    took_ns = time.monotonic_ns() - began_ns
    if candidate_first:
        first_ns, second_ns = second_ns, first_ns
    return Timed(due, candidate_first, at_ns, took_ns, first_ns, second_ns)


def _time(replica: Replica, due: Due) -> int:
    began_ns = time.monotonic_ns()
    replica.run(due.inputs, due.rows)
    return time.monotonic_ns() - began_ns


class Probes:
    """One endpoint's probes, on the loop.

    Attributes:
        due: what waits for a quiet moment.
    """

    def __init__(
        self,
        trial: Trial,
        baseline: RoutePlan,
        candidate: RoutePlan,
        books: Bookkeeping,
        accounts: Accounts,
        chance: random.Random,
    ) -> None:
        self.budget = Budget(trial.probe_budget_ppm, now_ns=time.monotonic_ns())
        self.due: Due | None = None
        self._trial = trial
        self._baseline = baseline
        self._candidate = candidate
        self._books = books
        self._accounts = accounts
        self._chance = chance
        self._until_due = chance.randint(1, max(1, trial.probe_every))

    def renew(self, trial: Trial, baseline: RoutePlan, candidate: RoutePlan) -> None:
        """The same candidate under another snapshot."""
        if baseline.scheduler is not self._baseline.scheduler:
            self.drop()
        self.budget.share_ppm = trial.probe_budget_ppm
        self._until_due = min(self._until_due, max(1, trial.probe_every))
        self._trial, self._baseline, self._candidate = trial, baseline, candidate

    def saw(self, batch: Batch, pair_id: bytes) -> None:
        """A batch that the baseline answered."""
        self._until_due -= 1
        if self._until_due > 0 or not self._trial.probe_every:
            return
        self._until_due = self._trial.probe_every
        most = self._baseline.replica.max_rows
        if batch.inputs is None or (most and batch.rows > most):
            self._count("dropped")  # a request that was run in pieces is no batch
            return
        self.drop()
        trial, baseline, candidate = self._trial, self._baseline, self._candidate
        self.due = Due(baseline, candidate, trial, batch.inputs, batch.rows, pair_id)

    def drop(self) -> None:
        """What is due will not be timed."""
        if self.due is not None:
            self.due = None
            self._count("dropped")

    def work(self, due: Due) -> Work:
        """The probe that is due."""
        self.due = None
        do = partial(time_both, due, candidate_first=self._chance.random() < 0.5)
        return Work(do, self._done, (due.baseline.scheduler, due.candidate.scheduler))

    def _done(self, timed: Timed) -> None:
        self.budget.spend(timed.took_ns, time.monotonic_ns())
        if timed.failed:
            self._count("failed")
            return
        due = timed.due
        recorded = self._books.put_probe(
            Probe(
                endpoint=due.baseline.endpoint,
                rollout=due.trial.rollout,
                stage=due.trial.stage,
                baseline=due.baseline.version,
                candidate=due.candidate.version,
                rows=due.rows,
                baseline_ns=timed.baseline_ns,
                candidate_ns=timed.candidate_ns,
                candidate_first=timed.candidate_first,
                at_ns=timed.at_ns,
                pair_id=due.pair_id,
            )
        )
        self._count("timed" if recorded else "dropped")

    def _count(self, ended: str) -> None:
        self._accounts.tried("pilotage_probes_total", self._candidate, ended)
