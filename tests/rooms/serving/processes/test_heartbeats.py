"""A worker hangs when its heartbeat stands still, and not when nobody could look."""

import pytest

from pilotage.serving.processes.heartbeats import HUNG_S, UNWATCHED_S, Heartbeats


def looked_at(beats: list[tuple[float, int]], heartbeats: Heartbeats) -> list[float]:
    """The seconds at which worker 0 was said to hang, over (second, beat)."""
    return [at_s for at_s, beat in beats if heartbeats.hung([beat].__getitem__, now_s=at_s)]


def every_second(until_s: int, beat: int = 1) -> list[tuple[float, int]]:
    return [(100.0 + second, beat) for second in range(until_s + 1)]


@pytest.mark.parametrize(("seconds", "hangs"), [(int(HUNG_S), False), (int(HUNG_S) + 1, True)])
def test_a_worker_hangs_after_so_many_seconds_without_a_beat(seconds: int, hangs: bool) -> None:
    assert bool(looked_at(every_second(seconds), Heartbeats(1))) is hangs


def test_a_worker_that_beats_now_and_then_does_not_hang() -> None:
    beats = [(100.0 + second, second // 50) for second in range(1000)]
    assert looked_at(beats, Heartbeats(1)) == []


def test_a_worker_that_loads_its_models_is_not_judged() -> None:
    heartbeats = Heartbeats(1)
    assert looked_at(every_second(10), heartbeats) == []
    heartbeats.started(0, 1)
    assert looked_at([(200.0 + second, 1) for second in range(1000)], heartbeats) == []


@pytest.mark.parametrize(("away_s", "hangs"), [(UNWATCHED_S, True), (UNWATCHED_S + 1, False)])
def test_after_a_pause_in_which_nobody_looked_the_count_begins_anew(
    away_s: float, hangs: bool
) -> None:
    beats = every_second(55)
    beats += [(beats[-1][0] + away_s, 1)]
    assert bool(looked_at(beats, Heartbeats(1))) is hangs


def test_workers_are_judged_one_by_one() -> None:
    heartbeats = Heartbeats(2, hung_s=3.0)
    found: list[int] = []
    for second in range(6):
        hung = heartbeats.hung([1, second + 1].__getitem__, now_s=100.0 + second)
        found += [worker for worker, _ in hung]
    assert set(found) == {0}
