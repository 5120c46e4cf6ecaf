"""The decider: a process that reads records, looks once a block, and directs the traffic.

The order in which it acts on each event, so that it can be killed at any moment:

1. The step is computed; nothing has happened yet.
2. State, block and ledger entries are committed in one transaction. From here on it has happened.
3. The direction that follows from the state is sent to the publisher; sent again, it changes
   nothing.
4. The ledger is paid what it is owed; it takes each entry once.

A decider that starts reads how far it was, observes the blocks since its evidence was last saved
once more, and sends the direction again. Serving needs none of this: while no decider runs, the
last snapshot is served.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import structs

from pilotage.contracts import directing
from pilotage.contracts.directing import Directed, Direction, NotDirected, WorkerDied
from pilotage.control.ledger.file import Ledger
from pilotage.control.ledger.lines import Line
from pilotage.control.rollouts import steering_listener, steering_socket
from pilotage.control.rollouts.blocks import cut_behind, in_order
from pilotage.control.rollouts.claiming import claim
from pilotage.control.rollouts.course import Step
from pilotage.control.rollouts.directing import direction_of
from pilotage.control.rollouts.entries import ROLLOUT
from pilotage.control.rollouts.resuming import caught_up, course_of, started
from pilotage.control.rollouts.sealing import Sealing
from pilotage.control.rollouts.steering import Order, Reply
from pilotage.control.rollouts.store import Saved, Store
from pilotage.control.rollouts.table import Crashed, Steered
from pilotage.control.rollouts.view import RolloutView
from pilotage.errors import PilotageError
from pilotage.records.frames import Found, trouble_in

SAVE_S: Final = 60.0
"""How often evidence is saved: what a decider that is started again observes once more."""
REST_S: Final = 1.0
"""Between two rounds once the rollout is over: for seals that are due, and debts to the ledger."""
NEWS: Final = "rollout"
"""The event of what people want to know."""
LEDGER: Final = "ledger.jsonl"
OWN_FAULTS: Final = frozenset(
    -number
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
)
"""Exit codes of a worker that died of what it ran, and not of somebody's signal."""

Log = Callable[..., None]
Show = Callable[[RolloutView], None]


@dataclass(frozen=True)
class DeciderSettings:
    """What a decider is told.

    Attributes:
        home: the folder of the rollouts, the ledger and the socket.
        rollout: the id of the rollout it decides on, which was begun.
        channel: to the publisher of snapshots.
        shows: told each new view: the terminal, the page.
        log: takes events with fields.
        reach: told the name of each step it is about to take, for tests that kill it there.
    """

    home: Path
    rollout: str
    channel: socket.socket
    shows: tuple[Show, ...]
    log: Log
    reach: Callable[[str], None] = lambda _: None


