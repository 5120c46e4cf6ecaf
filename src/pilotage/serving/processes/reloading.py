"""Reloads: asked for, composed by a child, and published or refused."""

import os
import selectors
import time
from collections.abc import Callable, Iterable
from socket import socket
from typing import Final

from pilotage.contracts.snapshot import Snapshot
from pilotage.errors import PilotageError
from pilotage.serving.processes.composer import Composer
from pilotage.serving.processes.memory import available_bytes, check_fits
from pilotage.serving.processes.parts import Parts
from pilotage.serving.processes.publishing import Publishing

COMPOSE_S: Final = 1800.0
"""How long a composition may take, over all its models; one conversion has a limit of its own."""


class Reloading:
    """At most one reload under way. `publish` takes the fresh snapshot, and may raise OSError.

    Attributes:
        asked: another reload is wanted.
    """

    def __init__(
        self,
        parts: Parts,
        published: Publishing,
        selector: selectors.BaseSelector,
        publish: Callable[[Snapshot], None],
    ) -> None:
        self.asked = False
        self._parts = parts
        self._published = published
        self._selector = selector
        self._publish = publish
        self._composer: Composer | None = None

    def step(self, close: Callable[[], Iterable[socket | int]]) -> None:
        """Starts a reload that is due; gives up one that hangs."""
        composer = self._composer
        if composer is not None:
            if time.monotonic() > composer.until_s:
                self._give_up(composer)
            return
        if self._parts.changed is not None and self._parts.changed():
            self.asked = True
        if self.asked:
            self._start(close())

    def died(self, pid: int) -> bool:
        """Whether it was the composer that died; what it sent is still read."""
        if self._composer is None or self._composer.pid != pid:
            return False
        self._composer.pid = 0
        return True

    def kill(self) -> None:
        if self._composer is not None:
            self._composer.kill()
            self._composer = None

    def _start(self, close: Iterable[socket | int]) -> None:
        self.asked = False
        revision = self._published.next_revision
        self._parts.log("reloading", revision=revision)
        try:
            composer = Composer(self._parts.compose, revision, close=close)
        except OSError as error:
            self._refuse(error)
            return
        composer.until_s = time.monotonic() + COMPOSE_S
        self._composer = composer
        self._selector.register(composer.reads, selectors.EVENT_READ, self._on_composed)

    def _on_composed(self, _: int) -> None:
        composer = self._composer
        if composer is None or not composer.read():
            return
        self._selector.unregister(composer.reads)
        self._composer = None
        try:
            fresh = composer.snapshot()
            have = {version.id for version in self._published.current.versions}
            added = [version for version in fresh.versions if version.id not in have]
            needed = sum(version.memory_bytes for version in added) * self._parts.workers
            check_fits(needed, available_bytes(), what="the new snapshot")
            self._publish(fresh)
        except (PilotageError, OSError) as error:
            self._refuse(error)

    def _give_up(self, composer: Composer) -> None:
        self._parts.log("hung", process="composer", silent_s=COMPOSE_S)
        composer.kill()
        self._selector.unregister(composer.reads)
        os.close(composer.reads)
        self._composer = None
        self._refuse(PilotageError("the models took too long to open"))

    def _refuse(self, error: Exception) -> None:
        serving = self._published.current.revision
        self._parts.log("reload_refused", why=str(error), serving=serving)
