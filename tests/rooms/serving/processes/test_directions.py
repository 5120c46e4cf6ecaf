"""Directions, reloads and what workers say of them, as a table of events; no process runs."""

from typing import Any

import pytest
from msgspec import structs

from pilotage.contracts.directing import Directed, Direction, NotDirected, Told, WorkerDied
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import FORMAT, PPM, Endpoint, Route, Snapshot, Step, Trial, Version
from pilotage.errors import PilotageError
from pilotage.serving.processes.directions import (
    WHY_CHARACTERS,
    Directions,
    directed_snapshot,
)

SIGNATURE = Signature((Tensor("x", "FP32", ("n", 1)),), (Tensor("y", "FP32", ("n", 1)),))
OLD, NEW, OTHER = "v1", "v2", "v3"


def version(id: str) -> Version:
    return Version(id, "m", id, SIGNATURE, (Step("fake", "a", "b"),))


def snapshot(
    *versions: str, revision: int = 1, requires: tuple[str, ...] = ("limits",)
) -> Snapshot:
    endpoints = (Endpoint("a", (Route(versions[0]),)), Endpoint("b", (Route(versions[0]),)))
    return Snapshot(
        FORMAT, revision, 5.0, endpoints, tuple(map(version, versions)), requires=requires
    )


def canary(number: int, percent: int, *, endpoint: str = "a", new: str = NEW) -> Direction:
    share = percent * PPM // 100
    routes = (Route(OLD, PPM - share), Route(new, share, "candidate", "r", f"canary {percent}"))
    return Direction(number, endpoint, routes, trial=Trial(new, "r", f"canary {percent}"))


class Published:
    """Keeps snapshots in memory; its disk is full while `full`."""

    def __init__(self, first: Snapshot) -> None:
        self.current = first
        self.full = False

    @property
    def next_revision(self) -> int:
        return self.current.revision + 1

    def publish(self, fresh: Snapshot) -> None:
        if self.full:
            raise OSError("no space left")
        self.current = fresh


