"""From settings to a rollout under way: begun or resumed, its decider put together.

The rollout is begun here, once, before anything is forked: a decider that is started again by its
supervisor goes on with the same rollout, also under `--anew`.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilotage.cli.live_screen import LiveScreen, is_drawable
from pilotage.cli.logs import form_of
from pilotage.console import server
from pilotage.contracts.directing import Direction
from pilotage.contracts.snapshot import Snapshot, Version
from pilotage.control.rollouts.claiming import check_unclaimed
from pilotage.control.rollouts.decider import NEWS, Decider, DeciderSettings
from pilotage.control.rollouts.directing import direction_of
from pilotage.control.rollouts.identity import Identity, Party
from pilotage.control.rollouts.store import Kept, Store
from pilotage.control.rollouts.table import UNDER_WAY, words_of
from pilotage.control.rollouts.viewing import duration
from pilotage.errors import PilotageError
from pilotage.records.frames import Reader, latest_opened_ns
from pilotage.serving.processes.directions import directed_snapshot
from pilotage.serving.processes.parts import Log
from pilotage.spec.settings import ServeSettings

NICENESS: Final = 5
"""The decider gives way to the workers: a look that is late costs nothing."""
KILL_AT: Final = "_PILOTAGE_KILL_AT"
"""NAME:FILE kills the decider when it first reaches the step NAME; FILE marks that it was.
It is no setting, so its name does not begin as theirs do: those are all known, or refused."""


@dataclass(frozen=True)
class Rollout:
    """A rollout that this server decides on.

    Attributes:
        kept: as it was begun, or as it is resumed.
        resumed: whether it was begun before.
        direction: the one in force from the first request on.
        snapshot: the first one, by that direction.
    """

    kept: Kept
    resumed: bool
    direction: Direction
    snapshot: Snapshot

    def standing(self) -> str:
        """Where a rollout that was begun before stands, and what can be done about it."""
        state, identity = self.kept.state, self.kept.identity
        baseline, candidate = identity.baseline.name, identity.candidate.name
        because = f" ({state.because})" if state.because else ""
        if state.phase in UNDER_WAY:
            stage = identity.spec.stages[state.stage].name
            where = f"goes on: {words_of(state.phase)}, {stage}, after {duration(state.elapsed_s)}"
            ways = "`pilotage rollout resume` ends the pause, " if state.phase == "paused" else ""
        elif state.phase == "live":
            where = f"is over: {candidate} is live and answers everything"
            ways = "`pilotage rollout rollback` takes it out, "
        else:
            was = "taken out" if state.phase == "aborted" else "rolled back"
            where, ways = f"is over: {candidate} was {was}, {baseline} answers everything", ""
        return f"this rollout was begun before and {where}{because}; {ways}--anew begins it again"

    def decider(
        self, settings: ServeSettings, host: str, log: Log
    ) -> Callable[[socket.socket], int]:
        """What the decider's process does with its channel; returns its exit code.

        The rollout's page is served on `host`.
        """

        def run(channel: socket.socket) -> int:
            os.nice(NICENESS)
            try:
                asyncio.run(self._decide(settings, host, channel, log))
            except Exception as error:  # the supervisor starts another, which goes on from the disk
                log("decider_failed", why=f"{type(error).__name__}: {error}")
                return 1
            return 0

        return run

    async def _decide(
        self, settings: ServeSettings, host: str, channel: socket.socket, log: Log
    ) -> None:
        """Decides, and shows it on the terminal and the page, until the channel ends."""
        page = await _page(host, settings.control_port, log)
        screen = _screen(settings, page=page.url if page else "")
        seen_on = [each for each in (screen, page) if each is not None]
        told = DeciderSettings(
            home=Path(settings.data_folder),
            rollout=self.kept.id,
            channel=channel,
            shows=tuple(each.show for each in seen_on),
            log=_without_news(log) if screen else log,
            reach=_kill_at(os.environ.get(KILL_AT, "")),
        )
        try:
            await Decider(told).run()
        finally:
            for each in seen_on:
                each.close()


async def _page(host: str, port: int, log: Log) -> server.Page | None:
    """The page is a comfort: where its port cannot be had, deciding goes on."""
    try:
        page = await server.serve(host, port)
    except PilotageError as error:
        log("no_page", why=error.what, where=error.where)
        return None
    log("page", url=page.url)
    return page


def _without_news(log: Log) -> Log:
    """The log, but for what the screen tells people already."""

    def tell(event: str, **fields: object) -> None:
        if event != NEWS:
            log(event, **fields)

    return tell


def _screen(settings: ServeSettings, *, page: str) -> LiveScreen | None:
    """Where people see the rollout: drawn on a terminal, in lines elsewhere, unless logs are JSON
    or it is not wanted."""
    terminal = is_drawable(sys.stderr, os.environ)
    if settings.live is False or form_of(settings.log_format, on_terminal=terminal) == "json":
        return None
    return LiveScreen(sys.stderr, terminal=terminal, page=page)


def begin(settings: ServeSettings, first: Snapshot, candidate: Version, *, now_s: float) -> Rollout:
    """The rollout of these settings: resumed where the same was begun before, unless `anew`.

    Raises:
        PilotageError: nothing can be kept in the data folder, or another server decides on it.
    """
    if settings.rollout is None or settings.candidate is None or settings.record is None:
        raise AssertionError("a rollout has a candidate and a record")
    (endpoint,) = first.endpoints
    by_id = {version.id: version for version in first.versions}
    baseline = by_id[endpoint.routes[0].version]
    identity = Identity(
        endpoint=endpoint.name,
        baseline=_party(baseline, settings.models[0].path),
        candidate=_party(candidate, settings.candidate.path),
        spec=settings.rollout,
    )
    records = Path(settings.record.folder).resolve()
    with closing(Store(Path(settings.data_folder))) as store:
        kept = None if settings.anew else store.latest(identity.key)
        resumed = kept is not None
        if kept is not None:
            check_unclaimed(Path(settings.data_folder), kept.id)
            kept = store.get(kept.id)  # as it is now, if its decider was still about to end
        else:
            since_ns = latest_opened_ns(records)
            reader = Reader(records, since_ns=since_ns)
            if records.is_dir():
                reader.skip()
            kept = store.begin(
                identity,
                records=str(records),
                begin=reader.given,
                since_ns=since_ns,
                now_s=now_s,
            )
    direction = direction_of(kept.state, kept.identity, kept.id)
    return Rollout(kept, resumed, direction, directed_snapshot(first, direction))


def _party(version: Version, path: str) -> Party:
    return Party(version.id, version.digest, Path(path).name)


def _kill_at(wish: str) -> Callable[[str], None]:
    """Kills this process at the named step, once: for tests of what outlives it."""
    name, _, marker = wish.partition(":")

    def reach(step: str) -> None:
        if step == name and marker and not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return reach