class Decider:
    """Decides on one rollout until its channel ends.

    Raises:
        PilotageError: another process decides on it.
    """

    def __init__(self, settings: DeciderSettings) -> None:
        self._settings = settings
        self._claim = claim(settings.home, settings.rollout)
        self._store = Store(settings.home)
        self._ledger = Ledger(settings.home / LEDGER, settings.log)
        cuts = self._store.cuts(settings.rollout)
        kept = self._store.get(settings.rollout)
        kept, self._course = course_of(kept, cuts, settings.log)
        self._reader = caught_up(self._course, kept, cuts, settings.log)
        self._store.owe([started(self._course, kept)])
        self._sealing = Sealing(Path(kept.records), kept.begin, kept.since_ns)
        self._learn(line for line in self._ledger.read() if line.entry.rollout == kept.id)
        self._frames: list[Found] = []
        self._directed: Direction | None = None
        self._sent = 0
        self._owing = 0
        self._saved_s = time.monotonic()
        self._over = asyncio.Event()

    # --- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Decides until the channel to the publisher ends.

        Raises:
            OSError, sqlite3.Error, PilotageError: records cannot be read, or nothing can be kept.
                Nothing is lost: what was committed is, and the rest is observed again.
        """
        try:
            await self._run()
        finally:
            os.close(self._claim)

    async def _run(self) -> None:
        settings = self._settings
        loop = asyncio.get_running_loop()
        settings.channel.setblocking(False)
        loop.add_reader(settings.channel.fileno(), self._on_channel)
        listener = await self._listen()
        self._direct()
        self._pay()
        self._mind_records()
        self._show()
        try:
            await self._look_again_and_again()
        finally:
            loop.remove_reader(settings.channel.fileno())
            if listener is not None:
                listener.close()
        self._store.save(self._course.id, self._course.looks, self._saved())
        self._store.close()

    async def _listen(self) -> steering_listener.Listener | None:
        """Steering is a comfort: where its socket cannot be made, deciding goes on."""
        endpoint = self._course.identity.endpoint
        path = steering_socket.socket_path(self._settings.home, endpoint)
        try:
            return await steering_listener.serve(path, self._steer)
        except (PilotageError, OSError) as error:
            self._settings.log("not_steerable", why=str(error))
            return None

    async def _look_again_and_again(self) -> None:
        block_s = self._course.identity.spec.block_s
        last_s = time.monotonic()
        while not self._over.is_set():
            wait_s = block_s if self._course.under_way else min(block_s, REST_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), last_s + wait_s - time.monotonic())
                return
            if self._course.under_way:
                await asyncio.to_thread(self._read)
            now_s = time.monotonic()
            self._look(now_s - last_s)
            last_s = now_s

    # --- looking ---------------------------------------------------------------------------

    def _read(self) -> None:
        """Takes the frames that came since the last block, and observes them."""
        self._frames = in_order(self._reader)
        self._course.observe(self._frames)

    def _look(self, seconds: float) -> None:
        course = self._course
        if course.under_way:
            cut = cut_behind(self._frames, seconds)
            self._frames = []
            taken = course.look(cut, now_s=time.time())
            saving = bool(taken.entries) or time.monotonic() - self._saved_s >= SAVE_S
            self._settings.reach("before_commit")
            self._store.looked(
                course.id,
                course.looks - 1,
                cut,
                taken.state,
                entries=taken.entries,
                saved=self._saved() if saving else None,
            )
            if saving:
                self._saved_s = time.monotonic()
            self._take(taken)
            self._mind_records()
        self._direct()
        self._seal()
        self._pay()
        self._show()

    def _mind_records(self) -> None:
        """Says so where nothing new can be judged: the candidate would seem to go on well."""
        trouble = trouble_in(self._reader.folder)
        if news := self._course.troubled(trouble, now_s=time.time()):
            self._settings.log(NEWS, rollout=self._course.id, news=news)

    def _saved(self) -> Saved:
        return self._course.saved(self._reader.resumes_ns)

    def _take(self, taken: Step) -> None:
        """What was committed is done."""
        self._settings.reach("after_commit")
        self._course.take(taken, now_s=time.time())
        for news in taken.news:
            self._settings.log(NEWS, rollout=self._course.id, news=news)
        self._direct()
        self._settings.reach("after_direction")

    # --- the publisher ---------------------------------------------------------------------

    def _direct(self) -> None:
        """Sends the direction that follows from the state, unless it was the last that was sent."""
        course = self._course
        wanted = direction_of(course.state, course.identity, course.id, number=self._sent)
        if wanted == self._directed:
            return
        self._sent += 1
        self._directed = structs.replace(wanted, number=self._sent)
        self._ask(self._directed)

    def _ask(self, ask: directing.Ask) -> None:
        try:
            self._settings.channel.send(directing.encode(ask))
        except OSError as error:  # gone: its end is read next, and ends us
            self._settings.log("not_asked", why=str(error))

    def _on_channel(self) -> None:
        channel = self._settings.channel
        while True:
            try:
                data = channel.recv(directing.MESSAGE_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            if not data:
                asyncio.get_running_loop().remove_reader(channel.fileno())
                self._over.set()
                return
            self._on_told(directing.decode_told(data))

    def _on_told(self, told: directing.Told) -> None:
        match told:
            case Directed(number=number, revision=revision):
                self._settings.log("directed", number=number, revision=revision)
            case NotDirected(number=number, why=why) if number == self._sent:
                self._directed = None  # it is not in force: the next look sends again what is due
                self._crash(f"its direction cannot be served: {why}")
            case WorkerDied(code=code) if code in OWN_FAULTS:
                name = signal.Signals(-code).name
                if self._course.under_way:
                    why = "while it was on trial, and which version did it cannot be told"
                else:
                    why = "while it was live"
                self._crash(f"a worker crashed ({name}) {why}")
            case _:
                pass

    def _crash(self, what: str) -> None:
        self._step(lambda now_s: self._course.crash(Crashed(what), now_s=now_s))

    # --- people ----------------------------------------------------------------------------

    def _steer(self, order: Order) -> Reply:
        if order.verb != "status":
            event = Steered(order.verb, order.by or f"uid {os.getuid()}")
            self._step(lambda now_s: self._course.steer(event, now_s=now_s))
        return Reply(view=self._course.view(now_s=time.time()))

    def _step(self, take: Callable[[float], Step]) -> None:
        """An event between two looks, taken whole."""
        taken = take(time.time())
        if taken.state == self._course.state:
            return
        self._store.stepped(self._course.id, taken.state, entries=taken.entries)
        self._take(taken)
        self._pay()
        self._show()

    # --- what is owed and shown ------------------------------------------------------------

    def _pay(self) -> None:
        """The ledger is paid; what cannot be paid now is owed on."""
        owed = self._store.owed()
        if not owed:
            return
        self._settings.reach("before_ledger")
        try:
            lines = self._ledger.append(owed)
        except (OSError, PilotageError) as error:
            if len(owed) != self._owing:  # tried again each look, told when it grows
                self._settings.log("ledger_owed", entries=len(owed), why=str(error))
            self._owing = len(owed)
            return
        self._owing = 0
        self._settings.reach("after_ledger")
        self._store.paid([line.entry.key for line in lines])
        self._learn(line for line in lines if line.entry.rollout == self._course.id)

    def _learn(self, lines: Iterable[Line]) -> None:
        """What stands in the ledger of this rollout."""
        for line in lines:
            self._sealing.remember(line)
            if line.entry.kind == "verdict" and line.entry.what["of"] == ROLLOUT:
                self._course.verdict = line.id

    def _seal(self) -> None:
        """Has what verdicts stand on sealed, and tells the ledger the digests."""
        if self._sealing.asks():
            self._ask(directing.Seal())
        due = self._sealing.due(now_s=time.time())
        if due:
            self._store.owe(due)

    def _show(self) -> None:
        view = self._course.view(now_s=time.time())
        for show in self._settings.shows:
            show(view)