class Scene:
    """Two workers that serve the first snapshot, and what was announced and told since."""

    def __init__(self, first: Direction | None = None) -> None:
        start = snapshot(OLD, NEW)
        self.published = Published(directed_snapshot(start, first) if first else start)
        self.announced: list[tuple[int, bool]] = []
        self.told: list[Told] = []
        self.logged: list[str] = []
        self.directions = Directions(
            self.published,
            first,
            announce=lambda reloaded: self.announced.append((self.revision, reloaded)),
            tell=self.told.append,
            log=self._log,
            now_s=lambda: 9.0,
        )
        for worker in range(2):
            self.directions.serving(worker, 1)

    def _log(self, event: str, **fields: object) -> None:
        del fields
        self.logged.append(event)

    @property
    def revision(self) -> int:
        return self.published.current.revision

    @property
    def shares(self) -> dict[str, int]:
        """Of the first endpoint, in percent."""
        endpoint = self.published.current.endpoints[0]
        return {route.version: route.weight_ppm * 100 // PPM for route in endpoint.routes}

    def serve_all(self) -> None:
        for worker in range(2):
            self.directions.serving(worker, self.revision)


def test_a_direction_is_answered_once_every_worker_serves_it() -> None:
    scene = Scene()
    scene.directions.direct(canary(7, 5))
    assert (scene.announced, scene.shares) == ([(2, False)], {OLD: 95, NEW: 5})
    scene.directions.serving(0, 2)
    assert scene.told == []
    scene.directions.serving(1, 2)
    assert scene.told == [Directed(7, 2)]
    current = scene.published.current
    assert current.requires == ("limits", "trial")
    assert current.made_at == 9.0
    assert current.endpoints[1] == snapshot(OLD).endpoints[1], "the other endpoint stays"


def test_a_worker_that_died_is_not_waited_for() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.serving(0, 2)
    scene.directions.ended(1)
    assert scene.told == [Directed(1, 2)]


def test_while_no_worker_runs_nobody_serves_a_direction() -> None:
    scene = Scene()
    scene.directions.ended(0)
    scene.directions.ended(1)
    scene.directions.direct(canary(1, 5))
    assert scene.told == []
    scene.directions.serving(0, 2)
    assert scene.told == [Directed(1, 2)]


def test_a_worker_that_starts_with_an_earlier_snapshot_is_waited_for() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.serving(2, 1)
    scene.serve_all()
    assert scene.told == []
    scene.directions.serving(2, 2)
    assert scene.told == [Directed(1, 2)]


def test_the_same_direction_twice_does_nothing_twice() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.direct(canary(2, 5))
    scene.serve_all()
    scene.directions.direct(canary(3, 5))
    assert scene.announced == [(2, False)]
    assert scene.told == [Directed(1, 2), Directed(2, 2), Directed(3, 2)]


def test_the_direction_that_the_first_snapshot_has_is_in_force() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.direct(canary(1, 5))
    assert (scene.announced, scene.told) == ([], [Directed(1, 1)])


def test_of_several_in_flight_the_last_one_wins_and_each_is_answered() -> None:
    scene = Scene()
    for number, percent in enumerate((5, 25, 50)):
        scene.directions.direct(canary(number, percent))
    scene.directions.serving(0, 4)
    scene.directions.serving(1, 3)
    scene.directions.serving(1, 4)
    assert scene.shares == {OLD: 50, NEW: 50}
    late = "direction {} came before every worker served it"
    assert scene.told == [
        NotDirected(0, late.format(1)),
        NotDirected(1, late.format(2)),
        Directed(2, 4),
    ]


def test_directions_of_two_endpoints_do_not_stand_in_each_others_way() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.direct(canary(2, 25, endpoint="b"))
    scene.serve_all()
    assert scene.told == [Directed(1, 3), Directed(2, 3)]
    assert [len(each.routes) for each in scene.published.current.endpoints] == [2, 2]


def test_without_a_trial_none_is_required() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.direct(Direction(1, "a", (Route(OLD),)))
    assert scene.published.current.requires == ("limits",)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"endpoint": "c"}, "endpoint"),
        ({"routes": ()}, "weights"),
        ({"routes": (Route(OLD, PPM - 1),)}, "weights"),
        ({"routes": (Route(OLD, PPM + 1), Route(NEW, -1))}, "weights"),
        ({"routes": (Route("v9"),)}, "v9"),
        ({"shadow": "v9"}, "v9"),
        ({"trial": Trial("v9", "r", "s")}, "v9"),
        ({"sticky_by": "header:"}, "header"),
    ],
)
def test_a_direction_that_does_not_fit_changes_nothing(changes: dict[str, Any], word: str) -> None:
    scene = Scene()
    before = scene.published.current
    scene.directions.direct(structs.replace(canary(4, 5), **changes))
    (told,) = scene.told
    assert isinstance(told, NotDirected)
    assert (told.number, word in told.why) == (4, True)
    assert (scene.published.current, scene.announced) == (before, [])


def test_a_file_that_cannot_be_written_is_told_and_changes_nothing() -> None:
    scene = Scene()
    scene.published.full = True
    scene.directions.direct(canary(4, 5))
    assert scene.told == [NotDirected(4, "no space left")]
    assert (scene.revision, scene.announced) == (1, [])


def test_a_direction_that_a_worker_declines_is_taken_back_from_all() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.direct(canary(1, 25))
    scene.directions.serving(0, 2)
    scene.directions.declined(1, 2, "no memory")
    assert scene.told == [NotDirected(1, "no memory")]
    assert (scene.announced, scene.shares) == ([(2, False), (3, False)], {OLD: 95, NEW: 5})
    scene.directions.declined(1, 3, "no memory")
    assert scene.revision == 3, "nothing is left to go back to"
    scene.serve_all()
    scene.directions.direct(canary(2, 5))
    assert scene.told[1:] == [Directed(2, 3)]


def test_a_reload_keeps_the_direction_in_force() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.reload(snapshot(OLD, NEW, OTHER, revision=2))
    assert (scene.announced, scene.shares) == ([(2, True)], {OLD: 95, NEW: 5})
    assert scene.published.current.requires == ("limits", "trial")
    scene.serve_all()
    assert scene.told == []


def test_a_reload_that_was_composed_during_a_direction_comes_after_it() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.reload(snapshot(OLD, NEW, revision=2))
    assert (scene.revision, scene.shares) == (3, {OLD: 95, NEW: 5})
    scene.serve_all()
    assert scene.told == [Directed(1, 3)]


