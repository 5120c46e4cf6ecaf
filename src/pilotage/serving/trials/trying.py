"""The trials of one worker: what is copied and timed, when it may be, and until when.

A look is taken a moment after answers have left, and again as long as anything waits. Work starts
when the thread is free, nothing of the endpoint waits or runs, the loop comes round at once, and
the budget is not used up. An engine that one thread at a time may call is not called from here
while any route leads to it.

Without a trial all of this costs one look at an attribute a batch (0.02 us).
"""

import asyncio
import random
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from pilotage.contracts.records import Status
from pilotage.contracts.snapshot import Trial
from pilotage.serving.accounts import Accounts
from pilotage.serving.bookkeeping import Bookkeeping
from pilotage.serving.calls import Batch, Call
from pilotage.serving.engines.engine import Array
from pilotage.serving.faults import Faults
from pilotage.serving.plan import EndpointPlan, Plan, RoutePlan
from pilotage.serving.replica import Replica
from pilotage.serving.replies import Replies
from pilotage.serving.scheduling import Scheduler
from pilotage.serving.trials.beside import Beside, Work
from pilotage.serving.trials.probing import Probes
from pilotage.serving.trials.shadowing import Shadow

LOOK_S: Final = 0.002
"""From answers that have left to the next look, and between looks: requests that were on their way
meanwhile are seen, and go first."""
PAUSE_S: Final = 0.001
TURN_NS: Final = 300_000
"""A loop with time to spare comes round at once; one that takes longer had requests to deal with.
An engine that runs on the loop is never seen to run, so only this tells of its load."""


class Trying:
    """One endpoint's trial; the tap of its baseline.

    Attributes:
        candidate: the version that is tried.
    """

    def __init__(self, trials: "Trials", trial: Trial, shadow: Shadow, probes: Probes) -> None:
        self.candidate = trial.candidate
        self._trials = trials
        self._shadow = shadow
        self._probes = probes
        self._baseline: Replica | None = None
        self._copies = False
        self._schedulers: tuple[Scheduler, ...] = ()
        self._may_copy = False
        self._may_time = False

    def renew(
        self,
        target: EndpointPlan,
        candidate: RoutePlan,
        trial: Trial,
        routed: set[Scheduler],
    ) -> None:
        """From now on as this snapshot has it; `routed` are the replicas that routes lead to."""
        baseline = target.baseline
        self._shadow.renew(trial, candidate)
        self._probes.renew(trial, baseline, candidate)
        self._baseline = baseline.replica
        self._copies = bool(target.endpoint.shadow)
        self._schedulers = (*(route.scheduler for route in target.routes), candidate.scheduler)
        self._may_copy = candidate.replica.concurrent or candidate.scheduler not in routed
        self._may_time = self._may_copy and baseline.replica.concurrent
        if not (self._copies and self._may_copy):
            self._shadow.drop_all()

    def end(self) -> None:
        """The trial is over."""
        self._baseline = None
        self._shadow.drop_all()
        self._probes.drop()

    @property
    def quiet(self) -> bool:
        """Nothing of the endpoint waits or runs."""
        return not any(each.busy for each in self._schedulers)

    def answered(
        self,
        batch: Batch,
        calls: Sequence[Call],
        ids: Sequence[bytes],
        statuses: Sequence[Status] | None,
        inputs: list[Array | None],
        outputs: list[Array] | None,
    ) -> None:
        """See `plan.Tap`."""
        if batch.replica is not self._baseline:
            return  # a trial that is over, or a baseline that was replaced meanwhile
        if self._copies and self._may_copy:
            self._shadow.take(calls, ids, statuses, inputs, outputs)
        elif self._copies:
            self._shadow.drop(len(calls))
        if batch.failure is None:
            self._probes.saw(batch, ids[0])
            if not self._may_time:
                self._probes.drop()
        if self._shadow.waiting or self._probes.due:
            self._trials.look_soon(LOOK_S)

    def next_work(self, now_ns: int) -> Work | None:
        """What may start now."""
        if not self.quiet:
            return None
        shadow, probes = self._shadow, self._probes
        if probes.due and not probes.budget.wait_ns(now_ns):
            return probes.work(probes.due)
        if shadow.waiting and not shadow.budget.wait_ns(now_ns):
            return shadow.work(self._pause)
        return None

    def wait_s(self, now_ns: int) -> float | None:
        """When to look again; None while nothing waits."""
        waits_ns: list[int] = []
        if self._probes.due:
            waits_ns.append(self._probes.budget.wait_ns(now_ns))
        if self._shadow.waiting:
            waits_ns.append(self._shadow.budget.wait_ns(now_ns))
        return max(LOOK_S, min(waits_ns) / 1e9) if waits_ns else None

    def _pause(self) -> None:
        """Waits until nothing of the endpoint runs, or the trial is over. For the thread."""
        while self._baseline is not None and not self.quiet:
            time.sleep(PAUSE_S)


