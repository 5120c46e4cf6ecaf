"""When a process that died is started again."""

from pilotage.serving.processes.restarts import FIRST_WAIT_S, HELD_S, LONGEST_WAIT_S, Restarts


def test_a_process_that_never_died_waits_for_nothing() -> None:
    assert Restarts().wait_s == 0.0


def test_the_wait_doubles_with_each_death_up_to_the_longest() -> None:
    restarts = Restarts()
    waits = []
    for death in range(12):
        restarts = restarts.started(now_s=death).died(now_s=death + 0.5)
        waits.append(restarts.wait_s)
    assert waits[:4] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S, 8 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_process_that_held_is_started_soon_again() -> None:
    restarts = Restarts()
    for death in range(8):
        restarts = restarts.started(now_s=death).died(now_s=death)
    restarts = restarts.started(now_s=100).died(now_s=100 + HELD_S)
    assert restarts.wait_s == FIRST_WAIT_S