def test_a_reload_without_the_candidate_ends_the_direction() -> None:
    scene = Scene(canary(6, 5))
    scene.directions.reload(snapshot(OLD, OTHER))
    assert scene.shares == {OLD: 100}
    assert scene.told == [], "told once nobody serves it any more"
    scene.serve_all()
    (told,) = scene.told
    assert isinstance(told, NotDirected)
    assert (told.number, NEW in told.why) == (6, True)
    assert "direction_dropped" in scene.logged


def test_a_direction_goes_by_the_number_that_it_was_asked_for_under_last() -> None:
    scene = Scene(canary(6, 5))
    scene.directions.direct(canary(9, 5))
    scene.directions.reload(snapshot(OLD, OTHER))
    scene.serve_all()
    assert [type(told) for told in scene.told] == [Directed, NotDirected]
    assert {told.number for told in scene.told if not isinstance(told, WorkerDied)} == {9}


def test_a_reload_that_ends_a_direction_under_way_says_so_at_once() -> None:
    scene = Scene()
    scene.directions.direct(canary(6, 5))
    scene.directions.reload(snapshot(OLD, OTHER))
    (told,) = scene.told
    assert isinstance(told, NotDirected)
    scene.serve_all()
    assert scene.told == [told]


def test_a_reload_that_a_worker_declines_does_not_take_directions_with_it() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.reload(snapshot(OLD, NEW, OTHER))
    scene.directions.direct(Direction(1, "a", (Route(OLD),)))
    scene.directions.declined(0, 2, "the model is broken")
    assert scene.revision == 3, "a later one is on its way"
    scene.directions.declined(0, 3, "the model is broken")
    assert {each.id for each in scene.published.current.versions} == {OLD, NEW}
    assert (scene.revision, scene.shares, scene.told) == (4, {OLD: 100}, [])
    scene.serve_all()
    assert scene.told == [Directed(1, 4)]


def test_a_direction_that_a_declined_reload_ended_is_in_force_again() -> None:
    scene = Scene(canary(6, 5))
    scene.directions.reload(snapshot(OLD, OTHER))
    scene.directions.declined(1, 2, "the model is broken")
    assert scene.shares == {OLD: 95, NEW: 5}
    scene.serve_all()
    assert scene.told == [Directed(6, 3)]
    scene.directions.direct(canary(7, 5))
    assert scene.told == [Directed(6, 3), Directed(7, 3)]


def test_workers_that_cannot_start_get_the_models_of_before_and_what_was_directed() -> None:
    scene = Scene(canary(0, 5))
    scene.directions.reload(snapshot(OLD, NEW, OTHER))
    scene.serve_all()
    scene.directions.direct(Direction(1, "a", (Route(OLD),)))
    scene.serve_all()
    scene.directions.ended(0)
    scene.directions.cannot_start(3, "the file is gone")
    assert {each.id for each in scene.published.current.versions} == {OLD, NEW}
    assert (scene.revision, scene.shares) == (4, {OLD: 100})
    scene.directions.cannot_start(4, "the file is gone")
    assert scene.revision == 4


def test_a_direction_is_no_reason_that_a_worker_cannot_start() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.serve_all()
    scene.directions.cannot_start(2, "no memory")
    assert (scene.revision, scene.shares) == (2, {OLD: 95, NEW: 5})


def test_what_a_decider_asked_that_died_is_not_answered_to_the_next_one() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.asker_gone()
    scene.directions.direct(canary(1, 25))
    assert scene.told == []
    scene.directions.asker_gone()
    scene.directions.direct(canary(7, 25))
    scene.serve_all()
    assert (scene.announced, scene.told) == ([(2, False), (3, False)], [Directed(7, 3)])


def test_a_reason_is_short_enough_to_be_sent() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.directions.declined(0, 2, "x" * 100_000)
    assert scene.told == [NotDirected(1, "x" * WHY_CHARACTERS)]


def test_going_back_that_cannot_be_written_leaves_all_as_it_is() -> None:
    scene = Scene()
    scene.directions.direct(canary(1, 5))
    scene.published.full = True
    scene.directions.declined(0, 2, "no memory")
    assert scene.revision == 2
    assert scene.logged[-1] == "not_fallen_back"


def test_an_unfit_direction_names_what_would_fit() -> None:
    with pytest.raises(PilotageError) as refused:
        directed_snapshot(snapshot(OLD, NEW), canary(1, 5, new=OTHER))
    assert refused.value.expected == f"one of {OLD}, {NEW}"