class Trials:
    """All trials of a worker. Lives on the loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        books: Bookkeeping,
        accounts: Accounts,
        replies: Replies,
        faults: Faults,
        chance: random.Random,
    ) -> None:
        self._loop = loop
        self._books = books
        self._accounts = accounts
        self._replies = replies
        self._faults = faults
        self._chance = chance
        self._beside = self._new_thread()
        self._left: list[Beside] = []
        self._trying: dict[str, Trying] = {}
        self._look_due = False
        self._closed = False

    def serve(self, plan: Plan) -> None:
        """Tries what this plan tries from now on, and goes on with what the last one tried too."""
        before, self._trying = self._trying, {}
        routed = {route.scheduler for each in plan.endpoints.values() for route in each.routes}
        for name, target in plan.endpoints.items():
            trial, candidate = target.endpoint.trial, target.candidate
            if trial is None or candidate is None or not _can_be_tried(target.baseline, candidate):
                continue
            trying = before.get(name)
            if trying is None or trying.candidate != trial.candidate:
                trying = self._begin(target, candidate, trial)
            else:
                del before[name]
            trying.renew(target, candidate, trial, routed)
            self._trying[name] = trying
            for route, plan_of_route in zip(target.endpoint.routes, target.routes, strict=True):
                if route.arm == "baseline":
                    plan_of_route.tap = trying
        for ended in before.values():
            ended.end()
        self._leave(plan)

    def _leave(self, plan: Plan) -> None:
        """A thread that works for a trial that is over, and may hang, holds no other trial up."""
        self._left = [each for each in self._left if each.running is not None]
        tried = {each.candidate.scheduler for each in plan.endpoints.values() if each.candidate}
        running = self._beside.running
        if running is not None and tried.isdisjoint(running.schedulers):
            self._beside.close()
            self._left.append(self._beside)
            self._beside = self._new_thread()

    def _new_thread(self) -> Beside:
        return Beside(self._loop, partial(self.look_soon, LOOK_S))

    def uses(self, scheduler: Scheduler) -> bool:
        """Whether a thread runs this replica just now."""
        works = [each.running for each in (self._beside, *self._left)]
        return any(work is not None and scheduler in work.schedulers for work in works)

    def close(self) -> None:
        """Starts nothing any more."""
        self._closed = True
        for trying in self._trying.values():
            trying.end()
        self._beside.close()

    def look_soon(self, wait_s: float) -> None:
        """Looks in so many seconds, unless a look is to come anyway."""
        if not self._look_due and not self._closed:
            self._look_due = True
            self._loop.call_later(wait_s, self._look)

    def _look(self) -> None:
        self._loop.call_soon(self._start, time.monotonic_ns())

    def _start(self, looked_ns: int) -> None:
        """Starts what may start; whoever had the last turn comes last."""
        self._look_due = False
        if self._closed or self._beside.running is not None:
            return  # the end of what runs brings the next look
        now_ns = time.monotonic_ns()
        if now_ns - looked_ns <= TURN_NS:
            for name, trying in list(self._trying.items()):
                work = trying.next_work(now_ns)
                if work is not None and self._beside.start(work):
                    self._trying[name] = self._trying.pop(name)
                    return
        waits_s = [each.wait_s(now_ns) for each in self._trying.values()]
        waiting_s = [wait_s for wait_s in waits_s if wait_s is not None]
        if waiting_s:
            self.look_soon(min(waiting_s))

    def _begin(self, target: EndpointPlan, candidate: RoutePlan, trial: Trial) -> Trying:
        shadow = Shadow(trial, candidate, self._books, self._accounts, self._replies, self._faults)
        probes = Probes(
            trial, target.baseline, candidate, self._books, self._accounts, self._chance
        )
        return Trying(self, trial, shadow, probes)


def _can_be_tried(baseline: RoutePlan, candidate: RoutePlan) -> bool:
    """Both answer at once, and there is a record to write to."""
    whole = baseline.replica.whole is not None and candidate.replica.whole is not None
    return whole and candidate.origin is not None
