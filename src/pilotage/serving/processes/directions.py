"""Which snapshot comes next, and who is told what: reloads, directions, and what workers say. Pure.

Everything goes forward: what workers decline is taken back by a snapshot of a later revision. A
direction holds until another one for its endpoint comes, over every reload whose snapshot still has
the versions that it names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from msgspec import structs

from pilotage.contracts.directing import Directed, Direction, NotDirected, Told, directed
from pilotage.contracts.snapshot import PPM, Endpoint, Snapshot
from pilotage.errors import PilotageError

WHY_CHARACTERS: Final = 2000
"""Why something is not directed, in characters; a longer reason is cut, so that it can be sent."""
TRIAL: Final = "trial"
"""The feature that a data plane must know to serve a trial."""

InForce = Mapping[str, Direction]
"""Directions by endpoint."""


class Publishes(Protocol):
    """What this file needs of `publishing.Publishing`."""

    @property
    def current(self) -> Snapshot: ...
    @property
    def next_revision(self) -> int: ...
    def publish(self, fresh: Snapshot) -> None: ...


@dataclass(frozen=True)
class _Course:
    """A snapshot, and the directions that are in it."""

    snapshot: Snapshot
    in_force: InForce


@dataclass
class _Waiting:
    """A direction that not every worker serves yet, and the numbers it was asked for under."""

    direction: Direction
    numbers: list[int] = field(default_factory=list[int])


class Directions:
    """The publisher's side of directing.

    `announce` tells all workers of the current snapshot; `tell` speaks to the decider; `now_s`
    gives seconds since the epoch.
    """

    def __init__(
        self,
        published: Publishes,
        first: Direction | None,
        *,
        announce: Callable[[bool], None],
        tell: Callable[[Told], None],
        log: Callable[..., None],
        now_s: Callable[[], float],
    ) -> None:
        self._published = published
        self._announce = announce
        self._tell = tell
        self._log = log
        self._now_s = now_s
        self._serving: dict[int, int] = {}
        self._in_force: InForce = {} if first is None else {first.endpoint: first}
        self._sound = _Course(published.current, self._in_force)
        """What every worker served last."""
        self._earlier: _Course | None = None
        """The last sound one with the models of before the last reload."""
        self._waiting: dict[str, _Waiting] = {}
        self._dropped: list[NotDirected] = []
        self._reloaded = False
        """A reload is published that not every worker serves yet."""

    # --- what is asked ---------------------------------------------------------------------

    def direct(self, asked: Direction) -> None:
        """Publishes a direction, unless it is in force already; it is answered in any case."""
        waiting = self._waiting.get(asked.endpoint)
        if _same(self._in_force.get(asked.endpoint), asked):
            self._renumber(asked)
            if waiting is None:
                self._tell(Directed(asked.number, self._published.current.revision))
            else:
                waiting.numbers.append(asked.number)
            return
        try:
            fresh = self._next(directed_snapshot(self._published.current, asked))
            self._published.publish(fresh)
        except (PilotageError, OSError) as error:
            self._log("not_directed", endpoint=asked.endpoint, number=asked.number, why=str(error))
            self._refuse([asked.number], str(error))
            return
        if waiting is not None:
            why = f"direction {asked.number} came before every worker served it"
            self._refuse(waiting.numbers, why)
        self._waiting[asked.endpoint] = _Waiting(asked, [asked.number])
        self._in_force = {**self._in_force, asked.endpoint: asked}
        self._log(
            "directing", endpoint=asked.endpoint, number=asked.number, revision=fresh.revision
        )
        self._announce(False)

    def reload(self, fresh: Snapshot) -> None:
        """Publishes a composed snapshot, with the directions in force that it has versions for.

        Raises:
            OSError: it cannot be written; the last one goes on.
        """
        fresh = structs.replace(fresh, revision=self._published.next_revision)
        fresh, kept, unfit = with_directions(fresh, self._in_force)
        self._published.publish(fresh)
        self._reloaded = True
        self._drop(unfit, self._in_force)
        self._in_force = kept
        self._announce(True)

    def asker_gone(self) -> None:
        """Nobody is left to be answered: the next decider may use the same numbers anew."""
        for waiting in self._waiting.values():
            waiting.numbers.clear()

    # --- what workers say ------------------------------------------------------------------

    def serving(self, worker: int, revision: int) -> None:
        """A worker serves this revision."""
        self._serving[worker] = revision
        self._settle()

    def ended(self, worker: int) -> None:
        """A worker is gone; the one after it starts with the current snapshot."""
        if self._serving.pop(worker, None) is not None:
            self._settle()

    def declined(self, worker: int, revision: int, why: str) -> None:
        """A worker goes on with the snapshot before. So shall all of them, but for what was
        directed, where it was a reload that came between."""
        if worker not in self._serving or revision != self._published.current.revision:
            return
        if self._reloaded:
            self._go_back(self._sound, self._in_force, why)
        elif self._waiting:
            for waiting in self._waiting.values():
                self._refuse(waiting.numbers, why)
            self._waiting.clear()
            self._go_back(self._sound, {}, why)

    def cannot_start(self, revision: int, why: str) -> None:
        """Workers cannot start with this snapshot: the models of before the reload are back, if
        there was one; directions stay."""
        before = self._sound if self._reloaded else self._earlier
        if revision == self._published.current.revision and before is not None:
            self._go_back(before, self._in_force, why)

    # --- inside ----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Answers what waits, once every worker serves the current snapshot."""
        current = self._published.current
        if not self._serving or set(self._serving.values()) != {current.revision}:
            return
        if self._reloaded:
            self._earlier = self._sound
            self._reloaded = False
        self._sound = _Course(current, self._in_force)
        for waiting in self._waiting.values():
            for number in waiting.numbers:
                self._tell(Directed(number, current.revision))
        self._waiting.clear()
        for each in self._dropped:
            self._tell(each)
        self._dropped.clear()

    def _renumber(self, asked: Direction) -> None:
        """The direction in force goes by the number that it was asked for under last."""
        self._in_force = {**self._in_force, asked.endpoint: asked}
        if _same(self._sound.in_force.get(asked.endpoint), asked):
            in_force = {**self._sound.in_force, asked.endpoint: asked}
            self._sound = _Course(self._sound.snapshot, in_force)

    def _go_back(self, to: _Course, beside: InForce, why: str) -> None:
        """Publishes an earlier snapshot again, with its directions and these beside them."""
        declined = self._published.current.revision
        wanted = {**to.in_force, **beside}
        fresh, kept, unfit = with_directions(self._next(to.snapshot), wanted)
        try:
            self._published.publish(fresh)
        except OSError as error:
            self._log("not_fallen_back", declined=declined, why=str(error))
            return
        self._log("fell_back", declined=declined, revision=fresh.revision, why=why)
        self._reloaded = False
        if to is self._earlier:
            self._earlier = None
        self._dropped.clear()
        self._drop(unfit, wanted)
        for endpoint in kept.keys() - self._in_force.keys():  # a reload that is undone ended it
            self._waiting[endpoint] = _Waiting(kept[endpoint], [kept[endpoint].number])
        self._in_force = kept
        self._announce(False)

    def _drop(self, unfit: Mapping[str, str], of: InForce) -> None:
        """Directions end whose versions are gone. The decider is told when every worker serves
        without them; at once of those that not every worker served yet."""
        for endpoint, why in unfit.items():
            number = of[endpoint].number
            self._log("direction_dropped", endpoint=endpoint, number=number, why=why)
            waiting = self._waiting.pop(endpoint, None)
            if waiting is None:
                self._dropped.append(NotDirected(number, why[:WHY_CHARACTERS]))
            else:
                self._refuse(waiting.numbers, why)

    def _next(self, snapshot: Snapshot) -> Snapshot:
        return structs.replace(
            snapshot, revision=self._published.next_revision, made_at=self._now_s()
        )

    def _refuse(self, numbers: list[int], why: str) -> None:
        for number in numbers:
            self._tell(NotDirected(number, why[:WHY_CHARACTERS]))


