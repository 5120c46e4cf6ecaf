from pilotage.checks.live.numbers import Traffic
from pilotage.control.rollouts.history import (
    HAPPENINGS,
    POINTS,
    TREND_POINTS,
    History,
    after_look,
    after_news,
    expected_s,
)
from simulators.rollouts import NUMBERS, numbers


def looked(times, history=None):
    history = history or History()
    for _ in range(times):
        history = after_look(history, 10.0, (NUMBERS,), Traffic(10.0, baseline=95, candidate=5))
    return history


def test_traffic_is_told_a_second():
    (seen,) = looked(1).traffic
    assert (seen.elapsed_s, seen.baseline, seen.candidate) == (10.0, 9.5, 0.5)


def test_a_picture_has_at_most_its_points_and_keeps_the_newest():
    assert len(looked(POINTS).traffic) == POINTS
    history = looked(3 * POINTS)
    assert len(history.traffic) <= POINTS
    assert len(history.guards[NUMBERS.name]) <= POINTS
    times = [point.elapsed_s for point in history.traffic]
    assert times == sorted(set(times))
    assert times[-2:] == [history.time_s - 10.0, history.time_s]


def test_news_are_kept_up_to_their_number_the_newest_last():
    history = History()
    for number in range(HAPPENINGS + 5):
        history = after_news(history, float(number), f"news {number}")
    assert len(history.happened) == HAPPENINGS
    assert history.happened[-1].text == f"news {HAPPENINGS + 4}"


def test_the_time_to_a_decision_goes_on_as_it_did():
    assert expected_s([(0.0, 0.0, 0.0), (10.0, 0.0, 0.25)], 2) == 30.0
    assert expected_s([(0.0, 0.0, 0.5), (10.0, 0.0, 1.2)], 2) == 0.0


def test_nothing_is_expected_where_nothing_grows():
    assert expected_s([], 1) is None
    assert expected_s([(0.0, 0.2, 0.0)], 1) is None
    assert expected_s([(0.0, 0.2, 0.0), (10.0, 0.1, 0.0)], 1) is None


def test_a_trend_looks_no_farther_back_than_its_points():
    history = looked(2 * TREND_POINTS)
    assert len(history.trends[numbers().name]) == TREND_POINTS