def directed_snapshot(snapshot: Snapshot, by: Direction) -> Snapshot:
    """The snapshot with one endpoint as the direction has it; revision and the rest stay.

    Raises:
        PilotageError: it names an endpoint or version that is not there, or its weights are off.
    """
    found = [each for each in snapshot.endpoints if each.name == by.endpoint]
    if not found:
        raise PilotageError("there is no endpoint of this name", where="direction.endpoint")
    _check_routes(by)
    _check_versions(snapshot, by)
    if by.sticky_by and not by.sticky_by.removeprefix("header:"):
        raise PilotageError("no header is named", where="direction.sticky_by")
    endpoints = tuple(directed(e, by) if e is found[0] else e for e in snapshot.endpoints)
    return structs.replace(snapshot, endpoints=endpoints, requires=_requires(snapshot, endpoints))


def with_directions(
    snapshot: Snapshot, in_force: InForce
) -> tuple[Snapshot, dict[str, Direction], dict[str, str]]:
    """The snapshot under these directions, those that fit it, and why the others do not."""
    kept: dict[str, Direction] = {}
    unfit: dict[str, str] = {}
    for endpoint, direction in in_force.items():
        try:
            snapshot = directed_snapshot(snapshot, direction)
        except PilotageError as error:
            unfit[endpoint] = str(error)
        else:
            kept[endpoint] = direction
    return snapshot, kept, unfit


def _check_routes(by: Direction) -> None:
    weights = [route.weight_ppm for route in by.routes]
    if not weights or min(weights) < 0 or sum(weights) != PPM:
        raise PilotageError(
            f"the weights sum to {sum(weights)}",
            where="direction.routes",
            expected=f"routes with weights of 0 or more that sum to {PPM}",
        )


def _check_versions(snapshot: Snapshot, by: Direction) -> None:
    have = {version.id for version in snapshot.versions}
    named = [route.version for route in by.routes]
    named += [by.shadow] if by.shadow else []
    named += [by.trial.candidate] if by.trial else []
    missing = sorted(set(named) - have)
    if missing:
        raise PilotageError(
            f"the snapshot has no version {', '.join(missing)}",
            where="direction",
            expected=f"one of {', '.join(sorted(have))}",
        )


def _requires(snapshot: Snapshot, endpoints: tuple[Endpoint, ...]) -> tuple[str, ...]:
    others = tuple(name for name in snapshot.requires if name != TRIAL)
    return (*others, TRIAL) if any(each.trial for each in endpoints) else others


def _same(one: Direction | None, other: Direction) -> bool:
    """Whether both say the same; numbers do not count."""
    return one is not None and structs.replace(one, number=other.number) == other
